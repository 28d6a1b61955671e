"""Who may do what, and that nobody reaches what the operator did not name."""

import asyncio
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from corpusmill.config import Config, ConfigError, EndpointConfig, KeyConfig, ModelConfig, PriceConfig
from corpusmill.web.keys import Keyring, is_loopback, require_keys
from tests.web.harness import SPEC, daemon, spec
from tests.web.test_api import problem

READER, SUBMITTER, OTHER, OPERATOR = (f"{name}-key-0123456789" for name in ("reader", "submitter", "other", "operator"))
ENVIRON = {"READER": READER, "SUBMITTER": SUBMITTER, "OTHER": OTHER, "OPERATOR": OPERATOR}
KEYS = {
    "reader": KeyConfig(key_env="READER", scopes=["read"]),
    "submitter": KeyConfig(key_env="SUBMITTER", spend_usd=Decimal("0.01")),
    "other": KeyConfig(key_env="OTHER", priority="high", weight=5),
    "operator": KeyConfig(key_env="OPERATOR", scopes=["read", "operate", "submit"]),
}
CONFIG = Config(keys=KEYS)
ADDRESSES = ("/jobs", "/jobs/x", "/jobs/x/events", "/jobs/x/records", "/jobs/x/rejects", "/jobs/x/shards", "/service")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_without_a_key_nothing_but_the_probes_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, config=CONFIG, environ=ENVIRON) as client:
            for path in ADDRESSES:
                answer = await client.get(path)
                problem(answer, 401, "unauthorized")
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            problem(await client.post("/jobs", json=SPEC), 401, "unauthorized")
            problem(await client.ask("GET", "/metrics"), 401, "unauthorized")
            for wrong in ("Bearer nonsense", f"Basic {READER}", "Bearer", f"Bearer {READER}x", f"bearer {READER[:-1]}"):
                problem(await client.get("/jobs", headers={"Authorization": wrong}), 401, "unauthorized")
            for path in ("/livez", "/readyz", "/openapi.json"):
                assert (await client.ask("GET", path)).status == 200
            assert (await client.get("/jobs", headers={"Authorization": f"bearer  {READER}"})).status == 200

    asyncio.run(main())


def test_a_key_does_what_its_scopes_allow(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, config=CONFIG, environ=ENVIRON) as client:
            problem(await client.post("/jobs", json=SPEC, headers=bearer(READER)), 403, "scope-missing")
            made = await client.post("/jobs", json=SPEC, headers=bearer(OTHER))
            assert (made.status, made.json["submitted_by"]) == (201, "other")
            job = made.json["id"]
            assert (await client.get(f"/jobs/{job}", headers=bearer(READER))).status == 200
            problem(await client.post(f"/jobs/{job}/pause", headers=bearer(READER)), 403, "scope-missing")
            problem(await client.post(f"/jobs/{job}/pause", headers=bearer(SUBMITTER)), 403, "scope-missing")
            assert (await client.post(f"/jobs/{job}/pause", headers=bearer(OTHER))).status == 200
            assert (await client.post(f"/jobs/{job}/cancel", headers=bearer(OPERATOR))).status == 200

    asyncio.run(main())


def test_a_key_gets_the_priority_and_weight_it_may_have(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon(tmp_path, config=CONFIG, environ=ENVIRON) as client:
            high = await client.post("/jobs?priority=high&weight=5", json=SPEC, headers=bearer(OTHER))
            assert (high.json["priority"], high.json["weight"]) == ("high", 5)
            refused = await client.post("/jobs?priority=high", json=SPEC, headers=bearer(OPERATOR))
            problem(refused, 403, "priority-too-high")
            problem(await client.post("/jobs?weight=6", json=SPEC, headers=bearer(OTHER)), 403, "weight-too-high")

    asyncio.run(main())


def test_a_key_never_spends_more_than_its_cap(tmp_path: Path) -> None:
    """Each call costs 0.0004 dollars at most: 400 tokens at a dollar a million; the cap is 0.01."""
    prices = PriceConfig(Decimal(0), Decimal(1))
    config = Config(
        keys=KEYS,
        models={"default": ModelConfig("local", "simulated", prices)},
        endpoints={"local": EndpointConfig("http://127.0.0.1:9/v1")},
    )

    async def main() -> None:
        async with daemon(tmp_path, config=config, environ=ENVIRON) as client:
            first = await client.post("/jobs", json=spec(budget={"usd": 0.004}), headers=bearer(SUBMITTER))
            assert first.status == 201
            too_much = await client.post("/jobs", json=spec(budget={"usd": 0.0061}), headers=bearer(SUBMITTER))
            assert "0.006000 USD are left" in problem(too_much, 403, "spend-cap-reached")["detail"]
            rest = await client.post("/jobs", json=SPEC, headers=bearer(SUBMITTER))
            assert rest.json["budget"] == {"usd": 0.006}, "a job without a budget gets what is left"
            none = await client.post("/jobs", json=SPEC, headers=bearer(SUBMITTER))
            problem(none, 403, "spend-cap-reached")
            await client.post(f"/jobs/{rest.json['id']}/cancel", headers=bearer(SUBMITTER))
            again = await client.post("/jobs", json=SPEC, headers=bearer(SUBMITTER))
            assert again.json["budget"] == {"usd": 0.006}, "a job that cost nothing takes nothing of the cap"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"steps": [{**SPEC["steps"][0], "model": "gpt-secret"}]}, "steps[0].model"),
        ({"steps": [{**SPEC["steps"][0], "model": "http://evil.example/v1"}]}, "steps[0].model"),
        ({"space": {"axes": {"genre": ["a"], "n": {"file": "/etc/passwd"}}}}, "space.axes.n.file"),
        ({"space": {"axes": {"genre": ["a"], "n": {"file": "../secret.txt"}}}}, "space.axes.n.file"),
        ({"space": {"axes": {"genre": ["a"], "n": {"file": "places/../../secret.txt"}}}}, "space.axes.n.file"),
        ({"space": {"axes": {"genre": ["a"], "n": {"file": "places/link.txt"}}}}, "space.axes.n.file"),
        ({"space": {"axes": {"genre": ["a"], "n": {"file": "places//etc/passwd"}}}}, "space.axes.n.file"),
        ({"space": {"axes": {"genre": ["a"], "n": {"file": "places/pipe"}}}}, "space.axes.n.file"),
        ({"space": {"axes": {"genre": ["a"], "n": {"file": "places"}}}}, "space.axes.n.file"),
        ({"space": {"axes": {"genre": ["a"], "n": {"file": "http://evil.example/x"}}}}, "space.axes.n.file"),
        ({"space": {"axes": {"genre": ["a"]}, "documents": {"n": {"files": "/etc/*"}}}}, "space.documents.n.files"),
        (
            {"space": {"axes": {"genre": ["a"]}, "documents": {"n": {"files": "places/../*"}}}},
            "space.documents.n.files",
        ),
        ({"space": {"axes": {"genre": ["a"]}, "documents": {"n": {"jsonl": "else/x"}}}}, "space.documents.n.jsonl"),
        (
            {"space": {"axes": {"genre": ["a"]}, "documents": {"n": {"files": "places/none*"}}}},
            "space.documents.n.files",
        ),
    ],
)
def test_a_spec_reaches_nothing_that_the_operator_did_not_name(
    tmp_path: Path, change: dict[str, Any], path: str
) -> None:
    (tmp_path / "secret.txt").write_text("top secret\n")
    root = tmp_path / "places"
    root.mkdir()
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(root / "pipe")
    config = Config(
        roots={"places": str(root)},
        models={"default": ModelConfig("local", "simulated")},
        endpoints={"local": EndpointConfig("http://127.0.0.1:9/v1")},
    )

    async def main() -> None:
        async with daemon(tmp_path / "data", config=config) as client:
            told = problem(await client.post("/jobs", json=spec(**change)), 422, "invalid-spec")
            assert told["errors"][0]["path"] == path, told
            assert "top secret" not in told["detail"]
            assert str(tmp_path) not in told["detail"]
            assert problem(await client.post("/plan", json=spec(**change)), 422, "invalid-spec")

    asyncio.run(main())


def test_files_in_the_operators_folders_are_read(tmp_path: Path) -> None:
    root = tmp_path / "places"
    (root / "deep").mkdir(parents=True)
    (root / "deep" / "n.txt").write_text("one\ntwo\n")
    (root / "a.txt").write_text("a note")
    config = Config(roots={"places": str(root)})
    space = {
        "axes": {"genre": ["noir"], "n": {"file": "places/deep/n.txt"}},
        "documents": {"note": {"files": "places/*"}},
    }

    async def main() -> None:
        async with daemon(tmp_path / "data", config=config) as client:
            steps = [{**SPEC["steps"][0], "prompt": "{{ nonce }} A {{ genre }} plot, {{ n }}: {{ note }}"}]
            job = (await client.submit(spec(space=space, steps=steps)))["id"]
            done = await client.until(job, "finished", "failed")
            assert (done["state"], done["items"], done["error"]) == ("finished", 2, None)
            plan = (await client.post("/plan", json=spec(space=space, steps=steps))).json
            assert plan["items"] == 2

    asyncio.run(main())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_listening_for_others_needs_a_key(host: str) -> None:
    with pytest.raises(ConfigError, match="no key is configured"):
        require_keys(host, Keyring(Config(), {}))
    require_keys(host, Keyring(Config(), {"CORPUSMILL_SERVER_KEY": "k" * 32}))


def test_loopback_is_this_machine_alone() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost")] == [True] * 5
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "localhost.evil.example", "10.0.0.1", ""))


@pytest.mark.parametrize(
    ("keys", "environ", "told"),
    [
        ({"a": KeyConfig(key_env="A")}, {}, "keys.a.key_env: the variable A is not set"),
        ({"a": KeyConfig(key_env="A")}, {"A": "short"}, "keys.a: a key has at least 16 characters"),
        ({"a": KeyConfig(key_env="A"), "b": KeyConfig(key_env="A")}, {"A": "k" * 16}, "keys.b: the same key as a"),
    ],
)
def test_a_key_that_cannot_serve_is_refused(keys: dict[str, KeyConfig], environ: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=f"^{told}"):
        Keyring(Config(keys=keys), environ)
