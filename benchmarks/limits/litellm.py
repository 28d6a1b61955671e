"""The gate against LiteLLM's proxy, a rate limiter of somebody else's making, in front of the simulated endpoint.

Rule of this file: the proxy is what PyPI has, in an environment of its own (`make litellm`), set up by its
documented means: a `custom_auth` that gives the one key its limits. Everything stays on loopback. What the endpoint
behind it was asked for is what the proxy admitted; what the workers were refused is what it refused.
"""

import os
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from benchmarks.limits.sockets import SocketRow, drive, simulating
from corpusmill.limits.charge import Limits

ENVIRONMENT = Path(__file__).parents[2] / ".venv-litellm"
START_SECONDS = 90.0
WORKERS = 100
SETTLE_IN_SECONDS = 65.0
MEASURED_SECONDS = 120.0
"""Two of the proxy's minutes, after the first one: until a request is answered the proxy counts the whole of its
`max_tokens`, some 5 % of a minute here (32 requests, 880 tokens too many each). The first minute ends with those taken
and not given back; every later one is given back those of the minute before. Counted from mid-minute, or over less than
whole ones, the share says where in its minutes the proxy was found; refusals count from the first request."""
SERVERS: dict[str, Limits] = {
    "LiteLLM proxy, requests": Limits(requests_per_minute=1200),
    "LiteLLM proxy, tokens": Limits(tokens_per_minute=600_000),
}

AUTH = """
from litellm.proxy._types import UserAPIKeyAuth

async def key(request, api_key):
    return UserAPIKeyAuth(api_key="corpusmill", rpm_limit={requests_per_minute}, tpm_limit={tokens_per_minute})
"""
CONFIG = """
model_list:
  - model_name: simulated
    litellm_params: {{model: openai/simulated, api_base: "{base_url}", api_key: none}}
litellm_settings: {{num_retries: 0, telemetry: false}}
general_settings: {{custom_auth: limits_auth.key}}
"""


def is_installed() -> bool:
    """Return whether the proxy's environment was made."""
    return (ENVIRONMENT / ".ready").exists()


def run_litellm_row(
    name: str, seconds: float = MEASURED_SECONDS, settle_in_seconds: float = SETTLE_IN_SECONDS
) -> SocketRow:
    """Run the gate against the proxy with the limits of this name."""
    limits = SERVERS[name]
    with simulating(()) as upstream, proxying(upstream, limits) as base_url:
        drove = drive(
            base_url, limits, seconds, books_url=upstream, workers=WORKERS, settle_in_seconds=settle_in_seconds
        )
        return uvloop.run(drove)


@contextmanager
def proxying(upstream: str, limits: Limits) -> Iterator[str]:
    """Run the proxy in front of an endpoint while the block runs; gives its base URL."""
    with tempfile.TemporaryDirectory() as folder:
        place, port = Path(folder), free_port()
        rates = {name: getattr(limits, name) for name in ("requests_per_minute", "tokens_per_minute")}
        (place / "limits_auth.py").write_text(AUTH.format(**rates))
        (place / "config.yaml").write_text(CONFIG.format(base_url=upstream))
        command = [str(ENVIRONMENT / "bin" / "litellm"), "--config", "config.yaml", "--telemetry", "False"]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        with (
            (place / "log").open("wb") as log,
            subprocess.Popen(command, cwd=place, env=environ(), stdout=log, stderr=subprocess.STDOUT) as process,
        ):
            try:
                wait_until_up(f"http://127.0.0.1:{port}/health/liveliness", process, place / "log")
                yield f"http://127.0.0.1:{port}/v1"
            finally:
                process.terminate()


def environ() -> dict[str, str]:
    """Return the proxy's environment: nothing of this process's keys and proxies, and no word to the outside."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": tempfile.gettempdir(),
        "PYTHONPATH": ".",
        "LITELLM_MASTER_KEY": f"sk-{secrets.token_hex(16)}",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "CRITICAL",
        "DISABLE_ADMIN_UI": "True",
    }


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the proxy answers.

    Raises:
        RuntimeError: it ended, or does not answer in time.
    """
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"LiteLLM's proxy did not start: {log.read_text()[-2000:]}")


def free_port() -> int:
    """Return a port that is free at present: the proxy takes 0 for a port of its own choice, and tells nobody which."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
