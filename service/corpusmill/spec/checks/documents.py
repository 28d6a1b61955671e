"""Documents: one source each, and what is said of them fits it."""

from corpusmill.spec.checks.patterns import check_cleaning, check_pattern
from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema import Documents, Group, SpaceSpec
from corpusmill.spec.wording import at, quoted

KINDS = ("files", "jsonl", "csv", "parquet")
CHUNK_ATTRIBUTES = ("chunk", "chunks", "previous", "next")
"""What a template may read of a document that is cut into chunks only."""
ATTRIBUTES = ("name", "group", "full", "fields", *CHUNK_ATTRIBUTES)


def check_documents(space: SpaceSpec) -> None:
    """Check each source of documents by itself.

    Raises:
        SpecError: at the field that is wrong.
    """
    if not space.axes and not space.documents:
        raise SpecError("space", "has neither `axes` nor `documents`; a job needs something to combine")
    for name, documents in space.documents.items():
        path = at("space.documents", name)
        if name in space.axes:
            raise SpecError(path, f"{quoted(name)} is the name of an axis; choose another")
        _check_source(documents, path)
        _check_group(documents, path)
        _check_text(documents, path)


def missing_option(documents: Documents, attribute: str) -> str | None:
    """Return why an attribute has no meaning for these documents, or None where it has one."""
    if attribute in CHUNK_ATTRIBUTES and documents.chunk is None:
        return "the documents are not cut; give them `chunk: {chars: ...}`"
    if attribute == "fields" and documents.kind == "files":
        return "files have no columns; rows of jsonl, csv and parquet do"
    if attribute == "group" and documents.group is None:
        return "the documents have no groups; give them `group`"
    return None


def _check_source(documents: Documents, path: str) -> None:
    given = [kind for kind in KINDS if getattr(documents, kind) is not None]
    if len(given) != 1:
        wrong = f"has {' and '.join(map(quoted, given))}" if given else "has no source"
        raise SpecError(path, f"{wrong}; it has one of `files`, `jsonl`, `csv` and `parquet`")
    if given == ["files"]:
        if documents.name is not None:
            raise SpecError(f"{path}.name", "files have no columns; a document is named as its file")
        if documents.text != "text":
            raise SpecError(f"{path}.text", "files have no columns; the text is what the file holds")


def _check_group(documents: Documents, path: str) -> None:
    group = documents.group
    if isinstance(group, Group):
        if (group.column is None) == (group.matching is None):
            raise SpecError(f"{path}.group", "is `folder`, or has one of `column` and `matching`")
        if group.column is not None and documents.kind == "files":
            raise SpecError(f"{path}.group.column", "files have no columns; use `folder` or `matching`")
        check_pattern(group.matching, f"{path}.group.matching")
    if documents.per_group is not None and group is None:
        raise SpecError(f"{path}.per_group", "needs `group`; `limit` bounds the documents of all groups together")


def _check_text(documents: Documents, path: str) -> None:
    check_cleaning(documents.clean, f"{path}.clean")
    check_pattern(documents.matching, f"{path}.matching")
    check_pattern(documents.not_matching, f"{path}.not_matching")
    least, most, chunk = documents.min_chars, documents.max_chars, documents.chunk
    if least is not None and most is not None and least > most:
        raise SpecError(f"{path}.max_chars", f"{most} is less than `min_chars`, {least}: no document would be used")
    if chunk is not None and documents.truncate is not None:
        raise SpecError(f"{path}.truncate", "a chunk has its own length; use one of `truncate` and `chunk`")
    if chunk is not None and 2 * chunk.overlap > chunk.chars:
        raise SpecError(f"{path}.chunk.overlap", f"expected at most half of `chars`, {chunk.chars // 2}")
