"""What is wrong with a value, said as this project says things instead of as pydantic does."""

from collections.abc import Mapping
from typing import Any

_WORDS: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "must be a string",
    "string_unicode": "must not contain lone surrogates",
    "string_pattern_mismatch": "must not contain control characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of fewer digits",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "list_type": "must be an array",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "value_error": "{error}",
}
"""By pydantic's names of what it finds; those of our own validators say it themselves."""


def in_words(finding: Mapping[str, Any]) -> str:
    """One of a ValidationError's findings, with its context, as the end of a sentence about the value."""
    words = _WORDS.get(finding["type"])
    if words is None:
        return str(finding["msg"])
    context: Mapping[str, object] = finding.get("ctx", {})
    if context.get("min_length") == 1:
        return "must not be empty"
    return words.format_map({name: _plain(value) for name, value in context.items()})


def _plain(value: object) -> str:
    """A bound as people write it: no `.0`, no exponent below 10^15."""
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)
