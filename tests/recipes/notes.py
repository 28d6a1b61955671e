"""Two hundred clinical notes, all invented, each with what it names: `python -m tests.recipes.notes FOLDER`.

They ship with the recipe medical-loop; this is how they were made.

Rule of this file: the same seed gives the same notes, and what a note is said to name is exactly what stands in it.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from corpusmill.simulate.findings import TERMS, named_in

NOTES, HELD_OUT = 200, 60
SEED = 20
MOST_FACTS = 3

OPENINGS = (
    "Seen in the morning clinic, a {age}-year-old {who} who came alone.",
    "{Who}, {age}, brought in by a neighbour after lunch.",
    "Review of a {age}-year-old {who}; the last visit was in spring.",
    "Telephone call with a {who} of {age}, who could not come in person.",
    "Ward round, bed {bed}: a {who} of {age}, awake and talking.",
)
PHRASES = {
    "diagnosis": ("Assessment: {}.", "The picture fits {}.", "Known {}.", "This is {}, as was thought before."),
    "medication": ("Takes {}.", "We began {}.", "Continues {}.", "Sent home with {}."),
    "prognosis": ("As things stand, {}.", "The family was told that {}.", "In my view {}."),
    "test": ("{} was done today.", "{} is booked for next week.", "Awaiting the result of {}."),
}
ASIDES = (
    "Sleeps well and eats what is put on the plate.",
    "Lives on the second floor, with a dog that answers the bell.",
    "Was worried about the parking and said so twice.",
    "The letter to the family doctor goes out tomorrow.",
    "Wound dry, no fever, walks to the window and back.",
    "Asked whether swimming is allowed; it is.",
)


def notes(count: int = NOTES, seed: int = SEED) -> Iterator[dict[str, object]]:
    """Yield notes: `id`, `text`, and a list of what it names for each of the four tasks."""
    random = Random(seed)
    for number in range(1, count + 1):
        text = _text(random)
        facts = {task: named_in(text, task) for task in TERMS}
        yield {"id": f"note-{number:03d}", "text": text, **facts}


def write(folder: Path) -> None:
    """Write `training.jsonl` and `heldout.jsonl`; no note is in both."""
    made = list(notes())
    for name, part in (("training", made[HELD_OUT:]), ("heldout", made[:HELD_OUT])):
        lines = (json.dumps(note, ensure_ascii=False) + "\n" for note in part)
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")


def _text(random: Random) -> str:
    who = random.choice(("woman", "man", "teacher", "retired clerk", "student", "farmer"))
    opening = random.choice(OPENINGS).format(
        age=random.randint(19, 93), who=who, Who=who.capitalize(), bed=random.randint(1, 30)
    )
    sentences = [random.choice(PHRASES[task]).format(term) for task in TERMS for term in _terms(task, random)]
    sentences += random.sample(ASIDES, 2)
    random.shuffle(sentences)
    return " ".join([opening, *(sentence[0].upper() + sentence[1:] for sentence in sentences)])


def _terms(task: str, random: Random) -> list[str]:
    """Pick what is named; no term stands within another."""
    picked: list[str] = []
    for term in random.sample(TERMS[task], random.randint(0, MOST_FACTS)):
        if not any(term.lower() in other.lower() or other.lower() in term.lower() for other in picked):
            picked.append(term)
    return picked


if __name__ == "__main__":
    write(Path(sys.argv[1]))
