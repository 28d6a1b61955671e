"""Where, when and about what a text is to be told, as far as its prompt says so.

Rule of this file: patterns are bounded; a labelled line (`Genre: noir`) counts more than what a sentence says.
"""

import re

_LABELLED = re.compile(r"(?:^|\. )[ \t]*([A-Za-z]{3,12})[ \t]*:[ \t]*(\S[^\n.]{0,79})", re.MULTILINE)
_LABELS = {
    "genre": "genre", "place": "place", "location": "place", "setting": "place", "city": "place", "country": "place",
    "period": "period", "time": "period", "era": "period", "tone": "tone", "modifier": "tone", "mood": "tone",
    "style": "tone", "topic": "topic", "subject": "topic", "theme": "topic",
}  # fmt: skip
_WORD = r"(?!(?:an?|the|for)\b)[\w&,'/-]{1,30}"
_GENRE = re.compile(
    rf"\b(?:an?|the|for) ({_WORD}(?: {_WORD}){{0,4}}?) (film|movie|novel|series|play|story)\b", re.IGNORECASE
)
_PLACE = re.compile(r"\bset in ([^.,;:\n]{1,60}?)(?: (?:during|in) ([^.,;:\n]{1,60}))?(?=[.,;:\n]|$)", re.IGNORECASE)
_TONE = re.compile(r"\b(?:tone|mood|style|story) (?:is|should be|must be) ([^.;:\n]{1,60})", re.IGNORECASE)
_TOPIC = re.compile(r"\b(?:about|regarding|concerning|on the topic of) (?!\d)([^.,;:?!\n]{3,60})", re.IGNORECASE)


def values_named(window: str) -> dict[str, str]:
    """What a prompt says of `genre`, `place`, `period`, `tone`, `film` (the medium) and `topic`."""
    values: dict[str, str] = {}
    if genre := _GENRE.search(window):
        values["genre"], values["film"] = genre[1], genre[2].lower()
    if place := _PLACE.search(window):
        values["place"] = place[1]
        if place[2]:
            values["period"] = place[2]
    for name, pattern in (("tone", _TONE), ("topic", _TOPIC)):
        if found := pattern.search(window):
            values[name] = found[1]
    for label, value in _LABELLED.findall(window):
        if name := _LABELS.get(label.lower(), ""):
            values[name] = value
    return {name: " ".join(value.split()).rstrip(".") for name, value in values.items()}
