"""Who is told of changes, and that he can believe it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from corpusmill.config import Config, ConfigError, WebhookConfig
from corpusmill.daemon.webhooks import signing_keys
from tests.web.harness import daemon, spec

HOOK = "HOOK"
SECRET = "whsec_" + "c2VjcmV0" * 6
Received = asyncio.Queue[tuple[dict[str, str], bytes]]


@asynccontextmanager
async def receiver(answer: Callable[[int], int]) -> AsyncIterator[tuple[str, Received]]:
    """A receiver of webhooks: its URL and what came; it answers the n-th message with the status told."""
    received: Received = asyncio.Queue()
    count = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        received.put_nowait(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=answer(count), headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", received
    finally:
        await runner.cleanup()


def config(url: str, states: tuple[str, ...] = ()) -> Config:
    hook = WebhookConfig(url, HOOK, None, [*states])  # type: ignore[list-item] # of states
    return Config(webhooks={"ops": hook})


def test_each_change_is_told_in_order_and_signed(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            receiver(lambda _: 204) as (url, received),
            daemon(tmp_path, config=config(url), environ={HOOK: SECRET}) as client,
        ):
            job = (await client.submit())["id"]
            told = []
            async with asyncio.timeout(20):
                for _ in range(3):
                    headers, body = await received.get()
                    message = Webhook(SECRET).verify(body, headers)
                    assert message["data"]["id"] == job
                    told.append(message["type"])
            assert sorted(told) == ["job.finished", "job.queued", "job.running"]

    asyncio.run(main())


def test_only_the_states_asked_for_are_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            receiver(lambda _: 200) as (url, received),
            daemon(tmp_path, config=config(url, states=("finished",)), environ={HOOK: SECRET}) as client,
        ):
            await client.until((await client.submit())["id"], "finished")
            async with asyncio.timeout(20):
                _, body = await received.get()
            told = json.loads(body)
            assert (told["type"], told["data"]["outcomes"]["kept"]) == ("job.finished", 20)
            assert received.empty()

    asyncio.run(main())


@pytest.mark.parametrize("status", [500, 302])
def test_what_was_not_taken_waits_for_the_next_daemon_with_the_same_id(tmp_path: Path, status: int) -> None:
    async def main() -> None:
        async with receiver(lambda count: status if count == 1 else 200) as (url, received):
            settings = config(url, states=("paused",))
            async with daemon(tmp_path, config=settings, environ={HOOK: SECRET}) as client:
                job = (await client.submit(spec()))["id"]
                await client.post(f"/jobs/{job}/pause")
                async with asyncio.timeout(20):
                    first, _ = await received.get()
            async with daemon(tmp_path, config=settings, environ={HOOK: SECRET}):
                async with asyncio.timeout(20):
                    second, _ = await received.get()
            assert first["webhook-id"] == second["webhook-id"]

    asyncio.run(main())


@pytest.mark.parametrize("secret", ["", "plain", "whsec_", "whsec_c2hvcnQ=", "whsec_***"])
def test_a_secret_that_cannot_sign_is_refused(secret: str) -> None:
    webhooks = {"ops": WebhookConfig("https://example.org", HOOK)}
    with pytest.raises(ConfigError, match=r"^webhooks.ops.secret"):
        signing_keys(webhooks, {HOOK: secret})
