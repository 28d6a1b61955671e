"""The OpenAPI 3.1 document, made from the declared operations.

Rule of this file: nothing stands here that is not in an `Operation`.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from corpusmill import __version__
from corpusmill.spec.schema import JobSpec
from corpusmill.web.operation import Content, Operation
from corpusmill.web.problems import CONTENT_TYPE, Problem

ALWAYS = (422, 429, 500)
"""What any operation may answer besides."""

KEYED = (401, 403)
"""What an operation that asks for a key may answer besides."""

EXAMPLE = {
    "name": "plots",
    "space": {"axes": {"genre": ["noir", "western"], "place": ["France", "Japan"]}},
    "steps": [
        {
            "name": "plot",
            "prompt": "{{ nonce }} A plot outline for a {{ genre }} film set in {{ place }}.",
            "parameters": {"max_tokens": 400},
        }
    ],
    "examples": [{"name": "row", "prompt": "{{ genre }} in {{ place }}:", "completion": " {{ plot }} END"}],
}
"""A spec to begin with."""

PATH_PATTERNS = {"id": r"^[a-z0-9-]{1,100}$", "name": r"^[0-9]{5,}\.jsonl(\.zst)?$"}


def openapi(operations: Sequence[Operation], keyed: bool) -> dict[str, Any]:
    """Return the document.

    Args:
        operations: of the API.
        keyed: whether the daemon asks for keys.
    """
    queries = [operation.query for operation in operations]
    answers = [content.type for each in operations for content in each.answers.values() if content.type is not None]
    types = list(dict.fromkeys([JobSpec, Problem, *answers, *queries]))
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    _drop_empty_defaults(components)
    known = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = paths.setdefault(operation.path, {})
        path[operation.method.lower()] = _operation(operation, known, components, keyed)
        _link(path[operation.method.lower()], operation, operations)
    for name in {query.__name__ for query in queries}:
        components.pop(name, None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "corpusmill", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation, known: dict[Any, Any], components: dict[str, Any], keyed: bool) -> dict[str, Any]:
    asks = keyed and operation.scope is not None
    problems = {*operation.problems, *ALWAYS, *(KEYED if operation.scope is not None else ())} - {*operation.answers}
    document: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation, components), *_headers(operation)],
        "responses": {
            **{str(status): _response(content, known) for status, content in operation.answers.items()},
            **{str(status): _problem(status, known) for status in sorted(problems)},
        },
        "security": [{"key": []}] if asks else [],
    }
    if operation.takes:
        content = {kind: {"schema": known[JobSpec], "example": EXAMPLE} for kind in operation.takes}
        document["requestBody"] = {"required": True, "content": content}
    return document


def _drop_empty_defaults(components: dict[str, Any]) -> None:
    """Leave out a default that would not be allowed if it were written: what is left out is checked elsewhere."""
    for schema in components.values():
        for field in schema.get("properties", {}).values():
            if field.get("minProperties", 0) > 0 and field.get("default") == {}:
                del field["default"]


def _link(document: dict[str, Any], operation: Operation, operations: Sequence[Operation]) -> None:
    """Say which operations a job's id in an answer leads to."""
    for status, content in operation.answers.items():
        if content.links:
            document["responses"][str(status)]["links"] = {
                each.id: {"operationId": each.id, "parameters": {"id": "$response.body#/id"}}
                for each in operations
                if "{id}" in each.path and "{name}" not in each.path
            }


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", operation.path)
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": PATH_PATTERNS[name]}}
        for name in names
    ]


def _query_parameters(operation: Operation, components: dict[str, Any]) -> list[dict[str, Any]]:
    schema = components.get(operation.query.__name__, {})
    return [
        {"name": name, "in": "query", "required": False, "schema": each} for name, each in schema["properties"].items()
    ]


def _headers(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in operation.request_headers.items()
    ]


def _response(content: Content, known: dict[Any, Any]) -> dict[str, Any]:
    response: dict[str, Any] = {"description": content.description}
    if content.type is not None:
        response["content"] = {content.media_type: {"schema": known[content.type]}}
    elif content.media_type != "application/json":
        response["content"] = {content.media_type: {"schema": {}}}
    if content.headers:
        response["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in content.headers.items()
        }
    return response


def _problem(status: int, known: dict[Any, Any]) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": {CONTENT_TYPE: {"schema": known[Problem]}}}
