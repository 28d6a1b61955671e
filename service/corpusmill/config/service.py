"""What the daemon's operator decides: where it listens, who may do what, how much at once, whom it tells.

Rule of this file: structs only; every bound stands in its type. Secrets stand where `secrets` reads them from.
"""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from corpusmill.spec.schema import JobName, Positive, Strict
from corpusmill.telemetry.metrics.names import GenAiNames

Scope = Literal["submit", "read", "operate", "admin"]
"""Submit jobs; read jobs and what they made; pause, resume and cancel; all of that, and the daemon itself."""

Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[int, Meta(ge=0, le=86_400)]


class ServerConfig(Strict, frozen=True):
    """How the daemon serves.

    Attributes:
        host: an address; without keys only one of this machine alone.
        port: 0 takes any free one.
        tls_cert, tls_key: PEM files; with them it speaks HTTPS.
        announce_seconds: how long `/readyz` says 503, at the end, before anything else stops.
        grace_seconds: how long calls that are out are waited for at the end.
        max_running: jobs that run at once.
        max_queued: jobs that may wait.
        idle_seconds: how long a connection may be open without a whole request head.
        max_body_mib: of a request.
        body_seconds: how long the body of a request may take to come.
        requests_per_second: of each key; above it answers are 429.
        max_streams: event streams and followers at once.
        on_quota: what becomes of jobs whose account may not spend any more, unless their spec says: they wait and ask
            again once a minute, or they fail and are to be resumed.
        open_metrics: `/metrics` asks for no key.
        genai_metrics: OpenTelemetry's names beside ours: off, v1.41 or latest.
        retention_days: after so many days, ended jobs and their files are deleted; None: never.
    """

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Port = 8378
    tls_cert: str | None = None
    tls_key: str | None = None
    announce_seconds: Seconds = 0
    grace_seconds: Seconds = 60
    max_running: Annotated[int, Meta(ge=1, le=1000)] = 4
    max_queued: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    idle_seconds: Annotated[int, Meta(ge=1, le=3600)] = 75
    max_body_mib: Annotated[int, Meta(ge=1, le=1024)] = 16
    body_seconds: Annotated[int, Meta(ge=1, le=3600)] = 30
    requests_per_second: Annotated[int, Meta(ge=1, le=1_000_000)] = 500
    max_streams: Annotated[int, Meta(ge=1, le=100_000)] = 256
    on_quota: Literal["pause", "stop"] = "pause"
    open_metrics: bool = False
    genai_metrics: GenAiNames = "off"
    retention_days: Positive | None = None


class KeyConfig(Strict, frozen=True):
    """An API key, by the name its owner is known under.

    Attributes:
        key_env, key_file: where the key is.
        sha256: or the SHA-256 of the key, in hexadecimal.
        scopes: what it may do.
        spend_usd: what all jobs submitted with it may cost together, ever; None: no cap.
        priority: the highest its jobs may have; they have `normal` unless asked for otherwise.
        weight: the most its jobs may have; they have 1 unless asked for otherwise.
    """

    key_env: str | None = None
    key_file: str | None = None
    sha256: str | None = None
    scopes: Annotated[list[Scope], Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["submit", "read"])
    spend_usd: Decimal | None = None
    priority: Literal["high", "normal", "low"] = "normal"
    weight: Annotated[int, Meta(ge=1, le=1000)] = 1


class WebhookConfig(Strict, frozen=True):
    """Who is told when a job's state changes.

    Attributes:
        url: gets a POST for each change, signed as Standard Webhooks are.
        secret_env, secret_file: where the signing secret is, `whsec_` and base64.
        states: of which states it is told; none: of all.
    """

    url: Annotated[str, Meta(min_length=1)]
    secret_env: str | None = None
    secret_file: str | None = None
    states: list[Literal["queued", "running", "paused", "finished", "failed", "cancelled", "exhausted"]] = (
        msgspec.field(default_factory=list)
    )


Keys = dict[JobName, KeyConfig]
Webhooks = dict[JobName, WebhookConfig]
Roots = dict[JobName, str]
"""Folders whose files a submitted spec may name, as `name/path/in/it`."""
