"""docs/operations.md tells what there is, and what it says of backups holds."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest

from corpusmill.config import Config
from corpusmill.telemetry import events
from corpusmill.telemetry.events import CallAnswered, Event
from corpusmill.telemetry.log import SUPPRESSED, Level, event_name, rationed
from corpusmill.telemetry.metrics.catalogue import CATALOGUE
from tests.deploy.names import ROOT, metrics_in, rules
from tests.e2e.running import command
from tests.jobs.harness import raw_lines, run, spec_of
from tests.web.harness import daemon, spec

PAGE = (ROOT / "docs" / "operations.md").read_text()


MISSING = [program for program in ("sqlite3", "rsync") if shutil.which(program) is None]
needs_copying = pytest.mark.skipif(
    bool(MISSING) and os.environ.get("CI") != "true", reason=f"not installed: {', '.join(MISSING)}"
)

KEY = "an-operators-key-of-the-tests"
ITEMS = 400


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
    told = table("event")
    assert set(told) == emitted | {"progress", SUPPRESSED}


def test_the_page_says_of_each_event_whether_it_is_rationed() -> None:
    """By the shape of the event alone: what the sink does with it."""
    told = table("event")
    for kind in (each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)):
        if not kind.__subclasses__():
            blank = kind(**dict.fromkeys(kind.__struct_fields__, ""))
            assert (rationed(blank) is not None) == ("rationed" in told[event_name(kind)][0]), kind


def settings(struct: type, path: str = "") -> dict[str, object]:
    """Every setting of the configuration with its default, as its place in the file tells it."""
    found: dict[str, object] = {}
    for field in msgspec.structs.fields(struct):
        place = f"{path}{field.name}"
        kind = next((each for each in (field.type, *get_args(field.type)) if is_struct(each)), None)
        if get_origin(field.type) is dict:
            key = "ALIAS" if field.name == "models" else "NAME"
            kind = get_args(field.type)[1]
            place = f"{place}.{key}"
        if kind is not None and is_struct(kind):
            found |= settings(kind, f"{place}.")
        else:
            found[place] = field.default
    return found


def is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def test_every_setting_is_told_with_its_default_and_no_other() -> None:
    told, there = table("setting"), settings(Config)
    assert set(told) == set(there)
    for place, default in there.items():
        if isinstance(default, bool | int) or (isinstance(default, str) and default):
            assert told[place][0] == f"`{str(default).lower() if isinstance(default, bool) else default}`", place


def test_every_route_is_told_with_its_scope_and_no_other(tmp_path: Path) -> None:
    async def described() -> dict[str, Any]:
        async with daemon(tmp_path, environ={"CORPUSMILL_SERVER_KEY": KEY}, key=KEY) as client:
            document: dict[str, Any] = (await client.ask("GET", "/openapi.json")).json
            return document

    paths = asyncio.run(described())["paths"]
    there = {
        f"{method.upper()} {path.removeprefix('/api/v1')}": operation
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method in {"get", "post", "delete", "put", "patch"}
    }
    told = table("route")
    assert set(told) == set(there)
    for route, operation in there.items():
        assert (told[route][0] == "-") == (operation.get("security") == []), route


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


@needs_copying
def test_a_daemon_that_runs_can_be_backed_up_as_the_page_says_and_goes_on_from_the_copy(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def first() -> str:
        job = spec(space={**spec()["space"], "limit": ITEMS})
        async with daemon(data) as client:
            submitted: str = (await client.submit(job))["id"]
            await client.until_kept(submitted, 60)
            await asyncio.to_thread(back_up, tmp_path)
            assert (await client.job(submitted))["state"] == "running"
        return submitted

    async def second(backup: Path, job: str) -> tuple[dict[str, Any], int, list[dict[str, Any]]]:
        async with daemon(backup) as client:
            done = await client.until(job, "finished")
            answered = sum(isinstance(event, CallAnswered) for event in client.events)
            return done, answered, await client.lines(f"/jobs/{job}/records?limit=10000")

    job = asyncio.run(first())
    (backup,) = (tmp_path / "backup").iterdir()
    files = {path.relative_to(backup).parts[2:][:1] for path in (backup / "jobs").rglob("*") if path.is_file()}
    assert files == {("spec.json",), ("journal",)}
    assert command("fsck", job, "--data", backup, folder=tmp_path).returncode == 0
    done, answered, records = asyncio.run(second(backup, job))
    assert sum(done["outcomes"].values()) == done["calls"]["answered"] == ITEMS
    assert answered <= ITEMS - 60, "what was in the copy is not asked again"
    assert len({record["id"] for record in records}) == len(records) == done["records"]


def back_up(folder: Path) -> None:
    """Run the commands of the page in the folder that `data` is in."""
    (commands,) = re.findall(r"```sh\n([^`]*VACUUM INTO[^`]*)```", PAGE)
    subprocess.run(["sh", "-euc", commands], cwd=folder, check=True, capture_output=True)
