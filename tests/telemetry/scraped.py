"""What a scraper reads."""

from collections.abc import Iterable

from prometheus_client.core import Metric as Family
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Gathered(Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def text_of(families: Iterable[Family]) -> str:
    return generate_latest(Gathered(families)).decode()


def series_in(text: str) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float | None:
    return series.get((f"corpusmill_{name}", frozenset(labels.items())))
