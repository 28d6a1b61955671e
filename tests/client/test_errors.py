"""What an answer that is no success is taken for: a daemon's problem, or something else that speaks HTTP."""

import pytest

from corpusmill_client import NotFoundError, RefusedError, UnavailableError
from corpusmill_client.errors import error_of


def test_a_problem_speaks_for_itself() -> None:
    error = error_of(404, b'{"type":"urn:corpusmill:problem:not-found","title":"Not found","detail":"no job x"}')
    assert isinstance(error, NotFoundError)
    assert str(error) == "no job x"


@pytest.mark.parametrize(
    ("status", "content", "kind", "told"),
    [
        (404, b'{"error": {"message": "no such page"}}', NotFoundError, "no such page"),
        (418, b"<html>a teapot</html>", RefusedError, "a teapot"),
        (404, b"\xff", NotFoundError, "status 404"),
        (404, b"[]", NotFoundError, "status 404"),
    ],
)
def test_what_no_daemon_would_say_is_told_as_that(
    status: int, content: bytes, kind: type[Exception], told: str
) -> None:
    error = error_of(status, content)
    assert isinstance(error, kind)
    assert told in str(error)
    assert str(error).endswith("; is this a corpusmill daemon?")


def test_a_proxy_that_finds_its_daemon_gone_is_believed() -> None:
    error = error_of(502, b"<html>Bad Gateway</html>")
    assert isinstance(error, UnavailableError)
    assert str(error) == "status 502: <html>Bad Gateway</html>"
