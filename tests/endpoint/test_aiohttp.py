"""What connections use of aiohttp that its documentation does not promise; pyproject.toml bounds the version.

If one of these fails after an update, endpoint/connections.py and endpoint/line.py have to be read again beside
the new aiohttp: a call that is only renamed fails here, not in the middle of somebody's job.
"""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
import yarl
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.streams import StreamReader


@pytest.mark.parametrize(
    ("call", "parameters"),
    [
        (aiohttp.BaseConnector.connect, ["self", "req", "traces", "timeout"]),
        (Connection.close, ["self"]),
        (ResponseHandler.__init__, ["self", "loop"]),
        (ResponseHandler.data_received, ["self", "data"]),
        (ResponseHandler.connection_lost, ["self", "exc"]),
        (ResponseHandler.force_close, ["self"]),
        (ResponseHandler.read, ["self"]),
        (ResponseHandler.is_connected, ["self"]),
        (StreamReader.readany, ["self"]),
        (StreamReader.at_eof, ["self"]),
    ],
)
def test_the_calls_take_what_they_are_given(call: Callable[..., Any], parameters: list[str]) -> None:
    assert list(inspect.signature(call).parameters) == parameters


def test_the_parser_can_be_told_to_read_until_the_end() -> None:
    parameters = inspect.signature(ResponseHandler.set_response_params).parameters
    assert parameters["read_until_eof"].kind is inspect.Parameter.KEYWORD_ONLY
    assert all(each.default is not inspect.Parameter.empty for name, each in parameters.items() if name != "self")
    assert parameters["auto_decompress"].default is True


@pytest.mark.parametrize("name", ["should_close", "writing_paused"])
def test_a_protocol_tells_its_state(name: str) -> None:
    assert isinstance(inspect.getattr_static(ResponseHandler, name), property)


@pytest.mark.parametrize("name", ["protocol", "transport"])
def test_a_connection_shows_what_it_is_made_of(name: str) -> None:
    assert isinstance(inspect.getattr_static(Connection, name), property)


def test_a_connector_makes_its_protocols_by_a_factory_of_its_own() -> None:
    async def main() -> None:
        async with aiohttp.TCPConnector() as connector:
            made = connector._factory()
            assert type(made) is ResponseHandler
            assert made._loop is asyncio.get_running_loop()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["code", "headers", "reason"])
def test_the_head_of_an_answer_has_its_fields(name: str) -> None:
    assert hasattr(RawResponseMessage, name)


def test_what_is_not_http_is_told_with_a_code_and_a_message() -> None:
    error = HttpProcessingError(code=400, message="no HTTP")
    assert (error.code, error.message) == (400, "no HTTP")


def test_a_request_can_be_made_without_a_session_to_say_where_to_connect() -> None:
    async def main() -> aiohttp.ClientRequest:
        loop = asyncio.get_running_loop()
        proxy, headers = yarl.URL("http://proxy.test:3128"), {"Proxy-Authorization": "Basic x"}
        url = yarl.URL("https://api.test/v1")
        return aiohttp.ClientRequest("POST", url, loop=loop, proxy=proxy, proxy_headers=headers)

    request = asyncio.run(main())
    assert request.connection_key.host == "api.test"
    assert request.connection_key.is_ssl
    assert request.connection_key.proxy == yarl.URL("http://proxy.test:3128")
    assert "Authorization" not in request.request_info.headers
