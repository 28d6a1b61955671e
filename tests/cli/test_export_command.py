import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpusmill.cli.errors import EXIT_CODES
from corpusmill.exports.errors import ExportError
from corpusmill.jobs.folder import claimed, read_spec
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Disk
from tests.cli.harness import invoke, output, process, refused
from tests.jobs.harness import raw_lines


def corpus(data: Path, job: str) -> list[dict[str, Any]]:
    """The records of a job."""
    return raw_lines(data, job, "corpus")


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def as_chat(record: dict[str, Any]) -> list[dict[str, str]]:
    if "messages" in record:
        messages: list[dict[str, str]] = record["messages"]
        return messages
    return [{"role": "user", "content": record["prompt"]}, {"role": "assistant", "content": record["completion"]}]


@pytest.mark.parametrize("job", ["tales", "packed"])
def test_a_chat_export_is_the_corpus_in_its_order(data: Path, tmp_path: Path, job: str) -> None:
    path = tmp_path / "chat.jsonl"
    output("export", job, "--data", data, "--format", "openai-chat", "--output", path)
    records = corpus(data, job)
    assert len(records) > 100
    assert lines_of(path) == [{"messages": as_chat(record)} for record in records]


@pytest.mark.parametrize(("form", "example"), [("prompt-completion", "outline"), ("alpaca", "chat")])
def test_one_example_can_be_taken(data: Path, tmp_path: Path, form: str, example: str) -> None:
    path = tmp_path / "out.jsonl"
    output("export", "tales", "--data", data, "--format", form, "--output", path, "--example", example)
    records = [record for record in corpus(data, "tales") if record["example"] == example]
    if form == "alpaca":
        expected = [
            {"instruction": user["content"], "input": "", "output": answer["content"], "system": system["content"]}
            for system, user, answer in (record["messages"] for record in records)
        ]
    else:
        expected = [{"prompt": record["prompt"], "completion": record["completion"]} for record in records]
    assert lines_of(path) == expected


def test_a_split_lies_in_two_files_that_make_one_whole(data: Path, tmp_path: Path) -> None:
    arguments = ("export", "tales", "--data", data, "--format", "sharegpt", "--split")
    output(*arguments, "--output", tmp_path / "tales.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tales.train.jsonl", "tales.validation.jsonl"]
    for side in ("train", "validation"):
        records = [record for record in corpus(data, "tales") if record["split"] == side]
        conversations = [line["conversations"] for line in lines_of(tmp_path / f"tales.{side}.jsonl")]
        assert len(records) > 20
        assert [[turn["value"] for turn in each] for each in conversations] == [
            [message["content"] for message in as_chat(record)] for record in records
        ]


def test_the_last_line_tells_what_was_written(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    result = invoke("export", "tales", "--data", data, "--format", "openai-chat", "--output", path)
    content = path.read_bytes()
    count = len(lines_of(path))
    digest = hashlib.sha256(content).hexdigest()
    assert result.stderr == f"{path}: {count:,} records, {len(content):,} bytes, sha256 {digest}\n"
    assert result.stdout == ""


def test_stdout_gets_the_same_bytes_as_a_file(data: Path, tmp_path: Path) -> None:
    arguments = ("export", "tales", "--data", data, "--format", "alpaca", "--output")
    done = process(*arguments, "-")
    output(*arguments, tmp_path / "out.jsonl")
    assert done.returncode == 0
    assert done.stdout.encode() == (tmp_path / "out.jsonl").read_bytes()
    assert re.fullmatch(r"stdout: [\d,]+ records, [\d,]+ bytes, sha256 [0-9a-f]{64}\n", done.stderr)


def test_an_output_that_is_there_is_replaced_by_force_only(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("precious")
    arguments = ("export", "tales", "--data", data, "--format", "alpaca", "--output", path)
    assert refused(*arguments) == f"corpusmill: {path} is there already; --force replaces it"
    assert path.read_text() == "precious"
    output(*arguments, "--force")
    assert len(lines_of(path)) == len(corpus(data, "tales"))


def test_a_damaged_shard_is_found_and_nothing_is_left(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    shard = max((tmp_path / "data" / "jobs" / "tales" / "corpus").iterdir())
    shard.write_bytes(shard.read_bytes().replace(b"END", b"AND", 1))
    folder = tmp_path / "out"
    folder.mkdir()
    arguments = ("export", "tales", "--data", tmp_path / "data", "--format", "alpaca", "--output", folder / "a.jsonl")
    assert refused(*arguments, exit_code=1).startswith(f"corpusmill: corpus/{shard.name} is damaged")
    assert list(folder.iterdir()) == []
    assert isinstance(invoke(*arguments).exception, CorruptionError)


def test_a_job_that_is_not_over_is_exported_in_part_on_request(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    arguments = ("export", "broken-off", "--data", data, "--format", "openai-chat", "--output", path)
    told = refused(*arguments)
    assert told.endswith("job broken-off is interrupted, not finished; --partial exports what is sealed so far")
    result = invoke(*arguments, "--partial")
    shards = sorted((data / "jobs" / "broken-off" / "corpus").glob("*.jsonl"))
    sealed = [record for shard in shards for record in lines_of(shard)]
    assert lines_of(path) == [{"messages": as_chat(record)} for record in sealed]
    assert re.match(r"corpusmill: [1-9]\d* records are not sealed yet and left out\n", result.stderr)


def test_a_running_job_is_not_over(data: Path, tmp_path: Path) -> None:
    arguments = ("export", "tales", "--data", data, "--format", "alpaca", "--output", tmp_path / "a.jsonl")
    with claimed(Disk(), data, "tales", read_spec(data, "tales")):
        error = invoke(*arguments).exception
    assert isinstance(error, ExportError)
    assert str(error).startswith("job tales is running")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--output", "-", "--split"], "--split needs a file, not stdout"),
        (["--output", "a", "--example", "outlin"], "no example 'outlin'; did you mean `outline`?"),
        (["--output", "nowhere/a"], "there is no folder nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused(data: Path, arguments: list[str], told: str) -> None:
    error = invoke("export", "tales", "--data", data, "--format", "alpaca", *arguments).exception
    assert isinstance(error, ExportError)
    assert told in str(error)
    assert EXIT_CODES[type(error)] == 2


def test_a_split_needs_one_in_the_spec(tmp_path: Path) -> None:
    spec = tmp_path / "one.yaml"
    spec.write_text(
        "name: one\nspace: {axes: {n: [1, 2]}}\nsteps: [{name: s, prompt: 'List {{ n }} things.'}]\n"
        "examples: [{name: e, prompt: '', completion: '{{ s }}'}]\n"
    )
    output("run", spec, "--data", tmp_path, "--quiet")
    arguments = ("export", "one", "--data", tmp_path, "--output", tmp_path / "out.jsonl", "--format")
    error = invoke(*arguments, "alpaca", "--split").exception
    assert str(error) == "--split needs `split` in the spec of job one"
    assert "record one:" in str(invoke(*arguments, "openai-chat").exception)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_card_tells_counts_files_recipe_models_and_what_was_not_kept(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    output("export", "tales", "--data", data, "--format", "sharegpt", "--output", path, "--split", "--card")
    card = (tmp_path / "README.md").read_text("utf-8")
    _, front, body = card.split("---\n", 2)
    hub = yaml.safe_load(front)
    assert hub["license"] == "unknown"
    assert hub["size_categories"] == ["n<1K"]
    files = {each["split"]: tmp_path / each["path"] for each in hub["configs"][0]["data_files"]}
    assert set(files) == {"train", "validation"}
    for file in files.values():
        assert f"{len(lines_of(file)):,}" in body
        assert hashlib.sha256(file.read_bytes()).hexdigest() in body
    spec = (data / "jobs" / "tales" / "spec.json").read_bytes()
    assert hashlib.sha256(spec).hexdigest() in body
    report = json.loads(output("report", "tales", "--data", data, "--json"))
    for reason, count in {**report["rejected_by"], **report["failed_by"]}.items():
        assert f"| {reason} | {count} |" in body
    answered = report["calls"]["answered"]
    rows = re.findall(r"^\| \w+ \| \S+ \| ([\d,]+) \| [\d,]+ \| [\d,]+ \|", body, re.MULTILINE)
    assert sum(int(row.replace(",", "")) for row in rows) == answered
    assert "| USD per 1M tokens |" in body
    assert "FILL IN: the licence" in body


def test_a_card_of_a_job_whose_journal_was_purged_names_the_models_of_the_spec(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data / "jobs" / "tales", tmp_path / "data" / "jobs" / "tales")
    output("purge", "tales", "--data", tmp_path / "data", "--yes")
    where = ("--format", "openai-chat", "--output", tmp_path / "a.jsonl")
    output("export", "tales", "--data", tmp_path / "data", *where, "--card")
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "the journal was purged" in card
    assert "| default |" in card
    again = refused("export", "tales", "--data", tmp_path / "data", *where[:3], tmp_path / "b.jsonl", "--card")
    assert "README.md is there already; --force replaces it" in again
    assert not (tmp_path / "b.jsonl").exists()
    assert "--card" in refused("export", "tales", "--data", data, "--format", "sharegpt", "--output", "-", "--card")
