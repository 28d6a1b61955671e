"""The asynchronous client.

Rules of this file: one method for each thing a daemon can do; whatever is lost on the way is asked for again, and
nothing happens twice because of that. No polling: who waits, listens.
"""

import asyncio
import os
import random
import ssl
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import msgspec

from corpusmill_client.connection import LOST, NO_MAPPING, Connection, lines
from corpusmill_client.download import fetch
from corpusmill_client.errors import (
    ApiError,
    ConflictError,
    NotFoundError,
    UnavailableError,
    UnreachableError,
    unexpected,
)
from corpusmill_client.objects import (
    Event,
    Job,
    JobPage,
    Plan,
    Record,
    Reject,
    Report,
    Service,
    Shard,
    Shards,
    State,
)
from corpusmill_client.patience import Patience
from corpusmill_client.secret import VARIABLE, Secret
from corpusmill_client.specs import Spec, body_of
from corpusmill_client.sse import Frames

T = TypeVar("T")
Line = TypeVar("Line", Record, Reject)
Place = Literal["corpus", "rejects"]
Priority = Literal["high", "normal", "low"]

URL_VARIABLE = "CORPUSMILL_URL"
DEFAULT_URL = "http://127.0.0.1:8378"
DEFAULT_PATIENCE = Patience()

REACHED: Mapping[str, frozenset[State]] = {
    "pause": frozenset({"paused"}),
    "resume": frozenset({"queued", "running"}),
    "cancel": frozenset({"cancelled"}),
}
"""Where a change leads; a job that is there already was changed, perhaps by a request whose answer was lost."""


class Client:
    """A client of one daemon; an asynchronous context manager.

    Args:
        url: the daemon's address; default: CORPUSMILL_URL, else http://127.0.0.1:8378.
        api_key: default: CORPUSMILL_API_KEY, else none.
        patience: how long a daemon that does not answer, or is busy, is asked again; it may be restarted meanwhile.
        timeout_seconds: how long an answer may take; reports of large jobs take longest.
        tls: how the daemon's certificate is verified; default: as Python does.
        chance: spreads the pauses between tries.

    Raises:
        ValueError: the address or the key cannot be one.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        patience: Patience = DEFAULT_PATIENCE,
        timeout_seconds: float = 300.0,
        tls: ssl.SSLContext | None = None,
        chance: random.Random | None = None,
    ) -> None:
        key = os.environ.get(VARIABLE, "") if api_key is None else api_key
        self._connection = Connection(
            url or os.environ.get(URL_VARIABLE) or DEFAULT_URL,
            Secret(key),
            patience=patience,
            timeout_seconds=timeout_seconds,
            tls=tls,
            chance=chance or random.Random(),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    @property
    def url(self) -> str:
        """The daemon's address."""
        return self._connection.url

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()

    async def submit(
        self, spec: Spec, *, priority: Priority = "normal", weight: int = 1, idempotency_key: str | None = None
    ) -> Job:
        """Submit a spec; return the job.

        Args:
            spec: a mapping, the path of a file, or text.
            priority: which jobs go first.
            weight: the job's share of the endpoints, relative to others of its priority.
            idempotency_key: the same key and spec again is the same job, also from another process; default: a new one,
                so that a request whose answer is lost makes one job.

        Raises:
            InvalidSpecError: with the place and what is wrong.
        """
        body = await asyncio.to_thread(body_of, spec)
        query: dict[str, str] = {"priority": priority} if priority != "normal" else {}
        query |= {"weight": str(weight)} if weight != 1 else {}
        headers = {"Content-Type": body.media_type, "Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return await self._ask(Job, "POST", "/jobs", query=query, headers=headers, content=body.content)

    async def plan(self, spec: Spec, *, samples: int = 3) -> Plan:
        """Count and estimate a job, and show some of its prompts; nothing is created and nothing spent.

        Raises:
            InvalidSpecError: with the place and what is wrong.
        """
        body = await asyncio.to_thread(body_of, spec)
        headers = {"Content-Type": body.media_type}
        query = {"samples": str(samples)}
        return await self._ask(Plan, "POST", "/plan", query=query, headers=headers, content=body.content)

    async def job(self, job: str) -> Job:
        """Look at a job."""
        return await self._ask(Job, "GET", _path(job))

    async def jobs(self, state: State | None = None) -> AsyncGenerator[Job, None]:
        """Yield jobs, the newest first."""
        cursor: str | None = None
        while True:
            page = await self.page(state, limit=200, cursor=cursor)
            for job in page.items:
                yield job
            cursor = page.next_cursor
            if cursor is None:
                return

    async def page(self, state: State | None = None, *, limit: int = 50, cursor: str | None = None) -> JobPage:
        """Return one page of the list of jobs; `cursor` is `next_cursor` of the page before."""
        query = {"limit": str(limit)}
        query |= {"state": state} if state else {}
        query |= {"cursor": cursor} if cursor else {}
        return await self._ask(JobPage, "GET", "/jobs", query=query)

    async def pause(self, job: str) -> Job:
        """Issue no more calls; those that are out come back and are kept. No error if it is paused.

        Raises:
            ConflictError: it is over.
        """
        return await self._change(job, "pause")

    async def resume(self, job: str) -> Job:
        """Go on with a paused or failed job where it was. No error if it goes on.

        Raises:
            ConflictError: it is finished, cancelled, or its budget is spent.
        """
        return await self._change(job, "resume")

    async def cancel(self, job: str) -> Job:
        """End a job for good; what it has is sealed. No error if it is cancelled.

        Raises:
            ConflictError: it is over.
        """
        return await self._change(job, "cancel")

    async def delete(self, job: str) -> None:
        """Delete a job that is over, and its files; what it cost stays counted.

        Raises:
            NotFoundError: there is none; perhaps because the answer to an earlier try was lost.
            ConflictError: it is not over.
        """
        await self._connection.ask("DELETE", _path(job))

    async def wait(
        self, job: str, *, until: Callable[[Job], bool] | None = None, timeout_seconds: float | None = None
    ) -> Job:
        """Return the job once it is over, however it ended; look at its `state`.

        Args:
            job: its id.
            until: return earlier, when this is true of it.
            timeout_seconds: how long to wait at most.

        Raises:
            TimeoutError: it is not over by then.
        """
        async with asyncio.timeout(timeout_seconds), aclosing(self.events(job)) as events:
            async for event in events:
                if event.job.is_over or (until is not None and until(event.job)):
                    return event.job
            return await self.job(job)

    async def events(self, job: str, *, after: int | None = None) -> AsyncGenerator[Event, None]:
        """Yield a job's news until it is over: each change of state, and progress once a second.

        Lost connections and restarts of the daemon are gone through; news that were missed come later.

        Args:
            job: its id.
            after: the number of the last event you have; default: begin with the job as it is.
        """
        frames, tries, over = Frames(), self._connection.tries(), False
        frames.last_id = "" if after is None else str(after)
        while not over:
            headers = {"Last-Event-ID": frames.last_id} if frames.last_id else NO_MAPPING
            error: Exception = UnreachableError(f"the daemon ends the news of {job} again and again")
            try:
                async with self._connection.opened("GET", _path(job, "events"), headers=headers) as response:
                    if response.status == 204:
                        return
                    async for line in lines(response):
                        frame = frames.take(line)
                        if frame is None:
                            continue
                        event = _event(frame.id, frame.event, frame.data)
                        over = event.job.is_over
                        tries.reset()
                        yield event
            except (ApiError, *LOST) as lost:
                error = lost
            frames.drop()
            if not over:
                await self._connection.pause(tries, error)

    def records(
        self, job: str, *, after: str | int | None = None, limit: int | None = None, follow: bool = False
    ) -> AsyncGenerator[Record, None]:
        """Yield the records of a job in their order, each once, sealed or not.

        Args:
            job: its id.
            after: how many you have, or the id of your last one.
            limit: how many at most.
            follow: stay until the job is over, and yield what comes, through restarts of the daemon.
        """
        return self._lines(job, "records", Record, after=after, limit=limit, follow=follow)

    def rejects(
        self, job: str, *, after: str | int | None = None, limit: int | None = None, follow: bool = False
    ) -> AsyncGenerator[Reject, None]:
        """Yield what was not kept, with its reason; as `records`."""
        return self._lines(job, "rejects", Reject, after=after, limit=limit, follow=follow)

    async def report(self, job: str) -> Report:
        """Return what a job came to: balance sheet, coverage, lengths, duplicates."""
        document = await self._ask(dict[str, Any], "GET", _path(job, "report"))
        return _converted({**document, "document": document}, Report)

    async def shards(self, job: str, place: Place = "corpus") -> list[Shard]:
        """Return the sealed shards of a job."""
        return (await self._ask(Shards, "GET", _path(job, "shards"), query={"place": place})).items

    async def download(self, job: str, folder: str | os.PathLike[str], place: Place = "corpus") -> list[Path]:
        """Bring the sealed shards of a job into a folder, verified; those that are there are not fetched again.

        A download that was interrupted is gone on with at the byte where it was.

        Raises:
            DamagedDownloadError: a shard is not what its checksum says.
            OSError: the disk does not take it.
        """
        home = Path(folder)
        await asyncio.to_thread(home.mkdir, parents=True, exist_ok=True)
        return [
            await fetch(self._connection, _path(job, "shards", shard.name), {"place": place}, shard, home)
            for shard in await self.shards(job, place)
        ]

    async def service(self) -> Service:
        """Return what there is to know about the daemon: models, jobs, limiter."""
        return await self._ask(Service, "GET", "/service")

    async def is_ready(self) -> bool:
        """Whether the daemon takes jobs now; asked once."""
        try:
            async with self._connection.opened("GET", "/readyz"):
                return True
        except (UnavailableError, *LOST):
            return False

    async def _change(self, job: str, change: str) -> Job:
        try:
            return await self._ask(Job, "POST", _path(job, change))
        except ConflictError:
            found = await self.job(job)
            if found.state in REACHED[change]:
                return found
            raise

    async def _lines(
        self, job: str, name: str, kind: type[Line], *, after: str | int | None, limit: int | None, follow: bool
    ) -> AsyncGenerator[Line, None]:
        tries, last, left = self._connection.tries(), after, limit
        while left is None or left > 0:
            query = {"follow": "true"} if follow else {}
            query |= {"after": str(last)} if last is not None else {}
            query |= {"limit": str(left)} if left is not None else {}
            error: Exception | None = None
            try:
                async with self._connection.opened("GET", _path(job, name), query=query) as response:
                    async for text in lines(response):
                        if text:
                            line = _decoded(text, kind)
                            last, left = line.id, None if left is None else left - 1
                            tries.reset()
                            yield line
                if not follow:
                    return
                follow = not (await self.job(job)).is_over
                if follow:
                    error = UnreachableError(f"the daemon ends the {name} of {job} again and again")
            except (ApiError, *LOST) as lost:
                error = _passing(lost) if last != after else lost
            if error is not None:
                await self._connection.pause(tries, error)

    async def _ask(
        self,
        kind: type[T],
        method: str,
        path: str,
        *,
        query: Mapping[str, str] = NO_MAPPING,
        headers: Mapping[str, str] = NO_MAPPING,
        content: bytes | None = None,
    ) -> T:
        answer = await self._connection.ask(method, path, query=query, headers=headers, content=content)
        return _decoded(answer.content, kind)


def _path(job: str, *parts: str) -> str:
    return "/".join(("/jobs", *(quote(part, safe="") for part in (job, *parts))))


def _passing(error: Exception) -> Exception:
    """Return an error after which to try again where a record is gone that was there.

    It is there again once a daemon that was killed has gone on with its job.
    """
    gone = isinstance(error, NotFoundError) and error.kind == "unknown-record"
    return UnreachableError(str(error)) if gone else error


def _event(number: str, kind: str, content: bytes) -> Event:
    if not (number.isascii() and number.isdigit()):
        raise unexpected(200, "an event without a number")
    return Event(int(number[:18]), kind, _decoded(content, Job))


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise unexpected(200, f"an answer that cannot be read ({error})") from None


def _converted(document: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise unexpected(200, f"an answer that cannot be read ({error})") from None
