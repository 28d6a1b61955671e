"""Ready requests become a job that asks exactly what they ask."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from corpusmill.imports.job import ImportRefusedError, write_job
from tests.e2e.running import PROGRAM, command, environment

COOKBOOK: list[dict[str, Any]] = [
    {
        "model": "small",
        "messages": [{"role": "user", "content": f"Say {number} {{{{ twice }}}}."}],
        "max_tokens": 20,
        "temperature": 0.5,
        "metadata": {"row_id": number},
    }
    for number in range(3)
]
BATCH: list[dict[str, Any]] = [
    {
        "custom_id": f"request-{number}",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "small" if number % 2 else "large",
            "messages": [
                {"role": "developer", "content": f"You are helper {number}."},
                *([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}] if number > 1 else []),
                {"role": "user", "content": [{"type": "text", "text": f"Question {number}"}]},
            ],
            "seed": number % 2,
        },
    }
    for number in range(4)
]


def written(tmp_path: Path, requests: list[Any], name: str = "requests.jsonl") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in requests) + "\n\n")
    return path


def asked(tmp_path: Path, source: Path) -> list[dict[str, Any]]:
    """Import a file, run the job against an endpoint that writes down what it is asked, and return that."""
    done = command("import", source, tmp_path / "job", "--name", "job", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    plan = command("plan", "job/job.yaml", "--json", folder=tmp_path)
    assert plan.returncode == 0, plan.stderr
    return asyncio.run(_asked(tmp_path))


async def _asked(tmp_path: Path) -> list[dict[str, Any]]:
    bodies: list[dict[str, Any]] = []

    async def complete(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        message = {"role": "assistant", "content": f"Answer to {bodies[-1]['messages'][-1]['content']}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return web.json_response({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage})

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": name} for name in ("small", "large")]})

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        process = await asyncio.create_subprocess_exec(
            *(*PROGRAM, "run", "job/job.yaml", "--quiet"),
            cwd=tmp_path,
            env=environment(f"http://127.0.0.1:{port}/v1"),
        )
        assert await process.wait() == 0
    finally:
        await runner.cleanup()
    return sorted(bodies, key=lambda body: str(body["messages"]))


def corpus(tmp_path: Path) -> list[dict[str, Any]]:
    [path] = (tmp_path / "data" / "jobs" / "job" / "corpus").iterdir()
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_cookbooks_requests_are_asked_as_they_are(tmp_path: Path) -> None:
    bodies = asked(tmp_path, written(tmp_path, COOKBOOK))
    assert bodies == [{key: value for key, value in line.items() if key != "metadata"} for line in COOKBOOK]
    lines = corpus(tmp_path)
    assert sorted(line["values"]["request"] for line in lines) == [f"requests.jsonl:{number}" for number in (1, 2, 3)]
    assert all(line["messages"][1]["content"] == f"Answer to {line['messages'][0]['content']}" for line in lines)


def test_a_batchs_models_messages_and_parameters_are_honoured_line_by_line(tmp_path: Path) -> None:
    bodies = asked(tmp_path, written(tmp_path, BATCH))
    expected = []
    for line in BATCH:
        system, *turns, last = line["body"]["messages"]
        question = {"role": "user", "content": last["content"][0]["text"]}
        expected.append({**line["body"], "messages": [{**system, "role": "system"}, *turns, question]})
    assert bodies == expected
    lines = {line["values"]["request"]: line for line in corpus(tmp_path)}
    assert sorted(lines) == [f"request-{number}" for number in range(4)]
    assert lines["request-3"]["prompt"] == "system: You are helper 3.\n\nuser: Hi\n\nassistant: Yes?\n\nQuestion 3"
    assert lines["request-3"]["completion"] == "Answer to Question 3"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not an object of JSON"),
        ("[]", "not an object of JSON"),
        ({"messages": [{"role": "user", "content": "x"}]}, "has no `model`"),
        ({"model": "m", "input": "x"}, "no embeddings"),
        ({"model": "m", "messages": []}, "`messages` is a list; expected a list of messages"),
        ({"model": "m", "messages": [{"role": "assistant", "content": "x"}]}, "the last message is the assistant's"),
        ({"model": "m", "messages": [{"role": "tool", "content": "x"}]}, "the role `tool` that is no plain text"),
        ({"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "content is not text"),
        ({"model": "m", "messages": [{"role": "user", "content": " "}]}, "its prompt is empty"),
        ({"model": "m", "prompt": "x", "stream": True}, "asks for a stream"),
        ({"custom_id": 7, "model": "m", "prompt": "x"}, "`custom_id` is 7; expected text"),
        ({"method": "GET", "url": "/v1/completions", "body": {"model": "m", "prompt": "x"}}, "expected POST to"),
        ({"method": "POST", "url": "/v1/embeddings", "body": {"model": "m", "input": "x"}}, "expected POST to"),
    ],
)
def test_a_line_that_cannot_be_honoured_is_refused_by_its_number_and_nothing_is_left(
    tmp_path: Path, line: Any, problem: str
) -> None:
    source = written(tmp_path, [COOKBOOK[0], line])
    with pytest.raises(ImportRefusedError) as caught:
        write_job(source, tmp_path / "job", "b")
    assert str(caught.value).startswith(f"{source}: line 2: ")
    assert problem in str(caught.value)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["requests.jsonl"]


def test_a_refusal_is_one_line_and_exit_2(tmp_path: Path) -> None:
    done = command("import", written(tmp_path, ["{"], "Bad Requests.jsonl"), "job", folder=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"corpusmill: {tmp_path / 'Bad Requests.jsonl'}: line 1: not an object of JSON")
    done = command("import", written(tmp_path, COOKBOOK, "My Requests.jsonl"), "job", folder=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "next: corpusmill plan job/my-requests.yaml")
    assert command("import", "My Requests.jsonl", "job", "--name", "A!", folder=tmp_path).returncode == 2


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    source = written(tmp_path, COOKBOOK)
    write_job(source, tmp_path / "job", "a")
    before = {path: path.read_bytes() for path in (tmp_path / "job").iterdir()}
    with pytest.raises(ImportRefusedError, match="is there already"):
        write_job(source, tmp_path / "job", "a")
    with pytest.raises(ImportRefusedError, match="No such file"):
        write_job(tmp_path / "gone.jsonl", tmp_path / "job", "b")
    with pytest.raises(ImportRefusedError, match="has no request"):
        write_job(written(tmp_path, [], "void.jsonl"), tmp_path / "job", "b")
    many = written(tmp_path, [{**COOKBOOK[0], "seed": number} for number in range(60)], "many.jsonl")
    with pytest.raises(ImportRefusedError, match="line 51: has the 51st different set of model and parameters"):
        write_job(many, tmp_path / "job", "b")
    assert {path: path.read_bytes() for path in (tmp_path / "job").iterdir()} == before
