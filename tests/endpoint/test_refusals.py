import asyncio

import pytest

from corpusmill.endpoint.failures import Failure, FailureKind
from tests.endpoint.asking import failed
from tests.endpoint.scripted import reply, serving

HTML = b"<!DOCTYPE html><html><body>Sign in</body></html>"


def openai(message: str, code: object = None, kind: str | None = None, param: str | None = None) -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


REFUSALS: dict[FailureKind, dict[str, tuple[int, object]]] = {
    FailureKind.QUOTA_EXHAUSTED: {
        "quota by code": (429, openai("You exceeded your current quota", "insufficient_quota")),
        "quota by type": (429, openai("spend limit", "project_spend_limit_exceeded", "insufficient_quota")),
        "credits": (429, openai("no credits left", "credit_balance_exhausted")),
        "payment required": (402, {"error": {"message": "Insufficient Balance"}}),
    },
    FailureKind.RATE_LIMITED: {
        "rate limit": (429, openai("Rate limit reached", "rate_limit_exceeded", "requests")),
        "rate limit without a body": (429, b""),
        "rate limit, number as code": (429, openai("Too many", 429)),
        "rate limit, Azure": (429, {"error": {"code": "429", "message": "Please retry after 6 seconds."}}),
        "rate limit, Google": (429, [{"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED"}}]),
        "rate limit inside 200": (200, {"choices": [], "error": {"code": 429, "message": "provider"}}),
    },
    FailureKind.SLOW_DOWN: {
        "slow down": (429, openai("Slow down", "slow_down", "rate_limit_error")),
        "slow down, formerly": (503, openai("Slow down", "slow_down")),
    },
    FailureKind.OVERLOADED: {
        "overloaded": (503, b""),
        "overloaded, Anthropic": (529, {"type": "error", "error": {"type": "overloaded_error", "message": "x"}}),
    },
    FailureKind.REQUEST_TOO_LARGE: {
        "too large, 429": (
            429,
            openai("Request too large for gpt-test: Limit 1, Requested 9.", "rate_limit_exceeded", "tokens"),
        ),
        "too large, 413": (413, HTML),
        "too large, Groq": (413, openai("Limit 6000, Requested 7000", "rate_limit_exceeded", "tokens")),
        "context length": (400, openai("maximum context length is 8192", "context_length_exceeded")),
    },
    FailureKind.BAD_REQUEST: {
        "bad request": (400, openai("temperature too high", None, "invalid_request_error", "temperature")),
        "bad request, vLLM": (400, {"object": "error", "message": "bad", "type": "BadRequestError", "code": 400}),
        "bad request, FastAPI": (
            422,
            {"detail": [{"loc": ["body", "top_p"], "msg": "too big", "type": "value_error"}]},
        ),
        "content filter, Azure": (400, openai("filtered", "content_filter")),
        "moderation, OpenRouter": (
            403,
            {"error": {"code": 403, "message": "flagged", "metadata": {"flagged_input": "x", "reasons": []}}},
        ),
        "wrong path": (404, b"404 page not found"),
        "wrong method": (405, {"detail": "Method Not Allowed"}),
        "redirected": (307, b""),
    },
    FailureKind.UNAUTHORIZED: {
        "no key": (401, openai("Incorrect API key provided", "invalid_api_key")),
        "no key, text": (401, {"error": "Unauthorized"}),
        "no key, Google": (
            400,
            [
                {
                    "error": {
                        "code": 400,
                        "message": "x",
                        "status": "INVALID_ARGUMENT",
                        "details": [{"reason": "API_KEY_INVALID"}],
                    }
                }
            ],
        ),
        "forbidden": (403, {"message": "Forbidden"}),
    },
    FailureKind.MODEL_NOT_FOUND: {
        "no model": (404, openai("The model does not exist", "model_not_found")),
        "no model, vLLM": (404, openai("The model `gpt-test` does not exist.", 404, "NotFoundError")),
        "no model, by parameter": (404, openai("unknown", None, None, "model")),
        "no deployment": (404, openai("The API deployment does not exist.", "DeploymentNotFound")),
    },
    FailureKind.TIMEOUT: {
        "timeout at the server": (408, b""),
    },
    FailureKind.SERVER_ERROR: {
        "server error": (500, openai("The server had an error", None, "server_error")),
        "bad gateway": (502, HTML),
        "gateway timeout": (504, b"upstream timed out"),
        "unknown to the standard": (520, b""),
        "error inside 200": (200, {"error": {"code": 502, "message": "provider is down"}}),
    },
    FailureKind.MALFORMED: {
        "error without status inside 200": (200, {"error": {"message": "sorry"}}),
    },
}


ROWS = [(kind, *row) for kind, rows in REFUSALS.items() for row in rows.values()]


def fail(status: int, body: object) -> Failure:
    async def main() -> Failure:
        async with serving(reply(status, body)) as server:
            return await failed(server.url)

    return asyncio.run(main())


@pytest.mark.parametrize(("kind", "status", "body"), ROWS, ids=[name for rows in REFUSALS.values() for name in rows])
def test_refusals_by_status_code_and_type(kind: FailureKind, status: int, body: object) -> None:
    failure = fail(status, body)
    assert failure.kind is kind, failure
    assert failure.message
    if status != 200:
        assert failure.status == status
        assert str(status) in failure.message
        assert failure.maybe_charged == (status in {408, 500, 502, 504, 520})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (openai("said so"), "said so"),
        ({"error": "said so"}, "said so"),
        ({"detail": "said so"}, "said so"),
        ({"detail": [{"msg": "said so"}]}, "said so"),
        ({"message": "said so"}, "said so"),
        ({"error": {"error": {"message": "said so"}}}, "said so"),
        ([{"error": {"message": "said so"}}], "said so"),
        (b"said so", "said so"),
        (openai("said\n\tso\x1b[31m"), "said so [31m"),
        (HTML, "Scripted"),
        (b"\xff\xfe", "��"),
        ([], "[]"),
        (3, "3"),
        (b"", ""),
        ({"error": {"message": 3, "code": [], "details": 7}}, '{"error":{"message":3,"code":[],"details":7}}'),
    ],
)
def test_messages_say_what_the_server_said_in_one_line(body: object, text: str) -> None:
    message = fail(400, body).message
    assert message == f"HTTP 400: {text}".removesuffix(": ")
    assert message.isprintable()


def test_a_long_message_is_cut() -> None:
    message = fail(400, openai("long " * 1000)).message
    assert len(message) == 300
    assert message.endswith("…")


def test_a_redirect_is_told_and_not_followed() -> None:
    async def main() -> None:
        async with serving(reply(200, {})) as elsewhere:
            async with serving(reply(308, b"", {"Location": elsewhere.url})) as server:
                failure = await failed(server.url)
            assert not elsewhere.requests
        assert elsewhere.url in failure.message

    asyncio.run(main())
