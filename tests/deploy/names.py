"""What dashboards and rules consist of, read from the files that are shipped."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from corpusmill.telemetry.metrics.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))

EXPOSED = {
    metric.full_name + suffix
    for metric in CATALOGUE
    for suffix in (("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",))
}
"""Names of all series that a scrape of ours has."""


def panels(path: Path) -> Iterator[dict[str, Any]]:
    """The panels of a dashboard, rows left out."""
    yield from (panel for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row")


def panel_expressions() -> list[tuple[str, str]]:
    """Every expression of every panel, with the names of dashboard and panel."""
    return [
        (f"{path.stem}: {panel['title']}", target["expr"])
        for path in DASHBOARDS
        for panel in panels(path)
        for target in panel["targets"]
    ]


def rules(kind: str) -> list[dict[str, Any]]:
    """All rules that are alerts (`alert`) or recordings (`record`)."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def metrics_in(text: str) -> set[str]:
    """Every name of ours in a text that is not a recorded one."""
    return set(re.findall(r"(?<![\w:])corpusmill_\w+", text))
