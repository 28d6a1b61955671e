"""A recipe from end to end at a small size: copied, run against the simulated endpoint, its books checked."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from corpusmill.bootstrap.job import Running
from corpusmill.bootstrap.run import run_job
from corpusmill.bootstrap.target import Target, Upstream
from corpusmill.cli.accept import Overrides, accepted
from corpusmill.config import Config, EndpointConfig
from corpusmill.jobs.summary import Summary
from corpusmill.recipes import recipe_files
from corpusmill.simulate import SimulateOptions, serving
from corpusmill.space.documents.places import Base

ABERRATIONS = {
    "rate_limit": 0.02,
    "http_500": 0.01,
    "http_503": 0.01,
    "reset": 0.01,
    "hang": 0.002,
    "garbage": 0.005,
    "truncation": 0.005,
    "content_type": 0.005,
    "empty_choice": 0.01,
    "refusal": 0.03,
    "length": 0.02,
    "exact_duplicate": 0.02,
    "near_duplicate": 0.02,
    "bad_request": 0.005,
    "content_filter": 0.01,
}
"""One call in six goes wrong, in every way but those of the account."""


class Rehearsal(msgspec.Struct, frozen=True):
    """What a run of a recipe came to, with its lines."""

    summary: Summary
    corpus: list[dict[str, Any]]
    rejects: list[dict[str, Any]]

    def problems(self) -> list[str]:
        """What does not add up."""
        sheet = self.summary
        out = sheet.outcomes
        checks = {
            "the job is not finished": sheet.state == "finished",
            "items are not what became of them": sheet.items == out.total,
            "records are not the lines of the corpus": sheet.records == len(self.corpus),
            "what was not kept is not the lines of the rejects": out.total - out.kept == len(self.rejects),
            "reasons do not add up": sum(sheet.rejected_by.values()) == out.rejected
            and sum(sheet.failed_by.values()) == out.failed,
            "calls do not add up": sheet.calls.sent
            == sheet.calls.answered + sheet.calls.rate_limited + sheet.calls.errors,
            "ids are not unique": len({line["id"] for line in self.corpus}) == len(self.corpus),
            "a record is empty": all(texts_of(line)[-1].strip() for line in self.corpus),
            "nothing was kept": out.kept > 0,
        }
        return [problem for problem, holds in checks.items() if not holds]


def rehearse(
    name: str, folder: Path, limit: int | None, faults: Mapping[str, float] = ABERRATIONS, **options: Any
) -> Rehearsal:
    """Copy a recipe to a folder and run it there.

    Args:
        name: the recipe's.
        folder: an empty one.
        limit: how many items at most; None: as many as the recipe says.
        faults: rates, by the names of `corpusmill simulate --faults`.
        options: what else the simulated endpoint is told.
    """
    for relative, content in recipe_files(name).items():
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    path = folder / f"{name}.yaml"
    spec = accepted(path, Overrides(limit=limit, concurrency=100))
    simulated = SimulateOptions(faults=faults, hang_seconds=0.2, **options)

    async def run() -> Summary:
        async with serving(simulated) as base_url:
            upstream = Upstream(Config(), Target("simulated", EndpointConfig(base_url=base_url)))
            return await run_job(
                spec,
                folder / "data",
                upstream,
                environ={},
                emit=lambda _: None,
                watch=_unwatched,
                base=Base.beside(path),
            )

    summary = asyncio.run(run())
    job = folder / "data" / "jobs" / name
    return Rehearsal(summary, _lines(job / "corpus"), _lines(job / "rejects"))


def texts_of(line: Mapping[str, Any]) -> list[str]:
    """The texts of a record, the one to be learnt last."""
    said = [message["content"] for message in line.get("messages", ())]
    return said + [line[part] for part in ("prompt", "completion", "rejected", "chosen") if part in line]


@asynccontextmanager
async def _unwatched(_: Running) -> AsyncIterator[None]:
    yield


def _lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for shard in sorted(folder.glob("*.jsonl")) for line in shard.read_text().splitlines()]
