"""The same calls under OpenTelemetry's names for generative AI, for dashboards that are made for those.

Rules of this file: it is a switch, off unless asked for; our own names stay the contract. Two generations of names:
those of the semantic conventions 1.41, which what is in use today emits, and those that replaced them in 2026 in the
repository semantic-conventions-genai. Attributes become labels with `_` for `.`; buckets are the conventions' own.
"""

from collections.abc import Iterator
from itertools import accumulate
from typing import Literal

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.utils import floatToGoString

from corpusmill.telemetry.events import CallAnswered, CallFailed
from corpusmill.telemetry.metrics.histogram import Histogram

SECONDS = tuple(0.01 * 2**power for power in range(14))
TOKENS = tuple(float(4**power) for power in range(14))
OPERATIONS = {"chat": "chat", "completions": "text_completion"}
LABELS = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")

ROWS_MOST = 1000
"""Combinations of operation, endpoint, model and error that are told apart; others are not told here."""

Key = tuple[str, str, str]


class GenAi:
    """Counts calls under OpenTelemetry's names.

    Args:
        names: which generation.
    """

    def __init__(self, names: Literal["v1.41", "latest"]) -> None:
        self._names = names
        self._seconds: dict[tuple[Key, str], Histogram] = {}
        self._tokens: dict[tuple[Key, str], Histogram] = {}
        self._totals: dict[Key, list[int]] = {}

    def take(self, event: CallAnswered | CallFailed) -> None:
        """Take a call that came back."""
        key = (OPERATIONS.get(event.api, event.api), event.endpoint, event.upstream)
        if isinstance(event, CallAnswered):
            error = ""
            usage = (event.input_tokens, event.cached_input_tokens, event.output_tokens, event.reasoning_tokens)
        else:
            error, usage = event.kind, event.billed or (0, 0, 0, 0)
        if len(self._seconds) >= ROWS_MOST and (key, error) not in self._seconds:
            return
        self._seconds.setdefault((key, error), Histogram(SECONDS)).observe(event.seconds)
        totals = self._totals.setdefault(key, [0, 0, 0, 0])
        for place, count in enumerate(usage):
            totals[place] += count
        if any(usage):
            self._tokens.setdefault((key, "input"), Histogram(TOKENS)).observe(usage[0])
            self._tokens.setdefault((key, "output"), Histogram(TOKENS)).observe(usage[2])

    def families(self) -> Iterator[Family]:
        """Give what was counted."""
        if self._names == "v1.41":
            yield _histogram(
                "gen_ai_client_operation_duration_seconds",
                "Seconds that a call took, answered or failed.",
                "error_type",
                self._seconds,
            )
            yield _histogram(
                "gen_ai_client_token_usage", "Tokens of a call, by direction.", "gen_ai_token_type", self._tokens
            )
            return
        yield _histogram(
            "gen_ai_client_inference_duration_seconds",
            "Seconds that a call took, answered or failed.",
            "error_type",
            self._seconds,
        )
        for place, name in enumerate(
            ("input_tokens", "cache_read_input_tokens", "output_tokens", "reasoning_output_tokens")
        ):
            yield self._counter(f"gen_ai_client_inference_usage_{name}_total", place)
        for direction in ("input", "output"):
            rows = {(key, ""): histogram for (key, way), histogram in self._tokens.items() if way == direction}
            name, text = (
                f"gen_ai_client_inference_operation_{direction}_tokens",
                f"{direction.title()} tokens of a call.",
            )
            yield _histogram(name, text, None, rows)

    def _counter(self, name: str, place: int) -> Family:
        """Tell a sum of tokens; text and other kinds are not told apart by the API, so the modality is unknown."""
        family = CounterMetricFamily(name, "Tokens of all calls.", labels=(*LABELS, "gen_ai_token_modality"))
        for key, totals in self._totals.items():
            family.add_metric((*key, "unknown"), totals[place])
        return family


def _histogram(name: str, text: str, label: str | None, rows: dict[tuple[Key, str], Histogram]) -> Family:
    """Tell histograms; without a label more than the calls have, the second part of their keys is not told."""
    family = HistogramMetricFamily(name, text, labels=LABELS if label is None else (*LABELS, label))
    for (key, value), histogram in rows.items():
        bounds = [*map(floatToGoString, histogram.bounds), "+Inf"]
        counts = list(zip(bounds, accumulate(histogram.counts), strict=True))
        family.add_metric(key if label is None else (*key, value), counts, histogram.total)
    return family
