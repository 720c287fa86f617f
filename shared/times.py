"""Moments as text and back: RFC 3339 in UTC, always with six decimals, so that text sorts as time."""

from datetime import UTC, datetime

_FORMAT = "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ"
"""`isoformat` of an aware moment takes twice as long, and a document has dozens of them."""


def to_text(moment: datetime) -> str:
    """`2026-01-31T12:00:00.000000Z`, whatever the zone of the (aware) moment."""
    at = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return _FORMAT % (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)


def from_text(text: str) -> datetime:
    """The moment of a text that `to_text` made."""
    return datetime.fromisoformat(text)
