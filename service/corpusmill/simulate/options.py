"""What a simulated endpoint can be told.

Rule of this file: an options value that exists is valid; everything is checked when it is made.
"""

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from corpusmill.simulate.faults import problem_of_rates

Accounting = Literal["reserve", "settle"]


class OptionError(ValueError):
    """An option has a value that makes no sense; the message names it, in one line.

    Attributes:
        option: the name of the field of `SimulateOptions`.
        problem: what is wrong with it.
    """

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option = option
        self.problem = problem


class SimulateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the endpoint behaves; the defaults are an endpoint without limits, faults and latency.

    Attributes:
        models: the names it answers to, beside those whose price is known.
        api_key: the only key it accepts; None accepts all comers. Never part of `repr`.
        seed: decides every text, fault and latency.
        text_chars: the mean length of plots, in characters; other texts are shorter in proportion.
        invented_share: of what is listed of a clinical note, the share that the note does not name.
        missed_share: of what a note names, the share that a list of it leaves out.
        sloppy_share: of lists of what a note names, the share that has numbers and an introduction, not bullets.
        reworded_share: of the true items of such lists, the share that is told in other words than the note's.
        tuned_share: of these four shares, what a tuned model still has.
        judge_bias_share: of the verdicts on two answers, the share that falls on what stands first, whatever it says.
        requests_per_minute, tokens_per_minute: None means no limit of that kind.
        accounting: `reserve` charges what a request may use; `settle` gives back, once it is answered, what it did not.
        default_max_tokens: what a chat request without `max_tokens` reserves for its answer; it is not cut there.
        burst_seconds: how many seconds' worth of requests can be saved up: 60 as OpenAI's, 1 or 10 as Azure's.
        used_up: begin with nothing saved up, as after a restart of the client.
        rate_limit_headers: tell `x-ratelimit-*`; without it a 429 still tells Retry-After.
        prompt_cache: report the first 1,024 tokens of a prompt as cached when they came before.
        latency_seconds: mean time to an answer.
        latency_spread: sigma of the lognormal distribution of that time; 0 means always the mean.
        batch_sequences: answers take their time, after the latency, from a batch server that decodes so many at once
            and tells its load at /metrics as vLLM does; None: answers do not hold each other up.
        tuning_seconds: how long a fine-tuning job takes.
        hang_seconds: how long a `hang` holds the connection at most.
        faults: fault name -> share of requests.
    """

    models: tuple[str, ...] = ("simulated",)
    api_key: str | None = None
    seed: int = 0
    text_chars: int = 2_500
    invented_share: float = 0.1
    missed_share: float = 0.0
    sloppy_share: float = 0.0
    reworded_share: float = 0.02
    tuned_share: float = 0.2
    judge_bias_share: float = 0.0
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    accounting: Accounting = "settle"
    default_max_tokens: int = 1_024
    burst_seconds: float = 60.0
    used_up: bool = False
    rate_limit_headers: bool = True
    prompt_cache: bool = False
    latency_seconds: float = 0.0
    latency_spread: float = 0.0
    batch_sequences: int | None = None
    tuning_seconds: float = 3.0
    hang_seconds: float = 600.0
    faults: Mapping[str, float] = {}

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            OptionError: the first field that makes no sense.
        """
        if not self.models or not all(name.strip() for name in self.models):
            raise OptionError("models", "needs at least one name, and no empty one")
        if self.api_key == "":
            raise OptionError("api_key", "must not be empty; leave it out to accept every key")
        if self.accounting not in ("reserve", "settle"):
            raise OptionError("accounting", f"must be reserve or settle, was {self.accounting!r}")
        for option, low, high in _BOUNDS:
            _check(option, getattr(self, option), low, high)
        if problem := problem_of_rates(self.faults):
            raise OptionError("faults", problem)

    def __repr__(self) -> str:
        """All fields but the key."""
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name != "api_key")
        return f"SimulateOptions({', '.join(shown)})"


_BOUNDS = (
    ("text_chars", 100, 200_000),
    ("invented_share", 0.0, 0.5),
    ("missed_share", 0.0, 0.9),
    ("sloppy_share", 0.0, 1.0),
    ("reworded_share", 0.0, 1.0),
    ("tuned_share", 0.0, 1.0),
    ("judge_bias_share", 0.0, 1.0),
    ("requests_per_minute", 1, 1_000_000_000),
    ("tokens_per_minute", 1, 1_000_000_000_000),
    ("default_max_tokens", 1, 1_000_000),
    ("burst_seconds", 0.01, 60.0),
    ("latency_seconds", 0.0, 3_600.0),
    ("latency_spread", 0.0, 3.0),
    ("batch_sequences", 1, 100_000),
    ("tuning_seconds", 0.0, 86_400.0),
    ("hang_seconds", 0.0, 86_400.0),
)
"""Option, smallest and largest value."""


def _check(option: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not (math.isfinite(value) and low <= value <= high):
        raise OptionError(option, f"must lie between {low:,} and {high:,}, was {value:g}")
