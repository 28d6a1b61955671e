"""What earlier runs of a job advise for the next: a `max_tokens` that is large enough, and no larger.

Rule of this file: it reads what runs noted when they ended, and nothing else.
"""

from collections.abc import Mapping
from pathlib import Path

from corpusmill.chain.step import max_tokens
from corpusmill.jobs.folder import JobFolderError
from corpusmill.jobs.snapshot import take_snapshot
from corpusmill.spec.schema import JobSpec


def suggested_max_tokens(data: Path, spec: JobSpec) -> dict[str, int]:
    """Return the `max_tokens` that 99 % of a step's outputs kept within, where an earlier run of the job saw enough."""
    try:
        learnt = take_snapshot(data, spec.name).sheet.learnt
    except JobFolderError:
        return {}
    told = {step.name: learnt[step.name].suggested_max_tokens for step in spec.steps if step.name in learnt}
    return {step: suggested for step, suggested in told.items() if suggested is not None}


def advice(spec: JobSpec, suggested: Mapping[str, int]) -> list[str]:
    """Say where another `max_tokens` would do; what is reserved and not used costs throughput."""
    lines = []
    for step in spec.steps:
        bound, enough = max_tokens(step.parameters), suggested.get(step.name)
        if enough is not None and (bound is None or enough < bound):
            lines.append(
                f"Step {step.name}: 99 % of earlier answers kept within {enough:,} tokens; max_tokens could be that."
            )
        elif enough is not None and bound is not None and enough > bound:
            lines.append(f"Step {step.name}: more than 1 % of earlier answers were cut at max_tokens, {bound:,}.")
    return lines
