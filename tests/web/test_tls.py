"""HTTPS by files, with a certificate authority of the operator's own."""

import asyncio
import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from corpusmill_client import Client, Patience, UnreachableError
from tests.e2e.running import command, simulated
from tests.e2e.serving import Served, served
from tests.web.harness import SPEC

KEY = "a-key-of-the-tests-0123456789"
ONCE = Patience(seconds=0.0)


class Authority:
    """A certificate authority in a folder, made with openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cert = folder / "ca.pem"
        self._made("ca", "-subj", "/CN=tests", "-addext", "basicConstraints=critical,CA:TRUE")

    def pair(self, name: str) -> tuple[Path, Path]:
        """A certificate for this machine, and its key."""
        signed = ("-CA", str(self.cert), "-CAkey", str(self.folder / "ca.key"))
        return self._made(name, *signed, "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1")

    @property
    def context(self) -> ssl.SSLContext:
        """What trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.cert))

    def _made(self, name: str, *options: str) -> tuple[Path, Path]:
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        ready = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        subprocess.run(
            ["openssl", "req", "-x509", *ready, "-keyout", key, "-out", cert, *options], check=True, capture_output=True
        )
        return cert, key


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "pki"
    folder.mkdir()
    return Authority(folder)


@contextmanager
def serving_tls(folder: Path, base_url: str, authority: Authority) -> Iterator[Served]:
    """A daemon, as a process of its own, that speaks HTTPS and has a key."""
    cert, key = authority.pair("daemon")
    more = {
        "CORPUSMILL_TLS_CERT": str(cert),
        "CORPUSMILL_TLS_KEY": str(key),
        "CORPUSMILL_SERVER_KEY": KEY,
    }
    with served(folder, base_url, **more) as running:
        yield running


def test_a_daemon_with_a_certificate_is_asked_by_clients_that_trust_it(tmp_path: Path, authority: Authority) -> None:
    with simulated() as base_url, serving_tls(tmp_path, base_url, authority) as running:
        assert running.url.startswith("https://127.0.0.1:")

        async def asked() -> None:
            async with Client(running.url, KEY, tls=authority.context) as client:
                job = await client.wait((await client.submit(SPEC)).id)
                assert (job.state, job.records) == ("finished", 20)
                assert len([record async for record in client.records(job.id, follow=True)]) == 20
                files = await client.download(job.id, tmp_path / "corpus")
                assert sum(path.read_text().count("\n") for path in files) == 20
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{running.url}/livez", ssl=authority.context) as answer,
            ):
                assert (answer.status, await answer.json()) == (200, {"status": "alive"})

        asyncio.run(asked())
        with urllib.request.urlopen(f"{running.url}/livez", context=authority.context, timeout=10) as answer:  # noqa: S310 - loopback
            assert json.load(answer) == {"status": "alive"}
        variables = {"CORPUSMILL_URL": running.url, "CORPUSMILL_API_KEY": KEY, "SSL_CERT_FILE": str(authority.cert)}
        done = command("jobs", "--json", folder=tmp_path, **variables)
        assert done.returncode == 0, done.stderr
        assert [job["state"] for job in json.loads(done.stdout)["items"]] == ["finished"]


def test_a_client_that_does_not_trust_the_certificate_sends_nothing_and_says_so(
    tmp_path: Path, authority: Authority
) -> None:
    with simulated() as base_url, serving_tls(tmp_path, base_url, authority) as running:

        async def refused() -> None:
            async with Client(running.url, KEY, patience=ONCE) as client:
                with pytest.raises(UnreachableError, match="certificate"):
                    await client.submit(SPEC)
            plain = running.url.replace("https://", "http://")
            async with Client(plain, KEY, patience=ONCE) as client:
                with pytest.raises(UnreachableError):
                    await client.submit(SPEC)
            async with Client(running.url, KEY, tls=authority.context) as client:
                assert [job async for job in client.jobs()] == []

        asyncio.run(refused())
        done = command("jobs", folder=tmp_path, CORPUSMILL_URL=running.url, CORPUSMILL_API_KEY=KEY)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "certificate" in done.stderr
        assert KEY not in done.stderr


def test_files_that_do_not_go_together_are_told_in_one_line_and_nothing_is_begun(
    tmp_path: Path, authority: Authority
) -> None:
    cert, key = map(str, authority.pair("daemon"))
    _, other = map(str, authority.pair("other"))
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    locked = tmp_path / "locked.key"
    lock = ["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", str(locked)]
    subprocess.run(lock, check=True, capture_output=True)
    none = str(tmp_path / "none.key")
    for pair in ((cert, other), (cert, none), (str(junk), key), (cert, cert), (cert, str(locked)), (cert, None)):
        given = zip(("CORPUSMILL_TLS_CERT", "CORPUSMILL_TLS_KEY"), pair, strict=True)
        variables = {name: path for name, path in given if path is not None}
        for arguments in (("serve", "--port", "0"), ("config", "check")):
            done = command(*arguments, folder=tmp_path, base_url="http://127.0.0.1:9/v1", **variables)
            assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
            assert done.stderr.startswith("corpusmill: server.tls_cert, server.tls_key: ")
        assert not (tmp_path / "data").exists()
