"""Invented pages of film scripts.

Rule of this file: a page is a few scenes, each a heading, some action, and an exchange under the speakers' names.
"""

from random import Random

from corpusmill.simulate.brief import Brief
from corpusmill.simulate.grammar import Grammar, Voice, read_rules

_PROSE = Grammar(read_rules("words.txt", "prose.txt"), ())
_LIGHT = ("DAY", "NIGHT", "DAWN", "DUSK", "CONTINUOUS")


def script(brief: Brief, random: Random, chars: int) -> str:
    """Scenes until the length asked for is told, else until that of a plot is."""
    wanted = brief.chars or chars
    voice = Voice(_PROSE, {}, random.random)
    speakers = [voice.word("person").split()[0].upper() for _ in range(2)]
    scenes: list[str] = []
    while sum(map(len, scenes)) < wanted:
        scenes.append(_scene(voice, random, speakers))
    return "\n\n".join(scenes)


def _scene(voice: Voice, random: Random, speakers: list[str]) -> str:
    heading = f"{random.choice(('INT.', 'EXT.'))} {voice.word('site').upper()} - {random.choice(_LIGHT)}"
    parts = [heading, " ".join(voice.sentences("prose", 120))]
    for speaker, symbol in zip(speakers, ("asks", "answers"), strict=True):
        parts.append(f"{speaker}\n{voice.sentence(symbol)}")
    return "\n\n".join(parts)
