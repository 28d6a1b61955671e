"""Every expression of every panel, rule and alert, asked of a real Prometheus that scrapes a real job."""

import math
import urllib.error
from collections.abc import Iterator

import pytest

from tests.deploy.installed import needs_prometheus
from tests.deploy.names import panel_expressions, rules
from tests.deploy.prometheus import Prometheus
from tests.deploy.watched import watched_job

pytestmark = needs_prometheus


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with watched_job(tmp_path_factory.mktemp("watched")) as running:
        running.wait_for("count_over_time(corpusmill_build_info[1m]) >= 8")
        running.wait_for('corpusmill_shards_sealed_total{folder="corpus"} > 0 and ON() corpusmill_job_eta_seconds')
        yield running


def test_every_panel_shows_something(prometheus: Prometheus) -> None:
    expressions = panel_expressions()
    assert len(expressions) > 50
    empty = [
        (name, expression)
        for name, expression in expressions
        if not any(math.isfinite(value) for value in prometheus.values(expression))
    ]
    assert not empty


def test_every_alert_and_rule_is_evaluated_without_an_error(prometheus: Prometheus) -> None:
    groups = prometheus.ask("rules")["groups"]
    told = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"] for rule in told} == {
        *(rule["alert"] for rule in rules("alert")),
        *(rule["record"] for rule in rules("record")),
    }
    assert [rule for rule in told if rule.get("lastError")] == []
    for rule in rules("alert") + rules("record"):
        prometheus.ask("query", query=rule["expr"])


def test_no_alert_fires_while_all_is_well(prometheus: Prometheus) -> None:
    assert [alert for alert in prometheus.ask("alerts")["alerts"] if alert["state"] == "firing"] == []


def test_an_expression_that_is_wrong_would_be_found(prometheus: Prometheus) -> None:
    with pytest.raises(urllib.error.HTTPError):
        prometheus.values("sum(rate(corpusmill_llm_requests_total))")
    assert prometheus.values("corpusmill_no_such_metric_total") == []


def test_each_variable_of_the_dashboards_has_values(prometheus: Prometheus) -> None:
    for label in ("job", "instance", "job_id", "endpoint", "model"):
        assert prometheus.ask(f"label/{label}/values"), label
