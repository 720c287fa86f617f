"""What may stand beside what in a body, for the document: rules between fields, which code checks."""

from pydantic import JsonValue


def shapes(*options: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """An object that has one of these shapes, for `json_schema_extra`."""
    return {"anyOf": list(options)}


def shape(*given: str, without: tuple[str, ...] = (), **exactly: str) -> dict[str, JsonValue]:
    """These fields are given and not null, those are left out or null, others have exactly this value."""
    properties: dict[str, JsonValue] = {name: {"not": {"type": "null"}} for name in given}
    # No type: what draws the document would find it at odds with the field's own.
    properties |= {name: {"const": None} for name in without}
    properties |= {name: {"const": value} for name, value in exactly.items()}
    return {"required": [*given, *exactly], "properties": properties}
