"""Jobs over documents: each text is what it was when the job was begun, or its item fails and says so."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from corpusmill.bootstrap.job import Running
from corpusmill.bootstrap.report import report_of
from corpusmill.bootstrap.run import run_job
from corpusmill.bootstrap.target import Target, Upstream
from corpusmill.config import Config, EndpointConfig
from corpusmill.jobs.folder import JobFolderError, read_spec
from corpusmill.jobs.summary import Summary
from corpusmill.simulate import SimulateOptions, serving
from corpusmill.space.documents.places import Base
from corpusmill.spec.checks import check_spec
from corpusmill.spec.errors import SpecError
from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import JobSpec
from corpusmill.telemetry.events import CallAnswered, DocumentsIndexed, DocumentSkipped, Event
from tests.jobs.harness import raw_lines

SPEC = """
name: notes
space:
  axes:
    task: [diagnosis, medication]
  documents:
    note: {files: "notes/*.txt", truncate: {chars: 20, marker: " [CUT]"}}
steps:
  - name: answer
    prompt: "{{ nonce }} {{ note }} List each {{ task }}."
examples:
  - {name: row, prompt: "{{ note.full }} LIST:", completion: " {{ answer }}"}
split: {validation: 0.4, by: note}
limits: {concurrency: 1}
"""

JSONL = 'jsonl: "notes.jsonl", chunk: {chars: 30}'


def spec_of(old: str = "", new: str = "") -> JobSpec:
    assert old in SPEC
    spec = parse_spec(SPEC.replace(old, new).encode(), "yaml")
    check_spec(spec)
    return spec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty notes, and three files that are none."""
    (tmp_path / "notes").mkdir()
    for number in range(20):
        (tmp_path / "notes" / f"{number:02}.txt").write_text(text(number))
    (tmp_path / "notes" / "latin.txt").write_bytes("Fräulein".encode("latin-1"))
    (tmp_path / "notes" / "void.txt").touch()
    (tmp_path / "notes" / "gone.txt").symlink_to("nowhere.txt")
    return tmp_path


def text(number: int) -> str:
    return f"Note {number:02}: the patient was seen by day, and by night."


def run(
    spec: JobSpec, folder: Path, *, base: Path | None = None, at: dict[int, Callable[[Running], Any]] | None = None
) -> tuple[Summary, list[Event]]:
    """Run a job; after so many answers, something happens."""
    return asyncio.run(_run(spec, folder, base or folder, at or {}))


async def _run(
    spec: JobSpec, folder: Path, base: Path, at: dict[int, Callable[[Running], Any]]
) -> tuple[Summary, list[Event]]:
    events: list[Event] = []
    running: list[Running] = []

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, CallAnswered):
            happens = at.get(sum(isinstance(each, CallAnswered) for each in events))
            if happens is not None:
                happens(running[0])

    @asynccontextmanager
    async def watch(started: Running) -> AsyncIterator[None]:
        running.append(started)
        yield

    async with serving(SimulateOptions(seed=3)) as base_url:
        upstream = Upstream(Config(), Target("default", EndpointConfig(base_url=base_url)))
        roots = Base({"": base})
        summary = await run_job(spec, folder / "data", upstream, environ={}, emit=emit, watch=watch, base=roots)
    return summary, events


def corpus(folder: Path) -> list[dict[str, Any]]:
    return raw_lines(folder / "data", "notes", "corpus")


def test_every_document_comes_with_every_value_and_the_rows_have_its_whole_text(folder: Path) -> None:
    summary, events = run(spec_of(), folder)
    lines = corpus(folder)
    assert (summary.state, summary.outcomes.kept) == ("finished", 40)
    names = [f"notes/{number:02}.txt" for number in range(20)]
    pairs = sorted((line["values"]["note"], line["values"]["task"]) for line in lines)
    assert pairs == [(name, task) for name in names for task in ("diagnosis", "medication")]
    assert {line["prompt"] for line in lines} == {f"{text(number)} LIST:" for number in range(20)}
    assert next(event for event in events if isinstance(event, DocumentsIndexed)).skipped == {
        "empty": 1, "encoding": 1, "vanished": 1
    }  # fmt: skip
    skipped = [(event.name, event.reason) for event in events if isinstance(event, DocumentSkipped)]
    assert skipped == [
        ("notes/gone.txt", "vanished"), ("notes/latin.txt", "encoding"), ("notes/void.txt", "empty")
    ]  # fmt: skip
    listed = folder / "data" / "jobs" / "notes" / "documents" / "note.skipped.jsonl"
    assert [json.loads(line)["name"] for line in listed.read_text().splitlines()] == [name for name, _ in skipped]


def test_a_source_never_lies_on_both_sides_of_a_split(folder: Path) -> None:
    rows = [{"text": " ".join(text(number) for _ in range(5))} for number in range(30)]
    (folder / "notes.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run(spec_of('files: "notes/*.txt", truncate: {chars: 20, marker: " [CUT]"}', JSONL), folder)
    sides: dict[str, set[str]] = {}
    for line in corpus(folder):
        sides.setdefault(line["values"]["note"].partition("#")[0], set()).add(line["split"])
    assert Counter(map(len, sides.values())) == {1: 30}
    assert {side for each in sides.values() for side in each} == {"train", "validation"}
    assert len({line["values"]["note"] for line in corpus(folder)}) > 60


def test_documents_that_change_or_vanish_mid_job_fail_by_name_and_the_job_goes_on(folder: Path) -> None:
    def spoil(_: Running) -> None:
        (folder / "notes" / "03.txt").unlink()
        (folder / "notes" / "04.txt").write_text("Another note.")
        (folder / "notes" / "05.txt").write_bytes(b"\xff")

    order = "space:\n  order: sequential"
    summary, _ = run(spec_of("space:", order), folder, at={2: spoil})
    assert (summary.state, summary.outcomes.kept, summary.failed_by) == ("finished", 34, {"document": 6})
    details = sorted({line["detail"] for line in raw_lines(folder / "data", "notes", "rejects")})
    assert [detail.split(": ")[:2] for detail in details] == [
        ["note notes/03.txt", "vanished"], ["note notes/04.txt", "changed"], ["note notes/05.txt", "changed"]
    ]  # fmt: skip


def test_a_job_goes_on_with_the_documents_it_was_begun_with(folder: Path) -> None:
    spec = spec_of()
    first, _ = run(spec, folder, at={10: lambda running: running.drain("enough")})
    assert first.state == "interrupted"
    done = {line["id"] for line in report_lines(folder)}
    (folder / "notes" / "00a.txt").write_text("A note that came later.")
    (folder / "notes" / "void.txt").write_text("No longer void.")
    before = report_of(folder / "data", "notes")
    assert before.documents["note"].documents == 20
    second, events = run(spec, folder)
    assert not [event for event in events if isinstance(event, DocumentsIndexed)]
    assert (second.state, second.outcomes.kept) == ("finished", 40)
    assert second.calls.sent == 40
    assert done <= {line["id"] for line in corpus(folder)}
    assert len({line["values"]["note"] for line in corpus(folder)}) == 20


def report_lines(folder: Path) -> list[dict[str, Any]]:
    """The lines of open shards; they are whole after a run has ended."""
    paths = (folder / "data" / "jobs" / "notes" / "corpus").glob("*.part")
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_kept_items_that_are_not_sealed_fail_where_their_document_is_gone_at_the_next_run(folder: Path) -> None:
    spec = spec_of()
    run(spec, folder, at={10: lambda running: running.drain("enough")})
    lost = report_lines(folder)[3]["values"]["note"]
    (folder / lost).write_text("Another note.")
    seen = report_of(folder / "data", "notes").summary
    assert seen.failed_by["document"] >= 1
    summary, _ = run(spec, folder)
    assert (summary.state, summary.failed_by) == ("finished", {"document": 2})
    assert summary.outcomes.kept + summary.outcomes.failed == 40
    assert summary.records == len(corpus(folder)) == 38
    assert lost not in {line["values"]["note"] for line in corpus(folder)}
    rejects = raw_lines(folder / "data", "notes", "rejects")
    assert {line["reason"] for line in rejects} == {"document"}
    assert report_of(folder / "data", "notes").summary.failed_by == {"document": 2}


def test_a_lost_index_is_made_again_only_if_it_is_the_same(folder: Path) -> None:
    spec = spec_of()
    run(spec, folder, at={5: lambda running: running.drain("enough")})
    index = folder / "data" / "jobs" / "notes" / "documents" / "note.index"
    content = index.read_bytes()
    index.unlink()
    run(spec, folder, at={5: lambda running: running.drain("enough")})
    assert index.read_bytes() == content
    index.unlink()
    (folder / "notes" / "99.txt").write_text("One more.")
    with pytest.raises(JobFolderError, match="the documents are not those that the job was begun with"):
        run(spec, folder)
    index.write_bytes(content[:100] + b"x" + content[101:])
    with pytest.raises(JobFolderError, match="it is not what was written"):
        run(spec, folder)
    index.write_bytes(content)
    assert run(spec, folder)[0].outcomes.kept == 40


def test_another_source_is_another_job(folder: Path) -> None:
    run(spec_of(), folder, at={5: lambda running: running.drain("enough")})
    with pytest.raises(JobFolderError, match=r"space\.documents\.note\.truncate\.chars changed"):
        run(spec_of("chars: 20", "chars: 21"), folder)
    assert read_spec(folder / "data", "notes").space.documents["note"].digest is not None


def test_a_job_may_move_with_its_documents(folder: Path) -> None:
    spec = spec_of()
    run(spec, folder, at={5: lambda running: running.drain("enough")})
    moved = folder / "moved"
    moved.mkdir()
    (folder / "notes").rename(moved / "notes")
    assert run(spec, folder, base=moved)[0].outcomes.kept == 40


def test_nothing_is_left_of_a_job_without_documents(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"space\.documents\.note\.files: no document"):
        run(spec_of("notes/*.txt", "nothing/*.txt"), folder)
    assert not list((folder / "data" / "jobs").iterdir())


def test_where_chooses_by_what_is_known_of_documents(folder: Path) -> None:
    where = "space:\n  where: \"note.name >= 'notes/10.txt' and '15' not in note\""
    summary, _ = run(spec_of("space:", where), folder)
    assert summary.outcomes.kept == 18
    assert report_of(folder / "data", "notes").coverage["note"]["notes/15.txt"].decided == 0
