"""What a dashboard consists of, as plain values.

Rules of this file: no panel without a unit and a description. A description names the metric and says what to do.
"""

from typing import Literal

import msgspec

Kind = Literal["stat", "name", "timeseries", "stacked", "heatmap"]
"""`name` is a number whose label is what is to be read; `stacked` has many series, told in a table."""


class Query(msgspec.Struct, frozen=True):
    """One PromQL expression and how its series are called."""

    expr: str
    legend: str = ""


class Panel(msgspec.Struct, frozen=True):
    """One panel.

    Attributes:
        unit: by Grafana's name for it.
        width: of the row's 24 columns.
        negative: values may be below 0.
        logarithmic: series lie orders of magnitude apart, as what is in use and its limit; 0 is shown all the same.
    """

    title: str
    unit: str
    description: str
    queries: tuple[Query, ...]
    kind: Kind = "timeseries"
    width: int = 8
    negative: bool = False
    logarithmic: bool = False


class Row(msgspec.Struct, frozen=True):
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


class Variable(msgspec.Struct, frozen=True):
    """A choice at the top: the values that a label has on a metric."""

    name: str
    metric: str
    description: str


class Board(msgspec.Struct, frozen=True):
    """One dashboard."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]


JOB = Variable("job", "corpusmill_build_info", "The scrape job, as Prometheus calls it.")
INSTANCE = Variable("instance", "corpusmill_build_info", "The processes.")
JOB_ID = Variable("job_id", "corpusmill_job_progress_ratio", "The active corpus jobs.")
ENDPOINT = Variable("endpoint", "corpusmill_llm_requests_total", "The operator's endpoints.")
MODEL = Variable("model", "corpusmill_llm_requests_total", "The operator's models.")


def metric(name: str, *matchers: str, window: str = "") -> str:
    """Return a selector of one of our metrics in the chosen processes.

    Args:
        name: without the prefix.
        matchers: further ones.
        window: of a range vector.
    """
    chosen = ", ".join(('job=~"$job"', 'instance=~"$instance"', *matchers))
    return f"corpusmill_{name}{{{chosen}}}" + (f"[{window}]" if window else "")


CALLS = ('endpoint=~"$endpoint"', 'model=~"$model"')
"""Matchers of metrics about calls."""


def rate(name: str, *matchers: str, by: str = "") -> str:
    """Return the rate per second of a counter, summed."""
    return f"{_sum(by)}(rate({metric(name, *matchers, window='$__rate_interval')}))"


def increase(name: str, *matchers: str, by: str = "") -> str:
    """Return how much a counter grew in the time shown, summed."""
    return f"{_sum(by)}(increase({metric(name, *matchers, window='$__range')}))"


def quantile(share: float, name: str, *matchers: str, by: str = "") -> str:
    """Return a quantile of a histogram."""
    buckets = rate(f"{name}_bucket", *matchers, by=f"le, {by}" if by else "le")
    return f"histogram_quantile({share}, {buckets})"


def ratio(part: str, whole: str) -> str:
    """Return a share; nothing where there is no whole."""
    return f"{part} / ({whole} > 0)"


def _sum(by: str) -> str:
    return f"sum by ({by})" if by else "sum"
