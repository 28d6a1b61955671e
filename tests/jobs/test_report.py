import hashlib
import json
import math
import shutil
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from corpusmill.bootstrap.assembly import Assembly
from corpusmill.bootstrap.report import report_of
from corpusmill.jobs.folder import UnknownJobError, claimed, read_spec
from corpusmill.jobs.report import Report, as_object
from corpusmill.jobs.snapshot import take_snapshot
from corpusmill.journal.errors import CorruptionError
from corpusmill.journal.files import Disk
from corpusmill.simulate import SimulateOptions
from corpusmill.spec.schema import Shards
from tests.jobs.harness import raw_lines, run, spec_of


def text_of(line: dict[str, Any]) -> str:
    if "completion" in line:
        return str(line["completion"]).strip()
    return "\n".join(message["content"] for message in line["messages"] if message["role"] == "assistant").strip()


def name_of(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file with its time and content."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("job", ["tales", "packed"])
def test_outcomes_and_coverage_are_those_of_the_raw_lines(data: Path, job: str) -> None:
    report = report_of(data, job)
    corpus, rejects = raw_lines(data, job, "corpus"), raw_lines(data, job, "rejects")
    kept = {line["index"]: line["values"] for line in corpus}
    lost = {line["index"]: line["values"] for line in rejects}
    reasons = Counter(line["reason"] for line in rejects)
    outcomes = report.summary.outcomes
    assert reasons["duplicate"] > 0
    assert len(reasons) >= 3
    assert (outcomes.kept, outcomes.rejected + outcomes.duplicate + outcomes.failed) == (len(kept), len(lost))
    assert report.summary.records == len(corpus) == 2 * len(kept)
    assert outcomes.total == report.summary.items == 120
    assert {name: each.items for name, each in report.reasons.items()} == {
        name: count for name, count in reasons.items() if name != "duplicate"
    }
    assert report.duplicates.items == reasons["duplicate"]
    for axis, values in report.coverage.items():
        for name, value in values.items():
            of_value = [index for index, seen in kept.items() if name_of(seen[axis]) == name]
            lost_of_value = [index for index, seen in lost.items() if name_of(seen[axis]) == name]
            assert (value.kept, value.decided) == (len(of_value), len(of_value) + len(lost_of_value))
            assert value.acceptance == pytest.approx(value.kept / value.decided, abs=1e-6)
            assert value.share == pytest.approx(len(of_value) / len(kept), abs=1e-6)
    assert report.coverage["tone"]["hopeful"].expected == 0.75
    assert report.coverage["tone"]["grim"].decided == 30
    assert set(report.coverage["scene"]) > {"1", "2.0", "true", "four"}


def test_lengths_openings_and_duplicates_are_those_of_the_raw_lines(data: Path) -> None:
    report = report_of(data, "tales")
    texts: dict[str, list[str]] = defaultdict(list)
    for line in raw_lines(data, "tales", "corpus"):
        texts[line["example"]].append(text_of(line))
    assert set(report.lengths) == set(report.openings) == {"outline", "chat"}
    for example, of_example in texts.items():
        chars = sorted(map(len, of_example))
        words = sorted(len(text.split()) for text in of_example)
        for found, lengths in ((report.lengths[example].chars, chars), (report.lengths[example].words, words)):
            assert (found.min, found.max) == (lengths[0], lengths[-1])
            assert found.median == lengths[math.ceil(len(lengths) / 2) - 1]
            assert found.p95 == lengths[math.ceil(len(lengths) * 95 / 100) - 1]
        openings = Counter(" ".join(text.split()[:5]) for text in of_example)
        for opening in report.openings[example]:
            assert opening.records == openings[opening.words]
            assert opening.share == pytest.approx(opening.records / len(of_example), abs=1e-6)
        assert report.openings[example][0].records == max(openings.values())
    repeated = Counter(line["detail"] for line in raw_lines(data, "tales", "rejects") if line["reason"] == "duplicate")
    assert {each.id: each.items for each in report.duplicates.most_repeated} == dict(repeated.most_common(10))


def test_sizes_are_those_of_the_folders(data: Path) -> None:
    disk = report_of(data, "tales").disk
    folder = data / "jobs" / "tales"
    for place, size in (("journal", disk.journal), ("corpus", disk.corpus), ("rejects", disk.rejects)):
        assert size == sum(path.stat().st_size for path in (folder / place).iterdir()) > 0


def recovered(report: Report) -> tuple[object, ...]:
    """What must not change when a job is recovered: all but its state and the sizes of its files."""
    figures = msgspec.structs.replace(report.summary, state="", items=None)
    return figures, report.coverage, report.lengths, report.openings, report.duplicates, report.reasons


def test_the_unsealed_tail_is_reported_as_recovery_will_find_it(data: Path, tmp_path: Path) -> None:
    spec = read_spec(data, "broken-off")
    before = report_of(data, "broken-off")
    sealed = sum(shard.records for shard in take_snapshot(data, "broken-off").sealed("corpus"))
    assert len(list((data / "jobs" / "broken-off" / "journal").iterdir())) == 2
    assert before.summary.state == "interrupted"
    assert 0 < sealed < before.summary.records
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    store = Assembly(spec, tmp_path / "jobs" / "broken-off", Disk(), lambda: "2026-01-01T00:00:00Z").store
    store.finish("finished")
    store.close()
    after = report_of(tmp_path, "broken-off")
    assert after.summary.state == "finished"
    assert recovered(after) == recovered(before)


def test_a_report_changes_nothing_and_a_running_job_keeps_its_lock(data: Path) -> None:
    before = tree(data)
    report_of(data, "broken-off")
    assert tree(data) == before
    with claimed(Disk(), data, "tales", read_spec(data, "tales")):
        assert report_of(data, "tales").summary.state == "running"
        assert report_of(data, "tales").summary.state == "running"
    assert report_of(data, "tales").summary.state == "finished"


def test_a_finished_job_that_was_extended_and_broken_off_is_not_finished(tmp_path: Path) -> None:
    spec = spec_of(shards=Shards(records=1000))
    run(replace(spec, space=replace(spec.space, limit=20)), tmp_path)
    assert report_of(tmp_path, "tales").summary.state == "finished"
    run(spec, tmp_path, stop_after=10)
    assert report_of(tmp_path, "tales").summary.state == "interrupted"
    assert take_snapshot(tmp_path, "tales").commits[-1].job_state == "finished"


def test_a_job_without_anything_kept_or_decided_is_reported(tmp_path: Path) -> None:
    with claimed(Disk(), tmp_path, "tales", spec_of()):
        report = report_of(tmp_path, "tales")
    assert (report.summary.state, report.summary.items, report.summary.outcomes.total) == ("running", 120, 0)
    assert report.coverage["genre"]["horror: of fear"].acceptance is None
    run(spec_of(name="refused"), tmp_path, options=SimulateOptions(faults={"refusal": 1.0}))
    refused = report_of(tmp_path, "refused")
    assert (refused.summary.outcomes.kept, refused.summary.outcomes.rejected) == (0, 120)
    assert refused.coverage["genre"]["horror: of fear"].share is None
    assert refused.lengths == {}


@pytest.mark.parametrize("place", ["corpus", "rejects"])
def test_a_damaged_shard_is_told(data: Path, tmp_path: Path, place: str) -> None:
    shutil.copytree(data, tmp_path, dirs_exist_ok=True)
    shard = tmp_path / "jobs" / "tales" / place / "00001.jsonl"
    shard.write_bytes(shard.read_bytes().replace(b"romance", b"Romance", 1))
    with pytest.raises(CorruptionError, match=rf"{place}/00001.jsonl is damaged"):
        report_of(tmp_path, "tales")


def test_an_unknown_job_names_those_that_are_there(data: Path) -> None:
    with pytest.raises(UnknownJobError, match=r"no job 'tale' in .*; there are: broken-off, packed, tales$"):
        report_of(data, "tale")


def test_the_object_has_the_summary_first_and_no_seconds(data: Path) -> None:
    document = as_object(report_of(data, "tales"))
    summary = msgspec.to_builtins(report_of(data, "tales").summary)
    assert list(document)[: len(summary)] == list(summary)
    assert document["seconds"] is None
    assert list(document)[len(summary) :] == [
        "coverage",
        "pairs",
        "lengths",
        "openings",
        "variety",
        "duplicates",
        "reasons",
        "sample",
        "disk",
        "documents",
        "estimates",
    ]
