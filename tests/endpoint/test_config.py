import asyncio

import pytest

from corpusmill.endpoint.errors import EndpointConfigError
from tests.endpoint.asking import ask, endpoint
from tests.endpoint.scripted import chat_body, reply, serving


@pytest.mark.parametrize(
    ("base_url", "told"),
    [
        ("", "http"),
        ("localhost:8000/v1", "http"),
        ("ftp://host/v1", "http"),
        ("http://", "http"),
        ("http://host:99999/v1", "http"),
        ("http://two words/v1", "http"),
        ("http://a..b/v1", "http"),
        ("https://user:pass@host/v1", "credentials"),
        ("https://host/v1?api-version=1", "query"),
        ("https://host/v1#x", "fragment"),
        ("https://host/v1/chat/completions", "root"),
    ],
)
def test_a_base_url_that_cannot_be_meant_is_refused_at_once(base_url: str, told: str) -> None:
    with pytest.raises(EndpointConfigError, match=told) as refusal:
        endpoint(base_url)
    assert "pass@" not in str(refusal.value)


def test_a_key_no_header_can_carry_and_an_impossible_concurrency_are_refused() -> None:
    with pytest.raises(EndpointConfigError, match="API key") as refusal:
        endpoint("http://host/v1", key="sk-1\r\nX-Evil: 1")
    assert "sk-1" not in str(refusal.value)
    with pytest.raises(EndpointConfigError, match="concurrency"):
        endpoint("http://host/v1", concurrency=0)


def test_a_key_read_with_its_line_break_works() -> None:
    async def main() -> None:
        async with serving(reply(200, chat_body())) as server:
            await ask(server.url, key="sk-abc\n")
        assert server.requests[0].headers["authorization"] == "Bearer sk-abc"

    asyncio.run(main())
