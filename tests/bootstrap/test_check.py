"""What `check` finds of real endpoints over real sockets, and that it says what to mend."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from corpusmill.bootstrap.check import ADVICE, UNTRIED, Findings, check
from corpusmill.bootstrap.target import Upstream, UpstreamError, from_environment
from corpusmill.config import Config, ConfigError, EndpointConfig, ModelConfig, PriceConfig
from corpusmill.endpoint.failures import FailureKind
from corpusmill.simulate import SimulateOptions, serving
from corpusmill.spec.load import parse_spec
from corpusmill.spec.schema import JobSpec
from tests.endpoint.scripted import Request
from tests.endpoint.scripted import serving as scripted

AT = datetime(2026, 11, 21, tzinfo=UTC)
KEY = "sk-a-key-that-nobody-may-see"


def spec(parameters: str = "{max_tokens: 400}", more: str = "") -> JobSpec:
    body = f"""
name: tales
space: {{axes: {{genre: [noir, western]}}}}
steps: [{{name: plot, prompt: "A {{{{ genre }}}} plot.", parameters: {parameters}}}]
examples: [{{name: row, prompt: "{{{{ genre }}}}", completion: "{{{{ plot }}}}"}}]
{more}
"""
    return parse_spec(body.encode(), "yaml")


async def found(environ: Mapping[str, str], job: JobSpec | None = None, model: str | None = None) -> Findings:
    return await check(job, Upstream(Config(), from_environment(environ), model), environ, at=AT)


def found_at(options: SimulateOptions, job: JobSpec | None = None, model: str | None = None, **more: str) -> Findings:
    async def ask() -> Findings:
        async with serving(options) as base_url:
            return await found({"OPENAI_BASE_URL": base_url, **more}, job, model)

    return asyncio.run(ask())


def test_a_good_endpoint_has_no_problem() -> None:
    findings = found_at(SimulateOptions(api_key=KEY), spec(), OPENAI_API_KEY=KEY)
    assert findings.problems == 0
    (endpoint,), (model,) = findings.endpoints, findings.models
    assert (endpoint.name, endpoint.models) == ("default", 1)
    assert (model.alias, model.model, model.priced) == ("default", "simulated", False)
    assert model.seconds is not None
    assert model.input_tokens is not None
    assert model.output_tokens is not None
    assert 0 < model.output_tokens <= 16


def test_the_key_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "openai.key").write_text(f"{KEY}\n")
    assert found_at(SimulateOptions(api_key=KEY), OPENAI_API_KEY_FILE=str(tmp_path / "openai.key")).problems == 0
    with pytest.raises(ConfigError, match=r"OPENAI_API_KEY_FILE: .*absent cannot be read"):
        from_environment({"OPENAI_API_KEY_FILE": str(tmp_path / "absent")})


@pytest.mark.parametrize(
    ("given", "what"), [({}, "asks for a key"), ({"OPENAI_API_KEY": "sk-wrong"}, "refuses the key")]
)
def test_a_wrong_key_is_told_and_no_key_is_shown(given: dict[str, str], what: str) -> None:
    findings = found_at(SimulateOptions(api_key=KEY), spec(), **given)
    (endpoint,), (model,) = findings.endpoints, findings.models
    assert endpoint.problem is not None
    assert what in endpoint.problem
    assert "check OPENAI_API_KEY" in endpoint.problem
    assert model.problem == UNTRIED
    assert KEY not in repr(findings)
    assert "sk-wrong" not in repr(findings)


def test_a_wrong_model_is_told_with_the_nearest() -> None:
    findings = found_at(SimulateOptions(models=("llama-3", "qwen-3")), spec(), model="lama-3")
    assert findings.problems == 1
    assert findings.models[0].problem is not None
    assert "has no model 'lama-3'; did you mean 'llama-3'?" in findings.models[0].problem


def test_no_server_is_told() -> None:
    findings = asyncio.run(found({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, spec()))
    assert findings.endpoints[0].problem is not None
    assert "does not answer: no connection" in findings.endpoints[0].problem
    assert "check OPENAI_BASE_URL" in findings.endpoints[0].problem


def test_an_account_without_credit_is_told() -> None:
    findings = found_at(SimulateOptions(faults={"quota": 1.0}), spec())
    assert findings.endpoints[0].problem is None
    assert findings.models[0].problem is not None
    assert "You exceeded your current quota" in findings.models[0].problem
    assert "add credit" in findings.models[0].problem


def test_parameters_that_the_model_does_not_take_are_told() -> None:
    findings = found_at(SimulateOptions(faults={"bad_request": 1.0}), spec())
    assert findings.models[0].problem is not None
    assert "change them in the spec" in findings.models[0].problem


@pytest.mark.parametrize(
    ("body", "said"),
    [(b'{"error": {"message": "max_tokens is not supported"}}', "200"), (b"no such page", "usually ends in /v1")],
)
def test_a_refused_bound_is_left_out_and_an_address_with_nothing_is_told(body: bytes, said: str) -> None:
    """One server takes no `max_tokens`, another has nothing where the call goes."""
    sent: list[dict[str, Any]] = []

    async def answer(request: Request, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        good = b'{"choices": [{"message": {"content": "ready"}, "finish_reason": "stop"}]}'
        refusal = b"HTTP/1.1 400 Bad\r\n" if said == "200" else b"HTTP/1.1 404 Not Found\r\n"
        head, content = refusal, body
        if request.line.startswith("POST"):
            sent.append(request.json)
            if said == "200" and "max_tokens" not in request.json:
                head, content = b"HTTP/1.1 200 OK\r\n", good
        writer.write(head + b"Content-Length: %d\r\n\r\n%b" % (len(content), content))

    async def ask() -> Findings:
        async with scripted(answer) as server:
            return await found({"OPENAI_BASE_URL": server.url}, spec("{seed: 1}"), "m")

    (model,) = asyncio.run(ask()).models
    assert [call.get("max_tokens") for call in sent] == [16, None]
    assert all(call["seed"] == 1 for call in sent)
    if said == "200":
        assert (model.problem, model.input_tokens) == (None, None)
    else:
        assert model.problem is not None
        assert said in model.problem


def test_a_budget_in_dollars_needs_a_price() -> None:
    (model,) = found_at(SimulateOptions(), spec(more="budget: {usd: 1}")).models
    assert model.problem is not None
    assert "models.default.prices" in model.problem


def test_every_configured_endpoint_is_asked_though_another_is_down_or_has_no_key() -> None:
    async def ask() -> Findings:
        async with serving(SimulateOptions(models=("big",))) as base_url:
            config = Config(
                endpoints={
                    "good": EndpointConfig(base_url),
                    "down": EndpointConfig("http://127.0.0.1:9/v1"),
                    "keyless": EndpointConfig(base_url, api_key_env="NOT_SET"),
                    "spare": EndpointConfig(base_url, pool="spare"),
                },
                models={
                    "plots": ModelConfig(
                        ["good", "down", "keyless"], "big", PriceConfig(input=Decimal(1), output=Decimal(2))
                    ),
                    "notes": ModelConfig("good", "small"),
                },
            )
            return await check(None, Upstream(config, None), {}, at=AT)

    findings = asyncio.run(ask())
    told = {each.name: each.problem for each in findings.endpoints}
    assert told["good"] is None
    assert told["spare"] is None
    assert "check endpoints.down.base_url" in (told["down"] or "")
    assert "NOT_SET is not set" in (told["keyless"] or "")
    of_good = {each.alias: each for each in findings.models if each.endpoint == "good"}
    assert (of_good["plots"].problem, of_good["plots"].priced) == (None, True)
    assert "no model 'small'" in (of_good["notes"].problem or "")
    assert findings.problems == 5


def test_without_an_endpoint_there_is_nothing_to_check() -> None:
    with pytest.raises(UpstreamError, match="set OPENAI_BASE_URL"):
        asyncio.run(found({}))


def test_every_kind_of_failure_has_its_advice() -> None:
    assert set(ADVICE) == set(FailureKind)
