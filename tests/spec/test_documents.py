"""What a spec may say of documents, and what templates may read of them."""

import json
from typing import Any

import msgspec
import pytest

from corpusmill.spec.checks import check_spec
from corpusmill.spec.errors import SpecError
from corpusmill.spec.freeze import spec_to_json
from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import JobSpec, SpaceSpec


def spec_with(documents: dict[str, Any], prompt: str = "{{ note }}", **space: Any) -> JobSpec:
    document = {
        "name": "j",
        "space": {"documents": {"note": documents}, **space},
        "steps": [{"name": "answer", "prompt": prompt}],
        "examples": [{"name": "row", "prompt": "", "completion": "{{ answer }}"}],
        "split": {"validation": 0.5, "by": "note"},
    }
    spec = parse_spec(json.dumps(document).encode(), "json")
    check_spec(spec)
    return spec


FULL = {
    "jsonl": ["a.jsonl", "b/*.jsonl"],
    "text": "body",
    "name": "id",
    "group": {"column": "sub"},
    "clean": [{"strip": True}, {"collapse": "lines", "replace": {"\r": "\n"}}],
    "min_chars": 10,
    "max_chars": 1000,
    "matching": "a",
    "not_matching": "b",
    "chunk": {"chars": 100, "overlap": 50},
    "per_group": 3,
    "limit": 100,
}
READ = ("name", "group", "full", "previous", "next", "chunk", "chunks | length", "fields.x")


def test_everything_that_may_be_said_is_kept_as_it_is() -> None:
    spec = spec_with(FULL, "".join(f"{{{{ note.{attribute} }}}}" for attribute in READ))
    assert json.loads(spec_to_json(spec))["space"] == {"documents": {"note": FULL}}
    assert parse_spec(spec_to_json(spec), "json") == spec


FILES = {"files": "*.txt"}


@pytest.mark.parametrize(
    ("documents", "prompt", "problem"),
    [
        ({}, "x", "space.documents.note: has no source; it has one of `files`, `jsonl`, `csv` and `parquet`"),
        ({**FILES, "csv": "x"}, "x", "space.documents.note: has `files` and `csv`; it has one of"),
        ({"file": "x"}, "x", "space.documents.note.file: unknown key; did you mean `files`?"),
        ({**FILES, "text": "body"}, "x", "space.documents.note.text: files have no columns"),
        ({**FILES, "name": "id"}, "x", "space.documents.note.name: files have no columns"),
        ({**FILES, "group": {"column": "x"}}, "x", "space.documents.note.group.column: files have no columns"),
        ({**FILES, "group": {}}, "x", "space.documents.note.group: is `folder`, or has one of `column` and `matching`"),
        ({**FILES, "group": "file"}, "x", "space.documents.note.group: expected"),
        ({**FILES, "group": {"matching": "("}}, "x", "space.documents.note.group.matching: not a regular expression"),
        ({**FILES, "per_group": 2}, "x", "space.documents.note.per_group: needs `group`"),
        ({**FILES, "matching": "("}, "x", "space.documents.note.matching: not a regular expression"),
        ({**FILES, "clean": {"remove": ["("]}}, "x", "space.documents.note.clean.remove: not a regular expression"),
        ({**FILES, "clean": {}}, "x", "space.documents.note.clean: cleans nothing"),
        ({**FILES, "min_chars": 9, "max_chars": 8}, "x", "space.documents.note.max_chars: 8 is less than"),
        ({**FILES, "chunk": {"chars": 9, "overlap": 5}}, "x", "space.documents.note.chunk.overlap: expected at most"),
        (
            {**FILES, "chunk": {"chars": 9}, "truncate": {"chars": 9}},
            "x",
            "space.documents.note.truncate: a chunk has its own length",
        ),
        ({**FILES, "digest": "x"}, "x", "space.documents.note.digest: expected 32 digits"),
        (FILES, "{{ note.next }}", "steps[0].prompt: `note.next` has no meaning: the documents are not cut"),
        (FILES, "{{ note.fields.x }}", "steps[0].prompt: `note.fields` has no meaning: files have no columns"),
        (FILES, "{{ note.group }}", "steps[0].prompt: `note.group` has no meaning: the documents have no groups"),
        (FILES, "{{ note.nmae }}", "steps[0].prompt: `note.nmae` is not defined; did you mean `name`?"),
        (FILES, "{{ notes }}", "steps[0].prompt: `notes` is not defined; did you mean `note`?"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(documents: dict[str, Any], prompt: str, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec_with(documents, prompt)
    assert str(caught.value).startswith(problem)


def test_a_name_stands_for_one_thing() -> None:
    with pytest.raises(SpecError, match=r"^space\.documents\.note: `note` is the name of an axis"):
        spec_with(FILES, axes={"note": ["x"]})
    with pytest.raises(SpecError, match=r"^space: has neither `axes` nor `documents`"):
        check_spec(msgspec.structs.replace(spec_with(FILES), space=SpaceSpec()))
    with pytest.raises(SpecError, match=r"^space\.where: `note\.group` has no meaning"):
        spec_with(FILES, where="note.group == 'x'")


def test_messages_before_the_prompt_are_for_chats() -> None:
    spec = spec_with(FULL)
    for changes, path in (
        ({"api": "completions"}, r"steps\[0\]\.conversation: a completion's prompt is one text"),
        ({"conversation": "note.fields["}, r"steps\[0\]\.conversation: line 1"),
        ({"conversation": "nope"}, r"steps\[0\]\.conversation: `nope` is not defined; did you mean `note`\?"),
    ):
        step = msgspec.structs.replace(spec.steps[0], **{"conversation": "note.fields.x", **changes})
        with pytest.raises(SpecError, match=f"^{path}"):
            check_spec(msgspec.structs.replace(spec, steps=[step]))
