"""Structured output: a step's schema as the parameter by which an endpoint is told to follow it.

The form is that of OpenAI's chat completions (`response_format`), which vLLM, llama.cpp, Ollama, LM Studio and others
take as well. `strict` makes OpenAI follow a schema to the letter, but it takes only schemas in which every object lists
all its properties as required and allows no others (OpenAI's guide to structured outputs).
"""

from typing import Any

from corpusmill.spec.schema import Step

RESPONSE_FORMAT = "response_format"


def with_schema(step: Step) -> dict[str, Any]:
    """Return the step's parameters, with its schema among them where the endpoint is to be told."""
    if step.schema is None or not step.structured or step.api != "chat" or RESPONSE_FORMAT in step.parameters:
        return step.parameters
    described = {"name": step.name, "schema": step.schema, "strict": is_strict(step.schema)}
    return {**step.parameters, RESPONSE_FORMAT: {"type": "json_schema", "json_schema": described}}


def is_strict(schema: object) -> bool:
    """Whether every object in a schema lists all its properties as required and allows no others."""
    if isinstance(schema, list):
        return all(map(is_strict, schema))
    if not isinstance(schema, dict):
        return True
    if "properties" in schema or schema.get("type") == "object":
        properties = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(properties):
            return False
    return all(map(is_strict, schema.values()))
