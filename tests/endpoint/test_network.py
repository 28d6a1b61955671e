import asyncio
import base64
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvloop
import yarl

from corpusmill.endpoint.client import Answer
from corpusmill.endpoint.errors import EndpointConfigError
from corpusmill.endpoint.failures import Failure, FailureKind
from corpusmill.endpoint.network import endpoint_url, resolve_proxy
from tests.endpoint.asking import ask, endpoint, request
from tests.endpoint.scripted import Request, Script, chat_body, http, reply, serving

CREDENTIALS = "Basic " + base64.b64encode(b"alice:pa:ss").decode()


def tunnel(to_port: int) -> Script:
    """A proxy that connects every CONNECT to one local port, whatever host is asked for."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def script(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not request.line.startswith("CONNECT "):
            writer.write(http(405, b""))
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to_port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(copy(reader, far_writer))
                group.create_task(copy(far_reader, writer))
        finally:
            far_writer.transport.abort()

    return script


@dataclass
class Authority:
    certificate: Path
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate for localhost and api.test that nobody trusts unless told to."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command, which makes the certificate, is not installed")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "trusted" / "cert.pem", folder / "key.pem"
    certificate.parent.mkdir()
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=corpusmill test", "-addext", "subjectAltName=DNS:localhost,DNS:api.test,IP:127.0.0.1"]
    usage = ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        ["openssl", "req", "-x509", *curve, *names, *usage, *files],
        check=True,
        capture_output=True,
    )
    subprocess.run(["openssl", "rehash", str(certificate.parent)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return Authority(certificate, context)


def test_http_goes_through_the_proxy_with_its_credentials() -> None:
    async def main() -> None:
        async with serving(reply(200, chat_body())) as proxy:
            environ = {"HTTP_PROXY": f"http://alice:pa%3Ass@127.0.0.1:{proxy.port}"}
            outcome = await ask("http://api.test/v1", environ=environ)
        assert isinstance(outcome, Answer)
        (seen,) = proxy.requests
        assert seen.line == "POST http://api.test/v1/chat/completions HTTP/1.1"
        assert seen.headers["host"] == "api.test"
        assert seen.headers["proxy-authorization"] == CREDENTIALS

    asyncio.run(main())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_https_is_tunnelled_and_the_proxy_never_sees_the_key(run: object, authority: Authority) -> None:
    async def main() -> None:
        async with (
            serving(reply(200, chat_body("secret plot")), authority.context) as server,
            serving(tunnel(server.port)) as proxy,
        ):
            environ = {
                "https_proxy": f"http://alice:pa%3Ass@127.0.0.1:{proxy.port}",
                "SSL_CERT_FILE": str(authority.certificate),
            }
            async with endpoint("https://api.test/v1", environ=environ) as opened:
                outcomes = [await opened.call(request(), 5.0) for _ in range(2)]
        assert all(isinstance(outcome, Answer) for outcome in outcomes), outcomes
        (connect,) = proxy.requests
        assert connect.line == "CONNECT api.test:443 HTTP/1.1"
        assert connect.headers["proxy-authorization"] == CREDENTIALS
        assert "authorization" not in connect.headers
        assert len(server.requests) == 2
        assert server.requests[0].headers["authorization"] == "Bearer sk-test-0123456789"
        assert "proxy-authorization" not in server.requests[0].headers

    assert callable(run)
    run(main())


def test_no_proxy_is_honoured() -> None:
    async def main() -> None:
        async with serving(reply(200, chat_body())) as server, serving(reply(200, chat_body())) as proxy:
            environ = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": "example.com, 127.0.0.1"}
            assert isinstance(await ask(server.url, environ=environ), Answer)
        assert len(server.requests) == 1
        assert not proxy.requests

    asyncio.run(main())


@pytest.mark.parametrize(("status", "kind"), [(407, FailureKind.UNAUTHORIZED), (502, FailureKind.CONNECT)])
def test_a_proxy_that_refuses_is_told_and_costs_nothing(status: int, kind: FailureKind) -> None:
    async def main() -> None:
        async with serving(reply(status, b"")) as proxy:
            environ = {"ALL_PROXY": f"http://alice:pa%3Ass@127.0.0.1:{proxy.port}"}
            failure = await ask("https://api.test/v1", environ=environ)
        assert isinstance(failure, Failure)
        assert failure.kind is kind
        assert "proxy" in failure.message
        assert not failure.maybe_charged

    asyncio.run(main())


def test_a_proxy_that_is_not_there_is_told_without_its_password() -> None:
    failure = asyncio.run(ask("http://api.test/v1", environ={"HTTP_PROXY": "http://alice:hunter2@127.0.0.1:1"}))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.CONNECT
    assert "proxy" in failure.message
    assert "hunter2" not in repr(failure)


def test_a_password_that_a_proxy_echoes_is_masked() -> None:
    async def main() -> None:
        async with serving(reply(502, {"message": f"bad: pa:ss, pa%3Ass, {CREDENTIALS}"})) as proxy:
            environ = {"HTTP_PROXY": f"http://alice:pa%3Ass@127.0.0.1:{proxy.port}"}
            failure = await ask("http://api.test/v1", environ=environ)
        assert isinstance(failure, Failure)
        assert failure.message == "HTTP 502: bad: ***, ***, Basic ***"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "environ", "proxied"),
    [
        ("http://api.test/v1", {"HTTP_PROXY": "http://p:1"}, True),
        ("http://api.test/v1", {"http_proxy": "http://p:1"}, True),
        ("http://api.test/v1", {"HTTP_PROXY": "p:1"}, True),
        ("http://api.test/v1", {"HTTPS_PROXY": "http://p:1"}, False),
        ("https://api.test/v1", {"HTTPS_PROXY": "http://p:1"}, True),
        ("https://api.test/v1", {"HTTP_PROXY": "http://p:1"}, False),
        ("https://api.test/v1", {"all_proxy": "http://p:1"}, True),
        ("https://api.test/v1", {"HTTPS_PROXY": "  "}, False),
        ("https://api.test/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, False),
        ("https://api.test/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "test"}, False),
        ("https://api.test/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": ".test"}, False),
        ("https://api.test/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "*.test"}, False),
        ("https://api.test/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "x,  API.TEST "}, False),
        ("https://api.test/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "api.test:443"}, False),
        ("https://api.test/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "api.test:80"}, True),
        ("https://api.test/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "pi.test"}, True),
        ("https://api.test/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": ",,"}, True),
        ("http://10.1.2.3/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, False),
        ("http://10.1.2.3/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "10.9.9.9/8"}, False),
        ("http://11.1.2.3/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, True),
        ("http://127.0.0.1:8000/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1:8000"}, False),
        ("http://[::1]/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "::1"}, False),
        ("http://[::1]/v1", {"ALL_PROXY": "http://p:1", "NO_PROXY": "[::1]"}, False),
        ("http://127.0.0.1/v1", {}, False),
    ],
)
def test_which_proxy_the_environment_means(url: str, environ: Mapping[str, str], proxied: bool) -> None:
    proxy = resolve_proxy(endpoint_url(url), environ)
    assert (proxy is not None) == proxied
    assert proxy is None or proxy.url == yarl.URL("http://p:1")


@pytest.mark.parametrize("value", ["socks5://p:1", "http://", "http://p:99999", "http://a%3Ab:c@p:1"])
def test_a_proxy_that_cannot_be_used_is_refused_by_name(value: str) -> None:
    with pytest.raises(EndpointConfigError, match="HTTPS_PROXY"):
        endpoint("https://api.test/v1", environ={"HTTPS_PROXY": value})


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_a_named_authority_is_trusted(variable: str, authority: Authority) -> None:
    async def main() -> None:
        place = authority.certificate.parent if variable == "SSL_CERT_DIR" else authority.certificate
        async with serving(reply(200, chat_body()), authority.context) as server:
            url = f"https://127.0.0.1:{server.port}/v1"
            assert isinstance(await ask(url, environ={variable: str(place)}), Answer)

    asyncio.run(main())


def test_an_unknown_authority_is_not_trusted_and_the_remedy_is_told(authority: Authority) -> None:
    async def main() -> None:
        async with serving(reply(200, chat_body()), authority.context) as server:
            failure = await ask(f"https://localhost:{server.port}/v1")
            assert not server.requests
        assert isinstance(failure, Failure)
        assert failure.kind is FailureKind.CONNECT
        assert "SSL_CERT_FILE" in failure.message
        assert not failure.maybe_charged

    asyncio.run(main())


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_an_authority_that_is_not_there_is_refused_by_name(variable: str, tmp_path: Path) -> None:
    with pytest.raises(EndpointConfigError, match=variable):
        endpoint("https://api.test/v1", environ={variable: str(tmp_path / "nothing")})


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    with pytest.raises(EndpointConfigError, match="SSL_CERT_FILE"):
        endpoint("https://api.test/v1", environ={"SSL_CERT_FILE": str(tmp_path / "ca.pem")})


OTHER_USE = """
import sys
from corpusmill.endpoint.client import Endpoint
import aiohttp, uvloop
from aiohttp.connector import _SSL_CONTEXT_VERIFIED as usual

assert usual.cert_store_stats()["x509"] == 0, "a run that needs no authorities has not read them"

async def main():
    async with aiohttp.ClientSession() as session, session.get(sys.argv[1]) as response:
        print(response.status, usual.cert_store_stats()["x509"])

uvloop.run(main())
"""


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_session_beside_the_endpoint_trusts_the_authorities_of_the_system(
    is_trusted: bool, authority: Authority, tmp_path: Path
) -> None:
    nobody = tmp_path / "empty.pem"
    nobody.touch()
    environ = {**os.environ, "SSL_CERT_FILE": str(authority.certificate if is_trusted else nobody)}
    environ["SSL_CERT_DIR"] = str(tmp_path)

    async def main() -> tuple[str, str]:
        async with serving(reply(200, chat_body()), authority.context) as server:
            url, pipe = f"https://localhost:{server.port}/", subprocess.PIPE
            command = [sys.executable, "-c", OTHER_USE, url]
            process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=pipe, stderr=pipe)
            told, complained = await process.communicate()
            assert len(server.requests) == is_trusted
        return told.decode(), complained.decode()

    told, complained = asyncio.run(main())
    assert told == ("200 1\n" if is_trusted else "")
    assert ("certificate verify failed" in complained) is not is_trusted
