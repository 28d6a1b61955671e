"""Evaluation files: read once, when a spec is accepted; what they hold becomes part of the spec."""

from pathlib import Path

from msgspec.structs import replace

from corpusmill.space.files import text_of_file
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Evaluation, JobSpec
from corpusmill.spec.wording import quoted


def inline_evaluation_files(spec: JobSpec, folder: Path) -> JobSpec:
    """Return the spec with what each `decontaminate` must know of its file.

    Args:
        spec: a spec that may name files.
        folder: the folder the names are relative to, and in which the files lie.

    Raises:
        SpecError: at the file that cannot be read, holds no run of so many words, or more than a spec can hold.
    """
    filters = [
        replace(each, decontaminate=with_runs(each.decontaminate, f"filters[{place}].decontaminate.file", folder))
        if each.decontaminate is not None and each.decontaminate.runs is None
        else each
        for place, each in enumerate(spec.filters)
    ]
    return replace(spec, filters=filters)


def with_runs(asked: Evaluation, path: str, folder: Path) -> Evaluation:
    """Return one `decontaminate`, whose file is named at `path`, with what it must know. Raises as the whole."""
    from corpusmill.chain.filters.evaluation import (  # noqa: PLC0415 - loads numpy: only a spec that asks for it waits
        MOST_RUNS,
        TooManyRunsError,
        packed,
        texts_of,
    )

    content = text_of_file(path, asked.file, folder)
    try:
        runs = packed(texts_of(asked.file, content), asked.ngram)
    except TooManyRunsError:
        problem = f"{quoted(asked.file)} has more than {MOST_RUNS:,} different runs of {asked.ngram} words"
        raise SpecError(path, f"{problem}; give a file for each benchmark, or a greater `ngram`") from None
    except ValueError as error:
        raise SpecError(path, f"{quoted(asked.file)}: {error}") from None
    if not runs:
        raise SpecError(path, f"{quoted(asked.file)} has no text of {asked.ngram} words; a smaller `ngram` may do")
    return replace(asked, runs=runs)
