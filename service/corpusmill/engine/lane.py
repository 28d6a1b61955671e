"""One step's calls: what they may cost, and what is learnt from those that were answered.

Rule of this file: no tasks and no clock; every cost is an integer, and None where nobody knows it.
"""

import msgspec

from corpusmill.chain.completion import Completion, Prompt, Usage
from corpusmill.chain.step import CompiledStep, max_tokens
from corpusmill.chain.structured import RESPONSE_FORMAT
from corpusmill.endpoint.client import Answer
from corpusmill.endpoint.failures import Failure
from corpusmill.engine.budget import Price
from corpusmill.engine.route import Route
from corpusmill.journal.records import Learnt
from corpusmill.limits.deadline import Deadline
from corpusmill.limits.estimator import OUTPUT_SAMPLES, Estimator, EstimatorStatistics

OVERHEAD_TOKENS = 64
"""Tokens that a chat format may add to a prompt; part of a call's worst case."""

DESCRIBING = ("response_format", "tools", "functions")
"""Parameters that are billed as part of the prompt."""

WELL_KNOWN = 256
"""Answers of a step after which one in eight is enough to learn from."""


class Lane:
    """What is known of the calls of one step: where they go, and how they went so far.

    Attributes:
        bound: the most tokens that a completion may have, None where the step sets none.
        deadline_seconds: how long to wait for an answer at present.
        parameters: what is sent with each prompt.
    """

    def __init__(self, step: CompiledStep, route: Route) -> None:
        self.step, self.route = step, route
        self.parameters = step.parameters
        self.bound = max_tokens(step.parameters)
        self.estimator, self._deadline = Estimator(), Deadline()
        self.deadline_seconds = self._deadline.seconds(self.bound)
        self._learnt = 0
        self._schema_taken = False
        told = {name: step.parameters[name] for name in DESCRIBING if name in step.parameters}
        self._overhead_tokens = OVERHEAD_TOKENS + (len(msgspec.json.encode(told)) if told else 0)

    def learn(self, chars: int, answer: Answer) -> None:
        """Learn from an answer; once enough is known, from one in eight."""
        self._schema_taken = self._schema_taken or self.parameters is self.step.parameters
        self._learnt += 1
        if self._learnt > WELL_KNOWN and self._learnt % 8:
            return
        usage = answer.completion.usage
        if answer.completion.usage_known:
            self.estimator.learn(chars, usage.input_tokens, usage.output_tokens)
        self._deadline.learn(answer.seconds, usage.output_tokens)
        self.deadline_seconds = self._deadline.seconds(self.bound)

    def without_schema(self) -> bool:
        """Send no schema any more, if the endpoint has never taken it; return whether that is worth another try."""
        if not self.step.structured or self._schema_taken:
            return False
        self.parameters = {name: value for name, value in self.step.parameters.items() if name != RESPONSE_FORMAT}
        return True

    def p99_seconds(self) -> float | None:
        """Return the time that 99 % of the answers stayed within; None before enough were seen."""
        return self._deadline.p99_seconds()

    def estimates(self) -> EstimatorStatistics | None:
        """Return how well the estimates do; None before they are judged."""
        told = self.estimator.statistics()
        return told if told.samples > OUTPUT_SAMPLES else None

    def learnt(self) -> Learnt | None:
        """Return what was learnt in this run; None if it was too little."""
        told = self.estimator.statistics()
        if told.samples < OUTPUT_SAMPLES:
            return None
        return Learnt(
            self.step.name,
            told.samples,
            round(told.chars_per_token, 3),
            round(told.output_tokens, 1),
            round(told.error_ratio, 4),
            round(told.bias_ratio, 4),
            self.bound,
            self.estimator.suggested_max_tokens(),
        )

    def cost(self, completion: Completion) -> int | None:
        """Return what a completion cost in pico-dollars, None where that is unknown."""
        prices = self.route.prices
        return prices.cost(completion.usage) if prices is not None and completion.usage_known else None

    def cost_of_failure(self, failure: Failure) -> int | None:
        """Return what a call without a completion cost in pico-dollars, None where it may cost what nobody told."""
        if failure.usage is not None:
            return self.route.prices.cost(failure.usage) if self.route.prices is not None else None
        return None if failure.maybe_charged else 0

    def worst_case(self, prompt: Prompt) -> Price:
        """Return what a call may cost at most: a token of the prompt is at least one byte of it."""
        if self.route.prices is None:
            return Price(1, 0)
        size = prompt.utf8_bytes + self._overhead_tokens + OVERHEAD_TOKENS * len(prompt.history)
        usage = Usage(input_tokens=size, output_tokens=(self.bound or 0) * self.step.choices)
        return Price(1, self.route.prices.cost(usage))

    def spent(self, answer: Answer | Failure, worst: Price) -> Price:
        """Return what a call is reckoned to have cost."""
        cost = self.cost(answer.completion) if isinstance(answer, Answer) else self.cost_of_failure(answer)
        return worst if cost is None else Price(1, cost)
