"""docs/operations.md tells what there is, and what it says of backups holds."""

import json
import re
import shutil
from pathlib import Path
from typing import get_args

from corpusmill.telemetry import events
from corpusmill.telemetry.events import Event
from corpusmill.telemetry.log import Level, event_name
from corpusmill.telemetry.metrics.catalogue import CATALOGUE
from tests.deploy.names import ROOT, metrics_in, rules
from tests.jobs.harness import raw_lines, run, spec_of

PAGE = (ROOT / "docs" / "operations.md").read_text()


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table whose first column has this heading, by their first cell."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines[2 : lines.index("")]]
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


def test_every_metric_is_told_as_it_is_and_no_other() -> None:
    told = table("metric")
    assert set(told) == {metric.full_name for metric in CATALOGUE}
    for metric in CATALOGUE:
        kind, labels, meaning = told[metric.full_name]
        assert (kind, re.findall(r"`(\w+)`", labels), meaning) == (metric.kind, list(metric.labels), metric.help)


def test_metrics_that_the_text_names_are_there() -> None:
    assert metrics_in(PAGE) <= {metric.full_name for metric in CATALOGUE}


def test_every_alert_has_its_section_and_no_other() -> None:
    alerts = PAGE[PAGE.index("## Alerts") : PAGE.index("## Logs")]
    assert re.findall(r"^### (\w+)$", alerts, re.MULTILINE) == [rule["alert"] for rule in rules("alert")]


def test_every_event_is_told_and_no_other() -> None:
    kinds = [each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)]
    emitted = {event_name(kind) for kind in kinds if not kind.__subclasses__()}
    assert set(table("event")) == emitted | {"progress"}


def test_levels_are_told() -> None:
    for level in get_args(Level):
        assert f"`{level}`" in PAGE


def test_a_job_is_restored_from_its_spec_and_journal_without_a_call(tmp_path: Path) -> None:
    before = run(spec_of(), tmp_path / "data")
    job = tmp_path / "data" / "jobs" / "tales"
    restored = tmp_path / "restored" / "jobs" / "tales"
    restored.mkdir(parents=True)
    shutil.copy(job / "spec.json", restored)
    shutil.copytree(job / "journal", restored / "journal")
    after = run(spec_of(), tmp_path / "restored")
    assert after.calls == before.calls
    assert after.outcomes == before.outcomes
    for place in ("corpus", "rejects"):
        lines = [json.dumps(line) for line in raw_lines(tmp_path / "data", "tales", place)]
        assert [json.dumps(line) for line in raw_lines(tmp_path / "restored", "tales", place)] == lines
