import asyncio
import copy
import pickle

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.endpoint.failures import Failure
from corpusmill.endpoint.secret import MASK, Secret, presentable
from tests.endpoint.asking import endpoint, failed, request
from tests.endpoint.scripted import Script, reply, serving, then_close

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=200)


@given(KEYS)
def test_a_secret_shows_itself_nowhere(key: str) -> None:
    secret = Secret(key)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>9}", "%s %r" % (secret, secret), repr({"key": secret})]  # noqa: UP031
    assert all(MASK in text and key not in text for text in shown)
    assert secret.reveal() == key
    assert bool(secret)
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, msgspec.json.encode, msgspec.to_builtins])
def test_a_secret_is_not_serialised(leak: object) -> None:
    assert callable(leak)
    with pytest.raises(TypeError) as refusal:
        leak(Secret("sk-0123456789"))
    assert "sk-0123456789" not in str(refusal.value)


@given(key=KEYS, around=st.tuples(st.text(max_size=400), st.text(max_size=400)), times=st.integers(1, 40))
def test_a_presentable_text_is_one_short_line_without_the_secret(key: str, around: tuple[str, str], times: int) -> None:
    told = presentable((around[0] + key) * times + around[1], [Secret(""), Secret(key)])
    assert len(told) <= 300
    assert told.isprintable()
    assert key not in told.replace(MASK, " ")


def echoes(key: str) -> list[Script]:
    said = f"Incorrect API key provided: {key}. {'You can find it. ' * 20} {key}"
    return [
        reply(401, {"error": {"message": said, "code": "invalid_api_key"}}),
        reply(400, {"detail": [{"msg": said}]}),
        reply(500, said.encode()),
        reply(307, b"", {"Location": f"http://elsewhere/?key={key}"}),
        reply(200, {"error": {"message": said}}),
        reply(200, said.encode()),
        reply(200, {"choices": [{"message": {"content": ""}, "finish_reason": key}]}),
        then_close(b"HTTP/1.1 200 " + key.encode() + b"\r\nBroken " + key.encode() + b"\r\n\r\n"),
    ]


@settings(max_examples=15, deadline=None)
@given(key=KEYS.filter(lambda key: MASK not in key))
def test_no_failure_repeats_the_key_that_a_server_echoes(key: str) -> None:
    async def main() -> list[Failure]:
        failures = []
        for script in echoes(key):
            async with serving(script) as server:
                failures.append(await failed(server.url, key=key))
                assert key not in repr(endpoint(server.url, key=key))
        return failures

    for failure in asyncio.run(main()):
        assert key not in failure.message
        assert key not in repr(failure)
        assert key not in str(failure)


def test_a_lookup_does_not_repeat_it_either() -> None:
    async def main() -> None:
        async with serving(echoes("sk-secret-0123")[0]) as server, endpoint(server.url, key="sk-secret-0123") as opened:
            for outcome in (await opened.models(), await opened.model_exists("m"), await opened.call(request(), 5.0)):
                assert isinstance(outcome, Failure)
                assert MASK in outcome.message
                assert "sk-secret-0123" not in repr(outcome)

    asyncio.run(main())
