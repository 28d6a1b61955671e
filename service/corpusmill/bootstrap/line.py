"""An endpoint that is open, with its gate and its list of models.

Rule of this file: what can be wrong with an endpoint is found out here, before a job's folder exists: no answer, a
wrong key, a model that is not there. Looking costs nothing: only the list of models is asked for.
"""

import asyncio
import difflib
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import reduce
from typing import Final

from corpusmill.bootstrap.target import DEFAULT, Target, UpstreamError, gate_limits
from corpusmill.config import EndpointConfig
from corpusmill.endpoint.client import Endpoint
from corpusmill.endpoint.failures import Failure, FailureKind
from corpusmill.engine.tickets import Tickets
from corpusmill.limits.charge import Limits as GateLimits
from corpusmill.limits.gate import Gate
from corpusmill.limits.opening import OPENING_SECONDS
from corpusmill.limits.server_load import parse_load
from corpusmill.limits.width import WIDTH_MOST
from corpusmill.spec.schema import Limits

UNLISTED: Final = frozenset({FailureKind.BAD_REQUEST, FailureKind.MODEL_NOT_FOUND, FailureKind.MALFORMED})
"""What servers answer that have no list of models; then the first call finds out."""

REFUSAL_FACTOR: Final = 10
"""A server that refuses the first call says so within about ten times what its list of models took."""

STEER_SECONDS: Final = 2.0
"""Between two looks at a server's metrics; one look is worth little, and every second a little work for the server."""

STEER_DEADLINE_SECONDS: Final = 5.0


class Line:
    """An open endpoint.

    Attributes:
        target: which it is.
        endpoint: makes calls.
        tickets: of its gate, shared by all jobs.
        listed: the models it has; None where it does not say.
        trouble: why it cannot be used at present; None if it can.
    """

    def __init__(self, target: Target, endpoint: Endpoint, limits: Limits) -> None:
        self.target, self.endpoint = target, endpoint
        self._process_limits = limits
        self._joined = {target.name: target.endpoint}
        self.listed: list[str] | None = None
        self.trouble: Failure | None = None
        self._clock = asyncio.get_running_loop().time
        self.tickets = Tickets(Gate(self._limits(), random.Random(), self._clock()), target.name)
        self._looked = False

    def join(self, target: Target) -> None:
        """Take in another name of the same budget: the lower limits of both hold."""
        if target.name not in self._joined:
            self._joined[target.name] = target.endpoint
            self.tickets.rerate(self._limits())

    def reload(self, endpoints: Mapping[str, EndpointConfig]) -> None:
        """Adopt the limits of endpoints as they are configured now."""
        self._joined = {name: endpoints.get(name, endpoint) for name, endpoint in self._joined.items()}
        self.tickets.rerate(self._limits())

    async def look(self) -> None:
        """Ask for the models, unless the endpoint has told them before, and take note of what is wrong."""
        if self._looked and self.trouble is None:
            return
        asked_at = self._clock()
        listed = await self.endpoint.models()
        self._looked, self.listed, self.trouble = True, None, None
        if not isinstance(listed, Failure):
            self.listed = listed
        elif listed.kind not in UNLISTED:
            self.trouble = listed
            return
        self.tickets.expect_within(min(max(REFUSAL_FACTOR * (self._clock() - asked_at), 0.1), OPENING_SECONDS))

    async def steer(self) -> None:
        """Steer the width by the server's own metrics while calls are out; return if it turns out to have none.

        Where limits are known, or the width is fixed, nobody is asked.
        """
        while True:
            await self.tickets.wait_until_busy()
            await asyncio.sleep(STEER_SECONDS)
            if self.tickets.is_limited:
                continue
            found = await self.endpoint.server_metrics(STEER_DEADLINE_SECONDS)
            if isinstance(found, Failure):
                if found.status is not None and found.status < 500:
                    return
                continue
            load = parse_load(found)
            if load is None:
                return
            self.tickets.observed(load)

    @property
    def explained(self) -> str:
        """What is wrong with the endpoint, and what to do; empty if nothing is."""
        base_url, name, trouble = self.target.endpoint.base_url, self.target.name, self.trouble
        if trouble is None:
            return ""
        if trouble.kind is FailureKind.UNAUTHORIZED:
            have = "refuses the key" if self.target.api_key else "asks for a key"
            check = "OPENAI_API_KEY" if name == DEFAULT else f"the key of endpoints.{name}"
            return f"endpoint {base_url} {have} ({trouble.message}); check {check}"
        check = "OPENAI_BASE_URL" if name == DEFAULT else f"endpoints.{name}.base_url"
        return f"endpoint {base_url} does not answer: {trouble.message}; check {check}"

    async def model(self, name: str | None) -> str:
        """Return the name of the model to call: the one asked for, or the first that there is.

        Raises:
            UpstreamError: the endpoint neither lists it nor knows it by name, or lists none at all.
        """
        base_url = self.target.endpoint.base_url
        if name is None:
            if self.listed:
                return self.listed[0]
            raise UpstreamError(f"endpoint {base_url} lists no models; name one with --model-name or OPENAI_MODEL")
        if self.listed and name not in self.listed and await self.endpoint.model_exists(name) is False:
            near = difflib.get_close_matches(name, self.listed, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(self.listed[:10])}"
            raise UpstreamError(f"endpoint {base_url} has no model {name!r}; {hint}")
        return name

    def _limits(self) -> GateLimits:
        """Return the lowest limits of all names of the budget."""
        return reduce(GateLimits.lowered, (gate_limits(each, self._process_limits) for each in self._joined.values()))


@asynccontextmanager
async def opened(target: Target, limits: Limits, environ: Mapping[str, str]) -> AsyncIterator[Line]:
    """Open an endpoint while the block runs; nobody is asked yet.

    Raises:
        EndpointConfigError: its URL or key cannot be used.
    """
    connections = gate_limits(target.endpoint, limits).concurrency or WIDTH_MOST
    async with Endpoint(target.endpoint.base_url, target.api_key, connections, environ=environ) as endpoint:
        yield Line(target, endpoint, limits)
