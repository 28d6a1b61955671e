import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.harness import environ, output, refused
from tests.jobs.harness import SPEC

KEYS = ["job", "space", "items", "calls", "tokens", "cost_usd", "seconds", "samples"]

CONFIG = """
[endpoints.mine]
base_url = "http://127.0.0.1:9/v1"
api_key_env = "A_KEY_THAT_IS_NOT_SET"
requests_per_minute = 60

[models.default]
endpoint = "mine"
name = "my-model"
prices = {input = 1, output = 2}
"""

OFFLINE = """
import os, runpy, sys

def refuse(event, arguments):
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "os.mkdir", "subprocess.Popen"):
        print("forbidden:", event, arguments, file=sys.stderr)
        os._exit(9)

sys.addaudithook(refuse)
runpy.run_module("corpusmill", run_name="__main__")
"""
"""Runs the program in a process that dies if anything is connected to or written."""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tales.yaml"
    path.write_text(SPEC)
    return path


def test_the_object_has_exactly_the_promised_keys(spec: Path) -> None:
    plan = json.loads(output("plan", spec, "--json", "--samples", "2"))
    assert list(plan) == KEYS
    assert (plan["job"], plan["space"], plan["items"], plan["calls"]) == ("tales", 120, 120, 120)
    assert list(plan["tokens"]) == ["input", "output"]
    assert plan["cost_usd"] is None
    assert [list(sample) for sample in plan["samples"]] == [["index", "values", "prompts"]] * 2
    assert [list(prompt) for prompt in plan["samples"][0]["prompts"]] == [["step", "system", "prompt"]]
    assert plan["samples"][0]["values"].keys() == {"genre", "tone", "scene"}


def test_a_large_space_is_an_integer_in_json(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    axes = {f"a{number}": list(range(10)) for number in range(30)}
    step = {"name": "s", "prompt": "{{ a0 }}", "parameters": {"max_tokens": 10}}
    example = {"name": "e", "prompt": "", "completion": "{{ s }}"}
    path.write_text(json.dumps({"name": "huge", "space": {"axes": axes}, "steps": [step], "examples": [example]}))
    plan = json.loads(output("plan", path, "--json"))
    assert plan["space"] == plan["calls"] == 10**30
    assert re.search(r"  time +about 10\^\d+ d   at least", output("plan", path))


def test_options_stand_for_the_spec(spec: Path) -> None:
    plan = json.loads(output("plan", spec, "--json", "--limit", "60", "--rpm", "6"))
    assert (plan["items"], plan["seconds"]) == (60, 600)


@pytest.mark.parametrize("variables", [{"OPENAI_MODEL": "gpt-4o-mini"}, {}])
def test_the_price_is_that_of_the_named_model(spec: Path, variables: dict[str, str]) -> None:
    named = [] if variables else ["--model-name", "gpt-4o-mini"]
    plan = json.loads(output("plan", spec, "--json", *named, **variables))
    tokens = plan["tokens"]
    assert plan["cost_usd"] == pytest.approx(tokens["input"] * 0.15e-6 + tokens["output"] * 0.6e-6, abs=1e-6)
    told = output("plan", spec, *named, **variables)
    assert "gpt-4o-mini at https://api.openai.com/v1" in told
    assert "a run is simulated" in told


def test_an_own_endpoint_has_its_own_prices_and_limits_and_needs_no_key_yet(spec: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    plan = json.loads(output("plan", spec, "--config", config, "--json"))
    assert plan["cost_usd"] == pytest.approx((plan["tokens"]["input"] + 2 * plan["tokens"]["output"]) / 1e6, abs=1e-6)
    assert plan["seconds"] == 120
    told = output("plan", spec, "--config", config)
    assert "my-model at http://127.0.0.1:9/v1" in told
    assert "bound by requests_per_minute 60" in told
    assert "a run is simulated" not in told
    unpriced = output("plan", spec, "--model-name", "x", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert "the price of x at http://127.0.0.1:9/v1 is not known" in unpriced


def test_the_text_shows_every_axis_and_whole_prompts(spec: Path) -> None:
    told = output("plan", spec, "--samples", "1")
    prompt = json.loads(output("plan", spec, "--samples", "1", "--json"))["samples"][0]["prompts"][0]
    for line in (*prompt["prompt"].splitlines(), prompt["system"]):
        assert f"    {line}\n" in f"{told}\n"
    rows = [" ".join(line.split()) for line in told.splitlines()]
    assert "axis genre 3 values romance: of love, horror: of fear, western: of land" in rows
    assert "tone 2 values hopeful 75 %, grim 25 %" in rows
    assert "scene 10 values 1, 2.0, true, four, five, six, seven, eight, nine, ten" in rows


def test_nothing_is_called_and_nothing_written(spec: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-B", "-c", OFFLINE, "plan", str(spec), "--json"]
    variables = environ(OPENAI_BASE_URL="http://127.0.0.1:9/v1", OPENAI_API_KEY="k", OPENAI_MODEL="gpt-4o")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == KEYS
    assert list(tmp_path.iterdir()) == [spec]


def test_a_template_that_cannot_be_rendered_is_one_line_and_exit_2(spec: Path) -> None:
    spec.write_text(SPEC.replace("{{ scene }}.", "{{ scene + 1 }}."))
    assert refused("plan", spec).startswith("corpusmill: steps[0]: step plot cannot be rendered for item ")
    assert refused("plan", spec.with_name("gone.yaml")).endswith("cannot be read: No such file or directory")


def test_documents_that_cannot_be_used_are_counted_and_the_first_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("id,text\n1,one\n2\n3,\n")
    path = tmp_path / "notes.json"
    step = {"name": "s", "prompt": "{{ note }}"}
    example = {"name": "e", "prompt": "", "completion": "{{ s }}"}
    space = {"documents": {"note": {"csv": "notes.csv", "text": "text"}}}
    path.write_text(json.dumps({"name": "notes", "space": space, "steps": [step], "examples": [example]}))
    told = "cannot be used: 1 empty, 1 malformed; notes.csv:2: 1 fields, where the header has 2"
    assert told in output("plan", path, "--samples", "0")
