"""What language a text is in, by py3langid: an extra, loaded where a filter asks for it."""

from collections.abc import Callable
from functools import cache

from corpusmill.chain.filters.subject import Check, Rejection, Subject
from corpusmill.spec.schema import Filter

LOOKED_AT_CHARS = 500
"""How much of a text is looked at: more tells little, and costs."""

LEAST_CHARS = 40
"""A shorter text says too little to be judged, and passes."""


def language(spec: Filter) -> Check | None:
    """The text is in one of some languages."""
    if spec.language is None:
        return None
    accepted, identify = frozenset(spec.language), _identifier()
    wanted = ", ".join(spec.language)

    def check(subject: Subject) -> Rejection | None:
        if len(subject.text) < LEAST_CHARS:
            return None
        found = identify(subject.text[:LOOKED_AT_CHARS])
        return None if found in accepted else Rejection("language", f"{found}; wanted: {wanted}")

    return check


@cache
def _identifier() -> Callable[[str], str]:
    """Load the model, once; that takes half a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - an extra

    classify = LanguageIdentifier.from_model_file(MODEL_FILE).classify
    return lambda text: str(classify(text)[0])
