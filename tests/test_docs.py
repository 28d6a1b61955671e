"""What docs/spec.md shows is accepted and can be planned, and it describes every key of a step."""

import re
from pathlib import Path

import pytest

from corpusmill.bootstrap.assembly import space_of
from corpusmill.jobs.preview import preview
from corpusmill.spec.checks import check_spec
from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import Clean, Step

PAGE = (Path(__file__).parent.parent / "docs" / "spec.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
AROUND = "name: job\nspace: {axes: {note: [a fall, a cough]}}\nexamples: [{name: row, prompt: '', completion: x}]\n"


@pytest.mark.parametrize("block", BLOCKS)
def test_each_example_is_accepted_and_its_prompts_can_be_made(block: str) -> None:
    spec = parse_spec((AROUND + block).encode(), "yaml")
    check_spec(spec)
    shown = preview(spec, space_of(spec))
    assert len(shown.samples) == 2
    assert not shown.remarks


def test_every_key_is_described() -> None:
    described = set(re.findall(r"`(\w+)`", PAGE.partition("## ")[0]))
    assert set(Step.__struct_fields__) <= described
    assert set(Clean.__struct_fields__) <= described | {"strip"}
