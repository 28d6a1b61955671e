"""The balance sheet of a job: what was asked, what came of it, what it cost.

Rule of this file: a sheet is a fold of journal records and of nothing else, so it adds up after any crash.
"""

import msgspec

from corpusmill.journal.records import Attempts, Decided, Granted, Learnt, Paid, Record, Tried


class Outcomes(msgspec.Struct):
    """Items by outcome; they add up to the items done."""

    kept: int = 0
    rejected: int = 0
    duplicate: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """Items done."""
        return self.kept + self.rejected + self.duplicate + self.failed


class Calls(msgspec.Struct):
    """Requests by what came of them; `sent` is the sum of the others."""

    sent: int = 0
    answered: int = 0
    rate_limited: int = 0
    errors: int = 0


class Tokens(msgspec.Struct):
    """Tokens by the endpoint's own count; cached input is part of input."""

    input: int = 0
    cached_input: int = 0
    output: int = 0


class Sample(msgspec.Struct):
    """Of the sampled items that filters judged, how many failed each condition; one item may fail several."""

    items: int = 0
    faults: dict[str, int] = {}


class Sheet(msgspec.Struct):
    """The balance sheet.

    Attributes:
        sample: what the sample shows that all conditions judge, whatever the order of the filters.
        cost_picodollars: leaves out the `unpriced` calls, whose price is unknown.
        granted: what may have been spent, where the job has a budget.
        learnt: by step, what the last run that saw enough answers learnt about its calls.
    """

    outcomes: Outcomes = msgspec.field(default_factory=Outcomes)
    rejected_by: dict[str, int] = {}
    failed_by: dict[str, int] = {}
    records: int = 0
    calls: Calls = msgspec.field(default_factory=Calls)
    tokens: Tokens = msgspec.field(default_factory=Tokens)
    cost_picodollars: int = 0
    unpriced: int = 0
    granted: Granted | None = None
    sample: Sample = msgspec.field(default_factory=Sample)
    learnt: dict[str, Learnt] = {}

    def add(self, record: Record) -> None:
        """Count a record."""
        if isinstance(record, Paid):
            self._add_paid(record)
        elif isinstance(record, Decided):
            self._add_decided(record)
        elif isinstance(record, Tried):
            self._add_attempts(record.attempts)
        elif isinstance(record, Granted):
            self.granted = record
        elif record.suggested_max_tokens is not None or record.step not in self.learnt:
            self.learnt[record.step] = record

    def copy(self) -> "Sheet":
        """Return a sheet of the same figures that does not change with this one."""
        return msgspec.convert(msgspec.to_builtins(self), Sheet)

    def _add_paid(self, record: Paid) -> None:
        self._add_attempts(record.attempts)
        self.calls.answered += 1
        if record.usage is not None:
            usage, tokens = record.usage, self.tokens
            tokens.input += usage[0]
            tokens.cached_input += usage[1]
            tokens.output += usage[2]
        if record.cost_picodollars is None:
            self.unpriced += 1
        else:
            self.cost_picodollars += record.cost_picodollars

    def _add_decided(self, record: Decided) -> None:
        self._add_attempts(record.attempts)
        outcome = record.outcome
        setattr(self.outcomes, outcome, getattr(self.outcomes, outcome) + 1)
        self.records += record.records
        if record.faults is not None:
            self.sample.items += 1
            for reason in record.faults:
                self.sample.faults[reason] = self.sample.faults.get(reason, 0) + 1
        if outcome == "rejected":
            self.rejected_by[record.reason] = self.rejected_by.get(record.reason, 0) + 1
        elif outcome == "failed":
            self.failed_by[record.reason] = self.failed_by.get(record.reason, 0) + 1

    def _add_attempts(self, attempts: Attempts) -> None:
        calls = self.calls
        calls.sent += attempts.sent
        calls.rate_limited += attempts.rate_limited
        calls.errors += attempts.errors
        if (billed := attempts.billed) is not None:
            tokens = self.tokens
            tokens.input += billed.input_tokens
            tokens.cached_input += billed.cached_input_tokens
            tokens.output += billed.output_tokens
            self.cost_picodollars += billed.cost_picodollars
            self.unpriced += billed.unpriced
