"""Jobs: submit, list, look at, pause, resume, cancel."""

import hashlib
import re
import secrets
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from corpusmill.bootstrap.assembly import items_of, space_of
from corpusmill.daemon.intake import accepted, reserved_picodollars, within_cap
from corpusmill.daemon.view import JobObject
from corpusmill.jobs.queue.job import Job, Priority, Submission
from corpusmill.jobs.queue.states import Change, State
from corpusmill.jobs.queue.table import SpendCapError, UnknownJobIdError
from corpusmill.spec.load import Form
from corpusmill.spec.schema import JobSpec
from corpusmill.web.desk import Desk
from corpusmill.web.keys import Caller
from corpusmill.web.operation import Call, Content, Operation
from corpusmill.web.problems import ProblemError
from corpusmill.web.replies import json_response, tagged_response

FORMS: Final[dict[str, Form]] = {
    "application/json": "json",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "application/toml": "toml",
}
"""Media types of specs."""

DESCRIBED: Final = ("application/json", "application/yaml")
"""Those of them that stand for all."""

ID_PATTERN = r"^[a-z0-9-]{1,100}$"
_KEY: Final = re.compile(r'^(?:"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21-\x7e]{1,255}))$')


class SubmitQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a job is to be treated among others.

    Attributes:
        priority: which jobs go first; at most what the key allows.
        weight: the job's share of the endpoints, relative to others of its priority; at most what the key allows.
    """

    priority: Literal["high", "normal", "low"] = "normal"
    weight: Annotated[int, Meta(ge=1, le=1000)] = 1


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which jobs.

    Attributes:
        state: only those in it.
        limit: how many on a page.
        cursor: `next_cursor` of the page before.
    """

    state: State | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    cursor: Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")] | None = None


class JobPage(msgspec.Struct, frozen=True):
    """Jobs, the newest first; `next_cursor` is null on the last page."""

    items: list[JobObject]
    next_cursor: str | None


class JobOperations:
    """The operations on jobs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def operations(self) -> list[Operation]:
        """Declare them."""
        job = Content("The job.", JobObject, headers={"ETag": "Changes with the job."})
        changes = [
            Operation(
                "POST",
                f"/jobs/{{id}}/{change}",
                f"{change}Job",
                summary,
                self._changer(change),
                "submit",
                answers={200: Content("The job.", JobObject)},
                problems=(404, 409),
            )
            for change, summary in (
                (Change.PAUSE, "Issue no more calls; those that are out come back and are kept."),
                (Change.RESUME, "Go on with a paused or failed job where it was."),
                (Change.CANCEL, "End a job for good; what it has is sealed."),
            )
        ]
        return [
            Operation(
                "POST",
                "/jobs",
                "submitJob",
                "Submit a spec.",
                self.submit,
                "submit",
                SubmitQuery,
                takes=DESCRIBED,
                answers={
                    201: Content("The new job.", JobObject, headers={"Location": "Its address."}, links=True),
                    200: Content(
                        "The job that the same request made before.",
                        JobObject,
                        headers={"Location": "Its address.", "Idempotent-Replayed": "true"},
                    ),
                },
                problems=(400, 408, 413, 415, 503),
                request_headers={"Idempotency-Key": "Of the client's choice: the same key again is the same job."},
            ),
            Operation(
                "GET",
                "/jobs",
                "listJobs",
                "List jobs, the newest first.",
                self.list,
                "read",
                ListQuery,
                answers={200: Content("A page of jobs.", JobPage)},
            ),
            Operation(
                "GET",
                "/jobs/{id}",
                "getJob",
                "Look at a job.",
                self.get,
                "read",
                answers={200: job, 304: Content("It has not changed.")},
                problems=(404,),
                request_headers={"If-None-Match": "An ETag; 304 if the job has not changed since."},
            ),
            Operation(
                "DELETE",
                "/jobs/{id}",
                "deleteJob",
                "Delete a job that is over, and its files, unless another process works on them. What it cost "
                "stays counted.",
                self.delete,
                "admin",
                answers={204: Content("It is gone.")},
                problems=(404, 409),
            ),
            *changes,
        ]

    async def submit(self, call: Call) -> web.StreamResponse:
        """POST /jobs."""
        form = form_of(call.request)
        body = await self._desk.body(call.request)
        if self._desk.draining:
            raise ProblemError(503, "draining", "the daemon is about to end", headers={"Retry-After": "10"})
        key = idempotency_key(call.request.headers.get("Idempotency-Key"))
        submission = Submission(
            id="",
            name="",
            spec=b"",
            submitted_by=call.caller.name,
            idempotency_key=key,
            fingerprint=hashlib.sha256(
                form.encode() + b"\n" + call.request.query_string.encode() + b"\n" + body
            ).digest(),
        )
        job = await self._desk.table.earlier(submission) if key is not None else None
        new = False
        if job is None:
            submission = await self._filled(submission, body, form, call)
            job, new = await self._desk.mill.submit(submission, call.caller.cap_picodollars)
        headers = {"Location": f"/api/v1/jobs/{job.id}"} | ({} if new else {"Idempotent-Replayed": "true"})
        return json_response(self._desk.mill.encoded(job), 201 if new else 200, headers)

    async def list(self, call: Call) -> web.StreamResponse:
        """GET /jobs."""
        query: ListQuery = call.query
        before = int(query.cursor) if query.cursor is not None else None
        jobs = await self._desk.table.page(query.state, query.limit + 1, before)
        page, more = jobs[: query.limit], len(jobs) > query.limit
        cursor = str(page[-1].sequence) if more else None
        return json_response({"items": [self._desk.mill.encoded(job) for job in page], "next_cursor": cursor})

    async def get(self, call: Call) -> web.StreamResponse:
        """GET /jobs/{id}."""
        job = await find_job(self._desk, call.request)
        return tagged_response(call.request, self._desk.mill.encoded(job))

    async def delete(self, call: Call) -> web.StreamResponse:
        """DELETE /jobs/{id}."""
        await self._desk.mill.delete(await find_job(self._desk, call.request))
        return web.Response(status=204)

    def _changer(self, change: Change):  # type: ignore[no-untyped-def] # a Handler
        async def handle(call: Call) -> web.StreamResponse:
            job = await find_job(self._desk, call.request)
            if job.submitted_by != call.caller.name:
                call.caller.require("operate")
            return json_response(self._desk.mill.encoded(await self._desk.mill.change(job.id, change)))

        return handle

    async def _filled(self, submission: Submission, body: bytes, form: Form, call: Call) -> Submission:
        query: SubmitQuery = call.query
        spec, items = await self._desk.think(lambda: _read(body, form, self._desk))
        cap = call.caller.cap_picodollars
        if cap is not None:
            left = await self._desk.table.left_picodollars(call.caller.name, cap)
            spec = within_cap(spec, left)
            if (reserved_picodollars(spec) or left + 1) > left:
                raise SpendCapError(left)
        return msgspec.structs.replace(
            submission,
            id=f"{spec.name}-{secrets.token_hex(5)}",
            name=spec.name,
            spec=msgspec.json.encode(spec),
            items=items,
            budget=spec.budget,
            priority=_priority(query, call.caller),
            weight=_weight(query, call.caller),
            reserved_picodollars=reserved_picodollars(spec) if cap is not None else None,
        )


def form_of(request: web.Request) -> Form:
    """Return the form of a body.

    Raises:
        ProblemError: 415, it is none of a spec.
    """
    form = FORMS.get(request.content_type)
    if form is None:
        raise ProblemError(415, "unsupported-media-type", f"a spec is one of: {', '.join(FORMS)}")
    return form


def idempotency_key(header: str | None) -> str | None:
    """Return the key that a header tells, with or without quotes.

    Raises:
        ProblemError: 400, it is none.
    """
    if header is None:
        return None
    match = _KEY.match(header)
    if match is None:
        raise ProblemError(400, "bad-idempotency-key", "an Idempotency-Key has 1 to 255 printable ASCII characters")
    return match[1] or match[2]


async def find_job(desk: Desk, request: web.Request) -> Job:
    """Return the job that a request's address names; raises UnknownJobIdError."""
    job = request.match_info["id"]
    if re.fullmatch(ID_PATTERN, job) is None:
        raise UnknownJobIdError(job[:100])
    return await desk.table.get(job)


def _read(body: bytes, form: Form, desk: Desk) -> tuple[JobSpec, int | None]:
    spec = accepted(body, form, desk.terms)
    return spec, None if spec.space.documents else items_of(spec, space_of(spec))


def _priority(query: SubmitQuery, caller: Caller) -> Priority:
    wanted = Priority[query.priority.upper()]
    if wanted < caller.priority:
        raise ProblemError(
            403, "priority-too-high", f"the key {caller.name} may ask for {caller.priority.name.lower()}"
        )
    return wanted


def _weight(query: SubmitQuery, caller: Caller) -> int:
    if query.weight > caller.weight:
        raise ProblemError(403, "weight-too-high", f"the key {caller.name} may ask for a weight of {caller.weight}")
    return query.weight
