"""Times in Google's messages: the library declares protobuf's own types, and hands out and takes Python's."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp


def moment(field: Timestamp) -> datetime:
    """A time of a message, cut to the microsecond."""
    given = cast("datetime", field)
    return datetime.combine(given.date(), given.time(), UTC)


def span(field: Duration) -> timedelta:
    """A duration of a message; zero where it is not set."""
    return cast("timedelta", field) or timedelta(0)


def field_of(value: datetime | timedelta) -> Any:  # noqa: ANN401 - it is not what is declared
    """What a field for a time or a duration is set to."""
    return value
