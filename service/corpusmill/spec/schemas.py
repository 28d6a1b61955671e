"""JSON Schemas of a spec: compiled, with linear-time patterns, and without a way to the network or the disk."""

from typing import TYPE_CHECKING, Any

from .errors import SpecError
from .wording import one_line

if TYPE_CHECKING:
    import jsonschema_rs


def compile_schema(schema: dict[str, Any]) -> "jsonschema_rs.Validator":
    """Return the validator of a schema.

    Raises:
        SpecError: without a path: it is not a JSON Schema, or refers to one elsewhere.
    """
    import jsonschema_rs  # noqa: PLC0415 - 15 MB that a spec without a schema does not need

    try:
        return jsonschema_rs.validator_for(
            schema, offline=True, pattern_options=jsonschema_rs.RegexOptions(), validate_formats=False
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        problem = getattr(error, "message", None) or str(error)
        raise SpecError("", f"not a JSON Schema that can be used: {one_line(problem)}") from None
