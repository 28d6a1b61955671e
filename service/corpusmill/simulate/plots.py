"""Invented plots.

Rule of this file: a plot is told beat by beat, each with its share of the whole, and is set where the prompt says.
"""

from collections.abc import Mapping
from random import Random

from corpusmill.simulate.brief import Brief
from corpusmill.simulate.grammar import Grammar, Voice, read_rules, with_article

_PLOT_BOUND = ("hero", "hero_full", "rival", "ally", "she", "her", "them", "place", "period", "genre", "tone", "film")
_PLOT = Grammar(read_rules("words.txt", "plot.txt"), (*_PLOT_BOUND, "a_genre", "a_tone"))

_BEATS = (
    ("opening", 0.05),
    ("hero_lines", 0.17),
    ("incident", 0.28),
    ("complication", 0.45),
    ("tone_lines", 0.51),
    ("flavour", 0.57),
    ("turn", 0.67),
    ("low", 0.79),
    ("climax", 0.91),
    ("ending", 1.0),
)
"""The beats of a plot, and the share of the whole that is told when each is over."""
_FLAVOURS = {
    "romance": ("romance", "romantic", "comedy", "love"),
    "crime": ("crime", "mystery", "noir", "detective", "thriller", "heist"),
    "action": ("action", "adventure", "western", "war", "spy"),
    "fantasy": ("fantasy", "fairy", "myth", "magic"),
    "science": ("science", "sci-fi", "space", "cyber", "dystop"),
    "horror": ("horror", "ghost", "gothic", "vampire", "zombie"),
}
"""The symbol of a genre's own sentences, and the words in a genre's name that call for them."""
_SHORT_SHARE = 0.03
"""Share of plots that break off early, as a model's do; in real runs those are what a length filter is for."""


def plot(brief: Brief, random: Random, chars: int) -> str:
    """The outline of a film, beat by beat; about as long as the brief asks for, else as `chars`."""
    voice = Voice(_PLOT, _cast(brief.values, random), random.random)
    wanted = _plot_chars(random, brief.chars or chars)
    flavour = _flavour(brief.values.get("genre", ""))
    paragraphs = [voice.sentence("title")] if random.random() < 0.15 else []
    told = 0
    for beat, share in _BEATS:
        if told < wanted * share:
            sentences = voice.sentences(flavour if beat == "flavour" else beat, wanted * share - told)
            paragraphs.append(" ".join(sentences))
            told += len(paragraphs[-1]) + 2
    return "\n\n".join(paragraphs)


def _plot_chars(random: Random, mean_chars: float) -> float:
    """Normal around the mean, cut at 0.6 and 1.5 of it, but for the few that break off early."""
    if random.random() < _SHORT_SHARE:
        return mean_chars * random.uniform(0.12, 0.34)
    return mean_chars * min(1.48, max(0.6, random.gauss(1.0, 0.18)))


def _cast(values: Mapping[str, str], random: Random) -> dict[str, str]:
    """Who plays, and where: from the prompt where it says so."""
    voice = Voice(_PLOT, {}, random.random)
    female = random.random() < 0.5
    hero, rival, ally = random.sample(_FIRST_NAMES[female], 1) + random.sample(_OTHER_NAMES[female], 2)
    genre = values.get("genre") or voice.word("any_genre")
    tone = values.get("tone") or voice.word("any_tone")
    return {
        "hero": hero,
        "hero_full": f"{hero} {voice.word('surname')}",
        "rival": rival,
        "ally": ally,
        "she": "she" if female else "he",
        "her": "her" if female else "his",
        "them": "her" if female else "him",
        "place": values.get("place") or voice.word("any_place"),
        "period": values.get("period") or voice.word("any_period"),
        "genre": genre,
        "tone": tone,
        "film": values.get("film", "film"),
        "a_genre": with_article(genre),
        "a_tone": with_article(tone),
    }


_HE, _SHE = ([form for form, _ in _PLOT.rules[symbol]] for symbol in ("he_name", "she_name"))
_FIRST_NAMES = {True: _SHE, False: _HE}
_OTHER_NAMES = {True: _HE + _SHE[::2], False: _SHE + _HE[::2]}


def _flavour(genre: str) -> str:
    lowered = genre.lower()
    found = (flavour for flavour, words in _FLAVOURS.items() if any(word in lowered for word in words))
    return next(found, "drama")
