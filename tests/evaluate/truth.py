"""What is true of the simulated readers and their judge, from what they were told to do wrong."""

from msgspec.structs import replace

from corpusmill.simulate.brief import read_brief
from corpusmill.simulate.chance import prompt_key
from corpusmill.simulate.findings import Care
from corpusmill.simulate.judging import FIRST, TIE, Case, preferred
from corpusmill.simulate.text import invent
from tests.recipes.notes import notes

PROMPT = "List every {task} that the note below names, one a line, each behind a dash.\n\n{note}"
NOTES, SEED = 1_500, 77
"""Notes on which the judge's preferences are counted; none of those that are evaluated."""


def judged(base: Care, tuned: Care, bias: float) -> dict[str, float]:
    """Return what a judge with a known taste and bias makes of the tuned reader against the base.

    A pair that one of them really wins is won in both orders unless the bias speaks in the order in which it stands
    second. A real tie stays one unless the bias speaks in exactly one order, or in both, which contradicts itself too.
    """
    won = lost = tied = same = 0
    for note in notes(NOTES, SEED):
        for task in ("diagnosis", "medication", "prognosis", "test"):
            prompt = PROMPT.format(task=task, note=note["text"])
            brief = read_brief(prompt)
            ours, theirs = (
                invent(replace(brief, care=care), prompt_key(place, prompt), 2_500)
                for place, care in enumerate((tuned, base))
            )
            verdict = preferred(Case(prompt, (ours, theirs)))
            same += ours == theirs
            tied += verdict == TIE and ours != theirs
            won += verdict == FIRST
            lost += verdict not in (FIRST, TIE)
    pairs, decided = won + lost + tied + same, won + lost
    return {
        "won": won * (1 - bias) / pairs,
        "lost": lost * (1 - bias) / pairs,
        "tied": (same + tied + bias * decided) / pairs,
        "contradicted": (bias * decided + tied * (1 - (1 - bias) ** 2)) / (decided + tied),
        "first": (decided * (1 + bias) + 2 * bias * tied) / (2 * decided + 2 * bias * tied),
    }
