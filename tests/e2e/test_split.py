"""A split through a whole job: all chunks of a document lie on one side, in the corpus and in exported files."""

import json
from pathlib import Path

from tests.cli.harness import output

SPEC = """
name: notes
space: {documents: {note: {files: "notes/*.txt", chunk: {chars: 200}}}}
steps: [{name: summary, prompt: "{{ nonce }} Sum up: {{ note }}"}]
examples: [{name: row, prompt: "{{ note.full[:7] }}", completion: "{{ summary }}"}]
split: {validation: 0.3, by: note}
"""


def test_all_chunks_of_a_document_lie_on_one_side(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    for number in range(20):
        (tmp_path / "notes" / f"{number:02d}.txt").write_text(f"Note {number:02d}. " + "It went on and on. " * 30)
    (tmp_path / "spec.yaml").write_text(SPEC)
    output("run", tmp_path / "spec.yaml", "--data", tmp_path / "data", "--quiet")
    where = ("--format", "prompt-completion", "--output", tmp_path / "out.jsonl", "--split")
    output("export", "notes", "--data", tmp_path / "data", *where)
    train, validation = (
        {json.loads(line)["prompt"] for line in (tmp_path / f"out.{side}.jsonl").read_text().splitlines()}
        for side in ("train", "validation")
    )
    assert len(train) + len(validation) == 20
    assert train
    assert validation
    assert not train & validation
