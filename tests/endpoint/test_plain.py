"""The short way of reading an answer says what the long one says, or nothing."""

import asyncio
from typing import Any

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpProcessingError, HttpResponseParser
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpusmill.endpoint.plain import read_plain

LINES = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 \r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"content-length:5\r\n",
    b"CONTENT-LENGTH: \t 0\r\n",
    b"Content-Length: 4, 5\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: 5_0\r\n",
    b"Content-Length : 5\r\n",
    b"X: a\r\n\tContent-Length: 5\r\n",
    b"X: a\nContent-Length: 2\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"transfer-encoding:\r\n chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"X-RateLimit-Limit-Requests:  7 \r\n",
    b"Server: \xc3\xa9\xff\r\n",
]


async def parsed(octets: bytes) -> tuple[dict[str, str], bytes] | None:
    """What aiohttp makes of it; None if that is an error or no whole 200."""
    loop = asyncio.get_running_loop()
    parser: Any = HttpResponseParser(BaseProtocol(loop), loop, 2**16, response_with_body=True, read_until_eof=True)
    try:
        messages, _, _ = parser.feed_data(octets)
    except HttpProcessingError:
        return None
    if not messages or not messages[0][1].is_eof():
        return None
    head, stream = messages[0]
    headers = {name.lower(): value for name, value in head.headers.items()}
    return (headers, await stream.read()) if head.code == 200 and not head.should_close else None


@settings(max_examples=300, deadline=None)
@given(
    first=st.sampled_from(LINES[:5]), lines=st.lists(st.sampled_from(LINES[5:]), max_size=5), body=st.binary(max_size=9)
)
@example(LINES[0], [LINES[5], LINES[13]], b"hello")
@example(LINES[0], [LINES[5], LINES[14]], b"0\r\n\r\n")
def test_what_is_read_as_plain_a_parser_reads_the_same(first: bytes, lines: list[bytes], body: bytes) -> None:
    octets = first + b"".join(lines) + b"\r\n" + body
    plain = read_plain(octets)
    if plain is None:
        return
    head, content, behind = plain
    by_parser = asyncio.run(parsed(octets[: len(octets) - behind]))
    assert ({name.lower(): head.headers[name] for name in head.headers}, content) == by_parser


def test_headers_are_found_in_any_case_and_all_the_same() -> None:
    plain = read_plain(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 2\r\nX-B:\t2 \r\n\r\n{}")
    assert plain is not None
    headers = plain[0].headers
    assert (headers["x-a"], headers.get("X-b"), headers.get("x-c")) == ("1", "2", None)
    assert len(headers) == 3
    assert "content-length" in headers


def test_an_answer_that_is_not_all_there_is_not_plain() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    assert read_plain(whole) is not None
    assert not [end for end in range(len(whole)) if read_plain(whole[:end]) is not None]
