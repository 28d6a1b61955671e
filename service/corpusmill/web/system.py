"""The daemon itself: is it alive, is it ready, its metrics, its gates, its description; and what a job would be."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from corpusmill import __version__
from corpusmill.bootstrap.assembly import space_of
from corpusmill.bootstrap.documents import sketched_documents
from corpusmill.bootstrap.models import known_models
from corpusmill.config import Scope
from corpusmill.daemon.intake import accepted
from corpusmill.engine.writer import LOW_BYTES
from corpusmill.jobs.plan import Plan, make_plan
from corpusmill.jobs.report import Report
from corpusmill.jobs.summary import Summary
from corpusmill.journal.files import Disk
from corpusmill.limits.statistics import GateStatistics
from corpusmill.web.desk import Desk
from corpusmill.web.jobs import DESCRIBED, find_job, form_of
from corpusmill.web.keys import EVERYTHING
from corpusmill.web.operation import Call, Content, Operation
from corpusmill.web.problems import ProblemError
from corpusmill.web.replies import json_response

ReportObject = msgspec.defstruct(
    "ReportObject",
    [
        *((field.name, field.type) for field in msgspec.structs.fields(Summary) if field.name != "seconds"),
        ("seconds", None),
        *((field.name, field.type) for field in msgspec.structs.fields(Report) if field.name != "summary"),
    ],
)
"""A report as `as_object` tells it: the summary's keys beside the others."""


class PlanQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a plan: `samples` is how many items to show with their prompts."""

    samples: Annotated[int, Meta(ge=0, le=100)] = 3


class Status(msgspec.Struct, frozen=True):
    """A word on how the daemon is."""

    status: str


class You(msgspec.Struct, frozen=True):
    """Whose key a request came with, and what that may do."""

    name: str
    scopes: list[Scope]


class Service(msgspec.Struct, frozen=True):
    """What there is to know about the daemon.

    Attributes:
        version: of corpusmill.
        simulated: the endpoint invents its text.
        models: aliases that a spec may name; null where any name is passed on.
        roots: folders whose files a spec may name.
        jobs: how many there are in each state.
        endpoints: their gates, of those that were used so far.
        you: who asks.
    """

    version: str
    simulated: bool
    models: list[str] | None
    roots: list[str]
    jobs: dict[str, int]
    endpoints: dict[str, GateStatistics]
    you: You


class SystemOperations:
    """The operations on the daemon itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> list[Operation]:
        """Declare those under /api/v1."""
        return [
            Operation(
                "GET",
                "/jobs/{id}/report",
                "reportOfJob",
                "What a job came to: coverage, lengths, duplicates. While it runs, it may be as old as `Age` says.",
                self.report,
                "read",
                answers={200: Content("The report.", ReportObject, headers={"Age": "Seconds since it was made."})},
                problems=(404, 409, 500),
            ),
            Operation(
                "POST",
                "/plan",
                "planJob",
                "Count and estimate a job, and show its prompts; calls nothing.",
                self.plan,
                "submit",
                PlanQuery,
                takes=DESCRIBED,
                answers={200: Content("The plan.", Plan)},
                problems=(400, 408, 413, 415),
            ),
            Operation(
                "GET",
                "/service",
                "getService",
                "Models, jobs and gates of this daemon.",
                self.service,
                "read",
                answers={200: Content("The daemon.", Service)},
            ),
        ]

    def probes(self) -> list[Operation]:
        """Declare those that stand at the root too."""
        metrics = Content("Prometheus' text format.", media_type="text/plain")
        scope: Scope | None = None if self._desk.config.server.open_metrics else "read"
        return [
            Operation(
                "GET",
                "/livez",
                "getLiveness",
                "Is the process alive?",
                self.livez,
                None,
                answers={200: Content("It is.", Status)},
            ),
            Operation(
                "GET",
                "/readyz",
                "getReadiness",
                "May jobs be sent here? 503 while draining or out of disk.",
                self.readyz,
                None,
                answers={200: Content("They may.", Status)},
                problems=(503,),
            ),
            Operation(
                "GET",
                "/metrics",
                "getMetrics",
                "Metrics.",
                self.metrics,
                scope,
                answers={200: metrics},
            ),
        ]

    async def livez(self, _call: Call) -> web.StreamResponse:
        """GET /livez."""
        return json_response(Status("alive"))

    async def readyz(self, _call: Call) -> web.StreamResponse:
        """GET /readyz."""
        if self._desk.draining:
            raise _not_ready("the daemon is about to end")
        await self._desk.table.counts()
        if await self._desk.read(lambda: Disk().free_bytes(self._desk.data)) < LOW_BYTES:
            raise _not_ready("the disk is nearly full")
        return json_response(Status("ready"))

    async def metrics(self, call: Call) -> web.StreamResponse:
        """GET /metrics."""
        body, headers = await self._desk.scrape(call.request.headers.get("Accept-Encoding", ""))
        return web.Response(body=body, headers=headers)

    async def service(self, call: Call) -> web.StreamResponse:
        """GET /service."""
        desk = self._desk
        counts = await desk.table.counts()
        return json_response(
            Service(
                version=__version__,
                simulated=desk.simulated,
                models=sorted(desk.terms.models) if desk.terms.models is not None else None,
                roots=sorted(desk.terms.base.roots),
                jobs={state.value: count for state, count in counts.items()},
                endpoints=desk.mill.gates(),
                you=You(call.caller.name, sorted(scope for scope in EVERYTHING if call.caller.may(scope))),
            )
        )

    async def plan(self, call: Call) -> web.StreamResponse:
        """POST /plan."""
        form = form_of(call.request)
        body = await self._desk.body(call.request)
        terms, upstream, samples = self._desk.terms, self._desk.upstream, call.query.samples

        def plan() -> Plan:
            spec = accepted(body, form, terms)
            models = known_models(spec, upstream, at=datetime.now(UTC))
            with sketched_documents(spec, terms.base) as (documents, remarks):
                return make_plan(spec, space_of(spec, documents), models, samples, remarks)[0]

        return json_response(await self._desk.think(plan))

    async def report(self, call: Call) -> web.StreamResponse:
        """GET /jobs/{id}/report."""
        job = await find_job(self._desk, call.request)
        folder = await self._desk.read(lambda: self._desk.generation(job.id))
        mark = (job.finished_at, self._desk.mill.figures(job))
        report, age_seconds = await self._desk.reports.of(job.id, folder, mark)
        return json_response({**report, "state": job.state}, headers={"Age": str(age_seconds)})


def _not_ready(detail: str) -> ProblemError:
    return ProblemError(503, "not-ready", detail, headers={"Retry-After": "5"})
