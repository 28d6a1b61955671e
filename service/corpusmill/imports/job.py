"""A file of ready requests as a job: a spec, and the documents it reads, one for each request.

Requests of one model with the same parameters are one step; a job has as many steps as there are such kinds, and each
request goes through its own.

Rules of this file: the source is streamed; nothing is left where a line cannot be honoured.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from corpusmill.imports.requests import Request, RequestError, read_request

MOST_KINDS = 50
MAX_LINE_BYTES = 16 * 2**20


class ImportRefusedError(Exception):
    """A file of requests cannot be imported: where, what is wrong, what to do."""


class Imported(NamedTuple):
    """What was written: the spec, its documents, and how many requests of how many kinds."""

    spec: Path
    documents: Path
    requests: int
    kinds: int


class _Kinds:
    """The kinds of requests that were met: what is sent with a prompt, and which messages stand before it."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self.steps: list[dict[str, Any]] = []

    def of(self, request: Request) -> int:
        """Return the number of a request's kind, from 1."""
        shape = (request.api, request.model, request.parameters, request.system is not None, bool(request.history))
        key = msgspec.json.encode(shape, order="deterministic")
        if key not in self._numbers:
            if len(self._numbers) == MOST_KINDS:
                raise RequestError(f"has the {MOST_KINDS + 1}st different set of model and parameters; split the file")
            self._numbers[key] = len(self._numbers) + 1
            self.steps.append(_step(request, len(self._numbers)))
        return self._numbers[key]


def write_job(source: Path, folder: Path, name: str) -> Imported:
    """Write the spec and the documents of a job that asks what a file of requests asks.

    Args:
        source: JSON lines.
        folder: where the two are written; made if it is missing.
        name: of the job, and of the files.

    Raises:
        ImportRefusedError: the source cannot be read or honoured, or a file is there already.
    """
    spec, documents = folder / f"{name}.yaml", folder / f"{name}-requests.jsonl"
    for path in (spec, documents):
        if path.exists():
            raise ImportRefusedError(f"{path} is there already; choose another folder or name, or remove it")
    kinds, count = _Kinds(), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with documents.open("xb") as rows:
            for row in _rows(source, kinds):
                rows.write(msgspec.json.encode(row) + b"\n")
                count += 1
        if not count:
            raise ImportRefusedError(f"{source}: has no request")
        spec.write_text(yaml.safe_dump(_spec(name, documents.name, kinds.steps), sort_keys=False, allow_unicode=True))
    except OSError as error:
        documents.unlink(missing_ok=True)
        raise ImportRefusedError(f"{error.filename}: {error.strerror}") from None
    except ImportRefusedError:
        documents.unlink(missing_ok=True)
        raise
    return Imported(spec, documents, count, len(kinds.steps))


def _rows(source: Path, kinds: _Kinds) -> Iterator[dict[str, Any]]:
    with source.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if not line.strip():
                continue
            try:
                if len(line) > MAX_LINE_BYTES:
                    raise RequestError(f"longer than {MAX_LINE_BYTES // 2**20} MiB")
                request = read_request(line)
                kind = kinds.of(request)
            except RequestError as error:
                raise ImportRefusedError(f"{source}: line {number}: {error}") from None
            yield {
                "name": request.name or f"{source.name}:{number}",
                "kind": kind,
                "system": request.system or "",
                "history": request.history,
                "conversation": _conversation(request),
                "text": request.text,
            }


def _conversation(request: Request) -> str:
    """Return the messages before the last as text, for the rows of the corpus."""
    before = [("system", request.system)] if request.system else []
    turns = [*before, *((message["role"], message["content"]) for message in request.history)]
    return "".join(f"{role}: {content}\n\n" for role, content in turns)


def _step(request: Request, number: int) -> dict[str, Any]:
    step: dict[str, Any] = {"name": "answer" if number == 1 else f"answer_{number}", "model": request.model}
    if request.api != "chat":
        step["api"] = request.api
    if request.system is not None:
        step["system"] = "{{ request.fields.system }}"
    if request.history:
        step["conversation"] = "request.fields.history"
    step["prompt"] = "{{ request }}"
    if request.parameters:
        step["parameters"] = request.parameters
    return step


def _spec(name: str, documents: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    if len(steps) > 1:
        steps = [{**step, "when": f"request.fields.kind == {number}"} for number, step in enumerate(steps, start=1)]
    answer = "".join(f"{{{{ {step['name']} }}}}" for step in steps)
    return {
        "name": name,
        "space": {"documents": {"request": {"jsonl": documents, "name": "name"}}, "order": "sequential"},
        "steps": steps,
        "examples": [_example(steps, answer)],
    }


def _example(steps: list[dict[str, Any]], answer: str) -> dict[str, Any]:
    """Return the form of the rows: messages where every request has the same, else prompt and completion."""
    systems = {"system" in step for step in steps}
    if len(systems) > 1 or any("conversation" in step or "api" in step for step in steps):
        prompt = "{{ request.fields.conversation }}{{ request }}"
        return {"name": "answer", "prompt": prompt, "completion": answer}
    system = [{"role": "system", "content": "{{ request.fields.system }}"}] if systems == {True} else []
    turns = [{"role": "user", "content": "{{ request }}"}, {"role": "assistant", "content": answer}]
    return {"name": "answer", "messages": [*system, *turns]}
