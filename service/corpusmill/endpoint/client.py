"""The one place that calls an OpenAI-compatible API.

The rule of this file: a call ends as a value. `Endpoint.call` returns an `Answer` or a `Failure` and raises nothing
but cancellation, so nobody above it catches an exception of the transport. It never retries and never waits on its own
account: that is the limiter's work.

A call costs little CPU because whatever is the same for all calls (the heads of requests, proxy, TLS context, decoders)
is made once.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import msgspec
import yarl

from corpusmill import __version__
from corpusmill.chain.completion import Completion, Prompt
from corpusmill.endpoint.connections import Connections
from corpusmill.endpoint.error_body import ErrorReport, read_error
from corpusmill.endpoint.errors import EndpointConfigError
from corpusmill.endpoint.failures import TRANSPORT_ERRORS, Failure, FailureKind, broken, refused
from corpusmill.endpoint.network import endpoint_url, resolve_proxy, trusted_authorities
from corpusmill.endpoint.plain import Head
from corpusmill.endpoint.retry_after import retry_after_seconds
from corpusmill.endpoint.secret import Secret, presentable
from corpusmill.endpoint.transport import Outgoing, Transport, request_head
from corpusmill.endpoint.wire import decode_answer, decode_model_names, encode_call

CONNECT_TIMEOUT_SECONDS: Final = 10.0
LOOKUP_DEADLINE_SECONDS: Final = 30.0
REQUEST_ID: Final = "x-request-id"
"""The header in which a provider tells by which name it knows a call."""
REQUEST_ID_CHARS: Final = 200
_NO_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType({})


class CallRequest(msgspec.Struct, frozen=True):
    """One call: the upstream model's name, the prompt, and sampling parameters that are sent as they are."""

    model: str
    prompt: Prompt
    parameters: dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """An answered call: its completion, the case-insensitive headers, and the seconds it took to the last byte."""

    completion: Completion
    headers: Mapping[str, str]
    seconds: float


class Endpoint:
    """An API by its base URL and key, with connections for `concurrency` calls at once.

    Args:
        base_url: the API's root as OPENAI_BASE_URL holds it, with its /v1.
        api_key: sent as a bearer token; None for a server that asks for none.
        concurrency: the most connections; further calls wait for one within their deadline.
        environ: where HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR and REQUESTS_CA_BUNDLE
            are read, once.
        connect_timeout_seconds: how long making one connection may take.
        wall_clock: seconds since the epoch, which a `Retry-After` date is measured against.

    Raises:
        EndpointConfigError: one of them cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        api_key: Secret | None,
        concurrency: int,
        *,
        environ: Mapping[str, str] = _NO_ENVIRONMENT,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        if concurrency < 1:
            raise EndpointConfigError("concurrency must be at least 1")
        if api_key and not (api_key.reveal().isascii() and api_key.reveal().isprintable()):
            raise EndpointConfigError("the API key holds characters that no HTTP header can carry; copy it anew")
        url = endpoint_url(base_url)
        proxy = resolve_proxy(url, environ)
        self._root = str(url)
        self._url, self._proxy = url, proxy
        self._concurrency = concurrency
        self._connect_timeout_seconds = connect_timeout_seconds
        self._wall_clock = wall_clock
        self._trust = (
            trusted_authorities(environ) if "https" in {url.scheme, proxy.url.scheme if proxy else ""} else True
        )
        self._secrets = tuple(filter(None, (api_key, *(proxy.secrets if proxy else ()))))
        self._headers = {"User-Agent": f"corpusmill/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key.reveal()}"
        if proxy and proxy.authorization and url.scheme == "http":
            self._headers["Proxy-Authorization"] = proxy.authorization.reveal()
        content = {"Content-Type": "application/json"}
        self._heads = {
            "chat": self._head("POST", "chat/completions", content),
            "completions": self._head("POST", "completions", content),
        }

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._connections = Connections(
            self._url,
            self._proxy,
            concurrency=self._concurrency,
            trust=self._trust,
            connect_timeout_seconds=self._connect_timeout_seconds,
        )
        self._transport = Transport(self._connections)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.close()

    async def call(self, request: CallRequest, deadline_seconds: float) -> Answer | Failure:
        """Ask once, and read the whole answer within the deadline. Cancelling it closes its connection."""
        started = self._loop.time()
        prompt = request.prompt
        try:
            body = encode_call(request.model, prompt, request.parameters)
        except (TypeError, ValueError, RecursionError) as error:
            return self._told(Failure(FailureKind.BAD_REQUEST, f"the request cannot be written as JSON: {error}"))
        outgoing = Outgoing(b"%bContent-Length: %d\r\n\r\n%b" % (self._heads[prompt.api], len(body), body))
        try:
            head, content = await self._transport.exchange(outgoing, started + deadline_seconds)
        except TRANSPORT_ERRORS as error:
            return self._told(broken(error, sent=outgoing.sent))
        if not 200 <= head.code < 300:
            return self._told(self._refusal(head, content, request.model))
        completion = decode_answer(prompt.api, content, request.model, request_id(head.headers))
        if isinstance(completion, Failure):
            return self._told(completion)
        return Answer(completion, head.headers, self._loop.time() - started)

    async def models(self, deadline_seconds: float = LOOKUP_DEADLINE_SECONDS) -> list[str] | Failure:
        """The names of the models that the endpoint lists."""
        content = await self._get("models", "", deadline_seconds)
        if isinstance(content, Failure):
            return content
        names = decode_model_names(content)
        if names is None:
            return Failure(FailureKind.MALFORMED, "the answer to GET /models is not a listing of models", 200)
        return names

    async def model_exists(self, name: str, deadline_seconds: float = LOOKUP_DEADLINE_SECONDS) -> bool | Failure:
        """Whether the endpoint knows this model; one without GET /models/{name}, as vLLM, is asked for its listing."""
        found = await self._get(f"models/{quote(name, safe='/:@', errors='replace')}", name, deadline_seconds)
        if not isinstance(found, Failure):
            return True
        if found.status not in {404, 405}:
            return found
        names = await self.models(deadline_seconds)
        if not isinstance(names, Failure):
            return name in names
        return False if found.kind is FailureKind.MODEL_NOT_FOUND else names

    async def server_metrics(self, deadline_seconds: float) -> str | Failure:
        """What a self-hosted server tells of itself at /metrics, beside its /v1."""
        content = await self._get("metrics", "", deadline_seconds, root=self._root.removesuffix("/v1"))
        return content if isinstance(content, Failure) else content.decode("utf-8", "replace")

    async def _get(self, path: str, model: str, deadline_seconds: float, *, root: str | None = None) -> bytes | Failure:
        outgoing = Outgoing(self._head("GET", path, {}, root) + b"\r\n")
        try:
            head, content = await self._transport.exchange(outgoing, self._loop.time() + deadline_seconds)
        except TRANSPORT_ERRORS as error:
            return self._told(broken(error, sent=True))
        if not 200 <= head.code < 300:
            return self._told(self._refusal(head, content, model))
        return content

    def _head(self, method: str, path: str, headers: dict[str, str], root: str | None = None) -> bytes:
        """What a request to a path below the root begins with."""
        url = yarl.URL(f"{root or self._root}/{path}", encoded=True)
        return request_head(method, url, self._headers | headers, is_proxied=self._proxy is not None)

    def _refusal(self, head: Head, content: bytes, model: str) -> Failure:
        report = read_error(content) or ErrorReport(message=_plain_text(head, content))
        wait_seconds = retry_after_seconds(head.headers, report.message, self._wall_clock())
        failure = refused(head.code, report, model, wait_seconds)
        names = {name.lower(): value for name, value in head.headers.items()}
        told = {name: value for name, value in names.items() if "ratelimit" in name or name == REQUEST_ID}
        return msgspec.structs.replace(failure, headers=told)

    def _told(self, failure: Failure) -> Failure:
        """The failure as anybody may see it."""
        return msgspec.structs.replace(failure, message=presentable(failure.message, self._secrets))


def request_id(headers: Mapping[str, str]) -> str:
    """The name by which the provider knows a call, cut to 200 characters; "" where it told none that can be written."""
    told = headers.get(REQUEST_ID, "")
    return told[:REQUEST_ID_CHARS] if told.isascii() and told.isprintable() else ""


def _plain_text(head: Head, content: bytes) -> str:
    """What an answer that is no JSON says: where it redirects to, or its text unless that is a web page."""
    if 300 <= head.code < 400:
        return f"redirected to {head.headers.get('Location', 'nowhere')}; the base URL must be where that leads"
    if content.lstrip().startswith(b"<"):
        return head.reason or ""
    return content.decode(errors="replace")
