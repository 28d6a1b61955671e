"""Tells webhooks of changes, signed as Standard Webhooks are (standardwebhooks.com, version 1).

Rules of this file: only URLs of the operator's, no redirect is followed, an answer's body is not read. What cannot be
delivered is tried again for a day, at growing distances, and then given up.
"""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
from collections.abc import Callable, Mapping

import aiohttp

from corpusmill.config import ConfigError, WebhookConfig
from corpusmill.config.secrets import secret_of
from corpusmill.daemon.outbox import Delivery, Outbox, due, settle
from corpusmill.endpoint.secret import Secret
from corpusmill.jobs.queue.database import Database
from corpusmill.telemetry.events import Emit, WebhookDelivered

AGAIN_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""How long after each vain try the next one comes; the schedule that Standard Webhooks recommends."""

TIMEOUT_SECONDS = 15.0
AT_ONCE = 8
GONE = 410
PREFIX = "whsec_"


def signing_keys(webhooks: Mapping[str, WebhookConfig], environ: Mapping[str, str]) -> dict[str, bytes]:
    """Return the signing key of each webhook.

    Raises:
        ConfigError: a secret is not where it should be, or is none.
    """
    return {name: _key(f"webhooks.{name}.secret", webhook, environ) for name, webhook in webhooks.items()}


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`."""
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class Postman:
    """Delivers what is in the outbox.

    Args:
        database: holds the outbox.
        outbox: rings when there is something new.
        clock: wall clock, seconds.
        emit: takes events.

    Attributes:
        keys: the signing key of each webhook.
    """

    def __init__(self, database: Database, outbox: Outbox, clock: Callable[[], float], emit: Emit) -> None:
        self._database, self._outbox, self._clock, self._emit = database, outbox, clock, emit
        self.keys: Mapping[str, bytes] = {}

    async def run(self) -> None:
        """Deliver for ever."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)) as session:
            while True:
                deliveries, following = await due(self._database, self._clock(), AT_ONCE)
                async with asyncio.TaskGroup() as group:
                    for delivery in deliveries:
                        group.create_task(self._deliver(session, delivery))
                if not deliveries:
                    wait = None if following is None else max(following - self._clock(), 1.0)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait):
                            await self._outbox.news.wait()

    async def _deliver(self, session: aiohttp.ClientSession, delivery: Delivery) -> None:
        webhook = self._outbox.webhooks.get(delivery.webhook)
        key = self.keys.get(delivery.webhook)
        if webhook is None or key is None:
            await settle(self._database, delivery, None)
            return
        trouble = await self._post(session, webhook.url, key, delivery)
        if trouble is None:
            await settle(self._database, delivery, None)
            self._emit(WebhookDelivered(delivery.webhook, "delivered"))
        elif delivery.tries >= len(AGAIN_SECONDS) or trouble == str(GONE):
            await settle(self._database, delivery, None)
            self._emit(WebhookDelivered(delivery.webhook, "given_up", trouble))
        else:
            await settle(self._database, delivery, self._clock() + AGAIN_SECONDS[delivery.tries])
            self._emit(WebhookDelivered(delivery.webhook, "postponed", trouble))

    async def _post(self, session: aiohttp.ClientSession, url: str, key: bytes, delivery: Delivery) -> str | None:
        """Send a message; return what is wrong, None where it was taken."""
        timestamp = int(self._clock())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(key, delivery.id, timestamp, delivery.body),
        }
        try:
            async with session.post(url, data=delivery.body, headers=headers, allow_redirects=False) as answer:
                return None if 200 <= answer.status < 300 else str(answer.status)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return type(error).__name__


def _key(path: str, webhook: WebhookConfig, environ: Mapping[str, str]) -> bytes:
    secret = secret_of(path, webhook.secret_env, webhook.secret_file, environ) or Secret("")
    try:
        key = base64.b64decode(secret.reveal().removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < 24 or not secret.reveal().startswith(PREFIX):
        raise ConfigError(
            f"{path}: expected {PREFIX} and base64 of 24 bytes or more; make one with "
            f'`echo "{PREFIX}$(openssl rand -base64 32)"`'
        )
    return key
