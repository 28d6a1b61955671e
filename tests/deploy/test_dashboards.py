"""Dashboards and rules: generated, complete, and about metrics that there are."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpusmill.telemetry.metrics.catalogue import CATALOGUE
from deploy.grafana.build import BOARDS, rendered
from tests.deploy.installed import needs_prometheus
from tests.deploy.names import DASHBOARDS, EXPOSED, PROMETHEUS, RULES, metrics_in, panel_expressions, panels, rules

FULL_NAMES = {metric.full_name for metric in CATALOGUE}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board.uid))
def test_what_is_committed_is_what_the_generator_writes(board: Any) -> None:
    path = next(path for path in DASHBOARDS if path.stem == board.uid)
    assert path.read_text() == rendered(board), "run: python -m deploy.grafana"


def test_there_is_no_dashboard_without_a_generator() -> None:
    assert {path.stem for path in DASHBOARDS} == {board.uid for board in BOARDS}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: str(path.stem))
def test_every_panel_has_a_unit_and_a_description_that_names_its_metric(path: Path) -> None:
    for panel in panels(path):
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        expressions = " ".join(target["expr"] for target in panel["targets"])
        named = [name for name in FULL_NAMES | {"up", "process_", "python_gc"} if name in panel["description"]]
        assert any(name in expressions for name in named), f"{panel['title']} describes none of its metrics"
        assert metrics_in(panel["description"]) <= FULL_NAMES


def test_a_value_that_may_be_negative_is_not_cut_off() -> None:
    cut = {
        panel["title"]
        for path in DASHBOARDS
        for panel in panels(path)
        if "min" in panel["fieldConfig"]["defaults"] and "bias" in json.dumps(panel["targets"])
    }
    assert not cut


def test_a_number_whose_label_is_to_be_read_shows_its_label() -> None:
    (version,) = (panel for path in DASHBOARDS for panel in panels(path) if panel["title"] == "Version")
    assert version["options"]["textMode"] == "name"


def test_a_heatmap_has_the_unit_of_its_buckets_on_its_axis() -> None:
    (heatmap,) = (panel for path in DASHBOARDS for panel in panels(path) if panel["type"] == "heatmap")
    assert heatmap["options"]["yAxis"]["unit"] == "s"
    assert heatmap["options"]["cellValues"]["unit"] == heatmap["fieldConfig"]["defaults"]["unit"] == "cps"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: str(path.stem))
def test_panels_have_ids_of_their_own_and_lie_side_by_side(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken, f"{panel['title']} lies over another panel"
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_expressions_are_about_metrics_that_there_are() -> None:
    for name, expression in panel_expressions():
        assert metrics_in(expression) <= EXPOSED, name
    for rule in rules("alert") + rules("record"):
        assert metrics_in(rule["expr"]) <= EXPOSED, rule


def test_every_metric_is_seen_on_some_dashboard() -> None:
    seen = set().union(*(metrics_in(expression) for _, expression in panel_expressions()))
    unseen = {name for name in FULL_NAMES if not any(each.startswith(name) for each in seen)}
    assert not unseen


def test_recorded_names_that_are_used_are_recorded() -> None:
    recorded = {rule["record"] for rule in rules("record")}
    for rule in rules("alert"):
        used = {word for word in rule["expr"].split() if ":corpusmill_" in word}
        assert used <= recorded


def test_every_alert_says_how_bad_it_is_and_where_it_is_told() -> None:
    for rule in rules("alert"):
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    cases = [
        case
        for path in (PROMETHEUS / "tests").glob("*.yml")
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    for rule in rules("alert"):
        firing = {bool(case.get("exp_alerts")) for case in cases if case["alertname"] == rule["alert"]}
        assert firing == {True, False}, rule["alert"]


@needs_prometheus
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", PROMETHEUS / "prometheus.yml"),
        ("check", "rules", *RULES),
        ("test", "rules", *sorted((PROMETHEUS / "tests").glob("*.yml"))),
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:2])),
)
def test_promtool_is_content(arguments: tuple[str | Path, ...]) -> None:
    promtool = shutil.which("promtool") or "promtool"
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
