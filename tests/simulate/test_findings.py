"""What is listed of a note: true findings, and a known share of invented ones."""

from random import Random

import pytest

from corpusmill.simulate.brief import read_brief
from corpusmill.simulate.chance import prompt_key
from corpusmill.simulate.findings import REWORDED_SHARE, TERMS, Care, findings, named_in
from corpusmill.simulate.kinds import Kind
from corpusmill.simulate.text import invent

NOTE = """He takes metformin 850 mg twice daily and, for a urinary tract infection, nitrofurantoin 100 mg twice daily.
A urine culture was sent. The prognosis is good."""


@pytest.mark.parametrize(
    ("sought", "named"),
    [
        ("medication", {"metformin 850 mg twice daily", "nitrofurantoin 100 mg twice daily"}),
        ("diagnosis", {"urinary tract infection"}),
        ("test", {"urine culture"}),
        ("prognosis", {"prognosis is good"}),
    ],
)
def test_what_a_note_names_is_answered_and_listed(sought: str, named: set[str]) -> None:
    asked = f"Does the note name a {sought}? Answer yes or no.\n\n{NOTE}"
    listed = f"List every {sought} of the note, one a line.\n\n{NOTE}"
    assert set(named_in(NOTE, sought)) == named
    assert invent(read_brief(asked), prompt_key(0, asked), 2500) == "Yes"
    brief = read_brief(listed)
    assert (brief.kind, brief.sought) == (Kind.LIST, sought)
    assert len(invent(brief, prompt_key(0, listed), 2500).splitlines()) == len(named)


def test_of_what_a_note_does_not_name_nothing_is_listed() -> None:
    asked = "Does the note name a medication? Answer yes or no.\n\nNothing was given."
    listed = "List every medication of the note, one a line.\n\nNothing was given."
    assert invent(read_brief(asked), 1, 2500) == "No"
    assert invent(read_brief(listed), 1, 2500) == "None found."


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_the_share_of_invented_findings_is_what_was_asked_for(share: float) -> None:
    source = ". ".join(TERMS["medication"][:12])
    told = [finding for seed in range(400) for finding in findings(source, "medication", Random(seed), Care(share))]
    invented = [finding for finding in told if finding.invented]
    assert len(invented) / len(told) == pytest.approx(share, abs=0.02)
    assert not any(finding.text.lower() in source.lower() for finding in invented)
    true = [finding.text.lower() in source.lower() for finding in told if not finding.invented]
    assert sum(true) / len(true) == pytest.approx(1 - REWORDED_SHARE, abs=0.01)
