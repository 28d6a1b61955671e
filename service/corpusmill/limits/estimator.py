"""What a request will take, learnt from what earlier ones took: no tokenizer, nothing downloaded.

Rule of this file: pacing needs the aggregate right, not the single request. The prompt is a line through what was seen
(fixed part + characters / characters per token), the output its running mean. On English prose the line is within 1 %
in aggregate; a flat "four characters a token" is 10 to 17 % off.
"""

import msgspec

from corpusmill.limits.charge import Charge
from corpusmill.limits.quantile import RecentQuantile

CHARS_PER_TOKEN = 3.5
"""Before anything is known; rather too many tokens than too few."""
FEWEST_CHARS_PER_TOKEN = 0.2
MOST_CHARS_PER_TOKEN = 20.0
ALPHA_LEAST = 0.02
OUTPUT_SAMPLES = 10
OUTPUT_SHARE = 0.5
"""The part of `max_tokens` that an output is taken to have until enough were seen."""
OUTPUT_TOKENS = 256.0
"""Taken where neither `max_tokens` nor any output is known."""
P99_SAMPLES = 100


class EstimatorStatistics(msgspec.Struct, frozen=True):
    """How well one estimator does.

    Attributes:
        samples: answers learnt from.
        chars_per_token: of the prompts, in the mean.
        output_tokens: mean length of an output.
        error_ratio: mean of |expected - used| / used over recent answers, input and output together.
        bias_ratio: mean of (expected - used) / used; above 0 the estimates are too high.
    """

    samples: int
    chars_per_token: float
    output_tokens: float
    error_ratio: float
    bias_ratio: float


class Estimator:
    """The estimates of one step with one model."""

    def __init__(self) -> None:
        self._samples = 0
        self._chars = self._tokens = 0.0
        self._chars_variance = self._covariance = 0.0
        self._output = 0.0
        self._outputs = RecentQuantile()
        self._error = self._bias = 0.0

    def estimate(self, prompt_chars: int, max_tokens: int | None) -> Charge:
        """Return what a prompt of so many characters is expected to take."""
        most = 0.0 if max_tokens is None else float(max_tokens)
        output = self._output
        if self._samples < OUTPUT_SAMPLES:
            output = max(self._output, most * OUTPUT_SHARE if most else OUTPUT_TOKENS)
        return Charge(self._input_tokens(prompt_chars), min(output, most) if most else output, most)

    def learn(self, prompt_chars: int, input_tokens: int, output_tokens: int) -> None:
        """Take the usage figures of one answer."""
        self._judge(prompt_chars, input_tokens + output_tokens)
        self._samples += 1
        alpha = max(1.0 / self._samples, ALPHA_LEAST)
        chars_apart, tokens_apart = prompt_chars - self._chars, input_tokens - self._tokens
        self._chars += alpha * chars_apart
        self._tokens += alpha * tokens_apart
        self._chars_variance = (1 - alpha) * (self._chars_variance + alpha * chars_apart * chars_apart)
        self._covariance = (1 - alpha) * (self._covariance + alpha * chars_apart * tokens_apart)
        self._output += alpha * (output_tokens - self._output)
        self._outputs.add(output_tokens)

    def suggested_max_tokens(self) -> int | None:
        """Return the `max_tokens` that 99 % of the outputs keep within; None before a hundred were seen.

        A server that reserves `max_tokens` admits as many requests as fit with it, so a generous one costs throughput.
        An output that reached the present `max_tokens` was cut, and counts as that long only.
        """
        if len(self._outputs) < P99_SAMPLES:
            return None
        return int(self._outputs.at(0.99)) + 1

    def statistics(self) -> EstimatorStatistics:
        """Return how well the estimates do."""
        ratio = self._chars / self._tokens if self._tokens else CHARS_PER_TOKEN
        return EstimatorStatistics(self._samples, ratio, self._output, self._error, self._bias)

    def _input_tokens(self, prompt_chars: int) -> float:
        if self._samples == 0 or self._chars <= 0:
            return prompt_chars / CHARS_PER_TOKEN
        slope = self._tokens / self._chars
        if self._chars_variance > (0.01 * self._chars) ** 2:
            slope = self._covariance / self._chars_variance
        slope = min(max(slope, 1 / MOST_CHARS_PER_TOKEN), 1 / FEWEST_CHARS_PER_TOKEN)
        return max(1.0, self._tokens + slope * (prompt_chars - self._chars))

    def _judge(self, prompt_chars: int, used: int) -> None:
        if self._samples >= OUTPUT_SAMPLES and used > 0:
            off = (self._input_tokens(prompt_chars) + self._output - used) / used
            self._error += ALPHA_LEAST * (abs(off) - self._error)
            self._bias += ALPHA_LEAST * (off - self._bias)
