"""Documents as Firestore's messages: names, values, versions.

They are protobuf's own messages. The wrappers that Google's library puts around them take twice
as long to read and four times as long to fill.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp

from shared.ports import Data, Document, Ref
from shared.times import from_text, to_text

Message = Any
"""A message of protobuf: the classes are made at run time, and have no types."""

_Value = types.Value.pb()
_ArrayValue = types.ArrayValue.pb()
_MapValue = types.MapValue.pb()

EXPIRING = "ttl_at"
"""The field that the TTL policy in `shared/indexes.json` names. A policy looks at moments, never at text."""

_VERSION = re.compile(r"([0-9]{1,11})\.([0-9]{6})000", re.ASCII)


def name(database: str, ref: Ref) -> str:
    """A document's full name."""
    return f"{database}/documents/{ref.collection}/{ref.id}"


def to_document_fields(data: Data) -> dict[str, Message]:
    """A whole document's data as fields, the moment of its TTL policy as one."""
    fields = to_fields(data)
    if isinstance(data.get(EXPIRING), str):
        moment = Timestamp()
        moment.FromDatetime(from_text(data[EXPIRING]))
        fields[EXPIRING] = _Value(timestamp_value=moment)
    return fields


def to_fields(data: Data) -> dict[str, Message]:
    """A document's data as fields."""
    return {key: to_value(item) for key, item in data.items()}


def to_value(item: object) -> Message:  # noqa: PLR0911 - one per type of JSON
    """A JSON value as Firestore holds it. Raises TypeError for what is none."""
    match item:
        case None:
            return _Value(null_value=0)
        case bool():
            return _Value(boolean_value=item)
        case int():
            return _Value(integer_value=item)
        case float():
            return _Value(double_value=item)
        case str():
            return _Value(string_value=item)
        case list() | tuple():
            return _Value(array_value=_ArrayValue(values=map(to_value, item)))
        case Mapping():
            return _Value(map_value=_MapValue(fields=to_fields(item)))
    raise TypeError(f"{type(item).__name__} is no JSON")


def from_value(value: Message) -> Any:  # noqa: ANN401 - JSON
    """The JSON value that Firestore holds."""
    kind = value.WhichOneof("value_type")
    match kind:
        case "null_value":
            return None
        case "map_value":
            return {key: from_value(item) for key, item in value.map_value.fields.items()}
        case "timestamp_value":
            return to_text(value.timestamp_value.ToDatetime(UTC))
        case "array_value":
            return [from_value(item) for item in value.array_value.values]
    return getattr(value, kind)


def to_document(ref: Ref, message: Message) -> Document:
    """A document as it was read."""
    data = {key: from_value(item) for key, item in message.fields.items()}
    return Document(ref, _to_version(message.update_time), data)


def _to_version(moment: Timestamp) -> str:
    return f"{moment.seconds}.{moment.nanos:09}"


def from_version(version: str) -> Timestamp | None:
    """The moment that a version stands for; None when the version is none of ours."""
    found = _VERSION.fullmatch(version)
    return Timestamp(seconds=int(found[1]), nanos=int(found[2]) * 1_000) if found else None
