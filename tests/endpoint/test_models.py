import asyncio

import pytest

from corpusmill.endpoint.failures import Failure, FailureKind
from tests.endpoint.asking import endpoint
from tests.endpoint.scripted import Request, Script, http, reply, serving


@pytest.mark.parametrize(
    "body",
    [
        {"object": "list", "data": [{"id": "a", "object": "model"}, {"id": "b/c"}]},
        [{"id": "a"}, {"id": "b/c", "type": "chat"}],
    ],
)
def test_models_are_listed(body: object) -> None:
    async def main() -> None:
        async with serving(reply(200, body)) as server, endpoint(server.url) as opened:
            assert await opened.models() == ["a", "b/c"]
        assert server.requests[0].line == "GET /v1/models HTTP/1.1"

    asyncio.run(main())


def test_a_listing_that_is_none_is_malformed() -> None:
    async def main() -> None:
        async with serving(reply(200, {"models": 3})) as server, endpoint(server.url) as opened:
            listing = await opened.models()
        assert isinstance(listing, Failure)
        assert listing.kind is FailureKind.MALFORMED

    asyncio.run(main())


def catalogue(*, single: bool, status: int = 404) -> Script:
    """A server that knows the model "org/m 1"; `single`: and answers for it alone."""

    async def script(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if request.line.startswith("GET /v1/models HTTP"):
            writer.write(http(200, b'{"data": [{"id": "org/m 1"}]}'))
        elif single and request.line.startswith("GET /v1/models/org/m%201 HTTP"):
            writer.write(http(200, b'{"id": "org/m 1"}'))
        else:
            writer.write(http(status, b'{"error": {"message": "no such route"}}'))

    return script


@pytest.mark.parametrize("single", [True, False])
def test_a_model_is_found_with_and_without_a_route_of_its_own(single: bool) -> None:
    async def main() -> None:
        async with serving(catalogue(single=single)) as server, endpoint(server.url) as opened:
            assert await opened.model_exists("org/m 1") is True
            assert await opened.model_exists("other") is False

    asyncio.run(main())


def test_asking_for_a_model_without_a_valid_key_fails() -> None:
    async def main() -> None:
        async with serving(catalogue(single=False, status=401)) as server, endpoint(server.url) as opened:
            outcome = await opened.model_exists("other")
        assert isinstance(outcome, Failure)
        assert outcome.kind is FailureKind.UNAUTHORIZED

    asyncio.run(main())


@pytest.mark.parametrize(("code", "outcome"), [("model_not_found", False), ("no_such_route", FailureKind.BAD_REQUEST)])
def test_without_a_listing_the_word_of_the_models_own_route_counts(code: str, outcome: object) -> None:
    async def main() -> None:
        refusal = reply(404, {"error": {"message": "no", "code": code}})
        async with serving(refusal) as server, endpoint(server.url) as opened:
            exists = await opened.model_exists("other")
        assert (exists.kind if isinstance(exists, Failure) else exists) == outcome

    asyncio.run(main())
