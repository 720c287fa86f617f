"""Moments as text and back: RFC 3339 in UTC, always with six decimals, so that text sorts as time."""

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """`2026-01-31T12:00:00.000000Z`, whatever the zone of the (aware) moment."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def from_text(text: str) -> datetime:
    """The moment of a text that `to_text` made."""
    return datetime.fromisoformat(text)
