"""Records: ids that are unique, lines that a trainer can read, groups that are never split."""

from collections import Counter

import msgspec

from corpusmill.bootstrap.assembly import space_of
from corpusmill.chain.records import RecordWriter
from corpusmill.spec.schema import Message, Split
from tests.sim.world import make_spec

EXAMPLES: list[dict[str, object]] = [
    {"name": "row", "prompt": "{{ genre }}:", "completion": " {{ plot }} END"},
    {
        "name": "chat",
        "messages": [
            {"role": "user", "content": "A {{ genre }} plot."},
            {"role": "assistant", "content": "{{ plot }}"},
        ],
    },
]


def test_a_line_has_the_fields_of_the_contract_in_both_forms() -> None:
    spec = make_spec(examples=EXAMPLES)
    item = space_of(spec).item(5)
    row, chat = (
        msgspec.json.decode(line) for line in RecordWriter(spec).corpus_lines(item, {**item.values, "plot": "P"})
    )
    genre = item.values["genre"]
    assert list(row) == ["id", "index", "example", "values", "prompt", "completion"]
    assert (row["id"], row["index"], row["example"]) == ("job:5:row", 5, "row")
    assert row["values"] == item.values
    assert (row["prompt"], row["completion"]) == (f"{genre}:", " P END")
    assert chat["messages"] == [
        msgspec.to_builtins(Message("user", f"A {genre} plot.")),
        msgspec.to_builtins(Message("assistant", "P")),
    ]


def test_labelled_values_are_written_as_their_whole_text() -> None:
    spec = make_spec(
        space={"axes": {"genre": ["noir: dark and wet", "western: dust"], "place": ["x"], "n": [1]}},
        examples=[{"name": "row", "prompt": "{{ genre.label }}", "completion": "{{ genre.definition }}"}],
        steps=[{"name": "plot", "prompt": "{{ genre }} {{ place }} {{ n }}"}],
    )
    item = space_of(spec).item(0)
    line = msgspec.json.decode(RecordWriter(spec).corpus_lines(item, dict(item.values))[0])
    assert line["values"]["genre"] == item.values["genre"]
    assert f"{line['prompt']}: {line['completion']}" == item.values["genre"]


def test_a_group_never_lies_on_both_sides_of_the_split() -> None:
    spec = msgspec.structs.replace(make_spec(examples=EXAMPLES), split=Split(validation=0.3, by="n"))
    space, writer = space_of(spec), RecordWriter(spec)
    sides: dict[object, set[str]] = {}
    counts: Counter[str] = Counter()
    for index in range(space.size):
        item = space.item(index)
        for line in writer.corpus_lines(item, {**item.values, "plot": "P"}):
            side = msgspec.json.decode(line)["split"]
            sides.setdefault(item.values["n"], set()).add(side)
            counts[side] += 1
    assert all(len(found) == 1 for found in sides.values())
    assert set(counts) == {"train", "validation"}
    assert counts["train"] > counts["validation"]
