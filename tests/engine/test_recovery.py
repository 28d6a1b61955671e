"""What is decided stays decided: a job is opened again under filters that judge otherwise by now.

So an upgrade that sharpens or mends a filter neither stops a job that broke off, nor changes a line of it.
"""

import random
import zlib

import msgspec
import pytest

from corpusmill.bootstrap.assembly import Assembly
from corpusmill.chain.completion import Choice
from corpusmill.spec.schema import JobSpec, Shards
from tests.sim.disk import SimDisk
from tests.sim.world import FOLDER, ScriptedEndpoint, World, make_spec

STEPS = [
    {"name": "idea", "prompt": "idea {{ nonce }}", "attempts": 2},
    {"name": "plot", "prompt": "plot {{ nonce }} {{ idea }}", "attempts": 3},
]
FILTERS: list[dict[str, object]] = [
    {"of": "idea", "not_matching": "[01]$"},
    {"of": "plot", "not_matching": "[0-4]$"},
]
OTHERWISE: dict[str, list[dict[str, object]]] = {
    "stricter": [{"of": "plot", "not_matching": "[5-9]$"}, {"of": "idea", "min_chars": 1000}],
    "none": [],
    "the same": FILTERS,
}


def spec_with(filters: list[dict[str, object]]) -> JobSpec:
    examples = [{"name": "row", "prompt": "{{ idea }}", "completion": "{{ plot }}"}]
    return make_spec(steps=STEPS, filters=filters, dedup={"of": "plot"}, examples=examples, shards={"records": 1000})


def answer(prompt: str) -> Choice:
    return Choice(f"{prompt[:4]} {zlib.crc32(prompt.encode()) % 400}", "stop")


@pytest.mark.parametrize("filters", OTHERWISE.values(), ids=OTHERWISE.keys())
def test_lines_are_made_again_as_they_were_decided_whatever_the_filters_say_now(
    filters: list[dict[str, object]],
) -> None:
    spec = spec_with(FILTERS)
    world = World(3, spec, ScriptedEndpoint(random.Random(3), text=answer))
    ended = world.run()
    assert ended is not None
    outcomes = ended[1].outcomes
    assert min(outcomes.kept, outcomes.rejected, outcomes.duplicate) > 5
    lines = {place: world.lines(place) for place in ("corpus", "rejects")}
    only_the_journal(world.disk)
    assembly = Assembly(spec_with(filters), FOLDER, world.disk, lambda: "2026-01-01T00:00:00.000Z")
    assembly.store.finish("finished")
    assembly.store.close()
    assert {place: world.lines(place) for place in ("corpus", "rejects")} == lines
    assert assembly.store.figures.outcomes == outcomes


def test_the_next_run_need_not_look_again_at_what_is_done_or_excluded() -> None:
    """In a space of which `where` keeps little, looking at all of it again would take longer than all the rest."""
    spec = msgspec.structs.replace(spec_with([]), shards=Shards(records=10))
    spec = msgspec.structs.replace(spec, space=msgspec.structs.replace(spec.space, where="place == 'there'"))
    world = World(3, spec, ScriptedEndpoint(random.Random(3), text=answer))
    world.disk.crash_at = 200
    assert world.run() is None
    world.crash()
    assembly = Assembly(spec, FOLDER, world.disk, lambda: "2026-01-01T00:00:00.000Z")
    store, space = assembly.store, assembly.space
    assert 0 < store.horizon < space.size
    left = [index for index in range(space.size) if space.keeps(space.item(index)) and index not in store.done]
    assert left
    assert min(left) >= store.horizon
    store.close()
    assert world.run() is not None
    ids = {line["index"] for place in ("corpus", "rejects") for line in world.lines(place)}
    assert ids == {index for index in range(space.size) if space.keeps(space.item(index))}


def only_the_journal(disk: SimDisk) -> None:
    """As after a crash before the first commit."""
    for name in disk.names(FOLDER / "manifest"):
        disk.remove(FOLDER / "manifest" / name)
