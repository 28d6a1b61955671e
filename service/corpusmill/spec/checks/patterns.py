"""Regular expressions: each is one that RE2 can compile."""

import re2

from corpusmill.spec.errors import SpecError
from corpusmill.spec.schema.clean import Clean, Cleaning
from corpusmill.spec.wording import at, one_line

_QUIET = re2.Options()
_QUIET.log_errors = False  # RE2 would write to stderr what the error says already


def check_pattern(pattern: str | None, path: str) -> None:
    """Check one pattern, if there is one.

    Raises:
        SpecError: it is not a regular expression in RE2's syntax.
    """
    if pattern is None:
        return
    try:
        re2.compile(pattern, _QUIET)
    except re2.error as error:
        problem = error.args[0].decode(errors="replace")
        raise SpecError(path, f"not a regular expression in RE2's syntax: {one_line(problem)}") from None


def check_cleaning(cleaning: Cleaning | None, path: str) -> None:
    """Check the patterns of a `clean`, and that it cleans something.

    Raises:
        SpecError: at the field of the cleaning that is wrong.
    """
    if isinstance(cleaning, list):
        for position, stage in enumerate(cleaning):
            _check_stage(stage, at(path, position))
    elif cleaning is not None:
        _check_stage(cleaning, path)


def _check_stage(clean: Clean, path: str) -> None:
    if clean == Clean():
        raise SpecError(path, "cleans nothing: say what, such as `strip: true` or `collapse: true`")
    for name in ("begin_after", "cut_at", "keep_lines", "drop_lines"):
        check_pattern(getattr(clean, name), f"{path}.{name}")
    removed = [clean.remove] if isinstance(clean.remove, str) else clean.remove or []
    for pattern in removed:
        check_pattern(pattern, f"{path}.remove")
    for pattern in clean.replace or ():
        check_pattern(pattern, f"{path}.replace")
