"""What docs/spec.md shows is accepted and can be planned, and it describes every key of a spec."""

import re
from pathlib import Path

import msgspec
import pytest

from corpusmill.bootstrap.assembly import space_of
from corpusmill.jobs.preview import preview
from corpusmill.spec.checks import check_spec
from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import Axis, Budget, Clean, Example, Format, JobSpec, Limits, Pairs, Shards, SpaceSpec, Step

PAGE = (Path(__file__).parent.parent / "docs" / "spec.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
AROUND = {
    "name": "name: job\n",
    "space": "space: {axes: {note: [a fall, a cough]}}\n",
    "examples": "examples: [{name: row, prompt: '', completion: x}]\n",
}


@pytest.mark.parametrize("block", BLOCKS)
def test_each_example_is_accepted_and_its_prompts_can_be_made(block: str) -> None:
    missing = [text for key, text in AROUND.items() if not re.search(f"^{key}:", block, re.MULTILINE)]
    spec = parse_spec(("".join(missing) + block).encode(), "yaml")
    check_spec(spec)
    shown = preview(spec, space_of(spec))
    assert len(shown.samples) >= 2
    assert not shown.remarks


OF_DOCUMENTS = {"strip"}
"""What a step does anyway."""

SECTIONS: dict[str, list[type[msgspec.Struct]]] = {
    "The spec": [JobSpec],
    "Space": [SpaceSpec, Axis],
    "Steps": [Step, Clean],
    "Examples": [Example, Format, Pairs],
    "Limits, budget, shards": [Limits, Budget, Shards],
}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_described(section: str) -> None:
    sections = re.split(r"^# ", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL), flags=re.MULTILINE)
    shown = next(each for each in sections if each.startswith(section + "\n"))
    described = {word for code in re.findall(r"`([^`]+)`", shown) for word in re.findall(r"\w+", code)}
    for struct in SECTIONS[section]:
        assert set(struct.__struct_fields__) <= described | OF_DOCUMENTS
