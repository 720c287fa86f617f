"""An event: one line of the audit, of something that somebody did or tried."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What became of it."""

    SUCCEEDED = "succeeded"
    DENIED = "denied"
    """Who asked was not known, or not permitted, or may not see the object."""
    FAILED = "failed"
    """It was not possible: a wrong password, input that is not acceptable, an object in another status."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event's document. It is written once."""

    id: str
    at: datetime
    """By the machine's clock, also where lifecycles have another."""
    actor_id: str | None
    """The user; None if it is not certain who it was."""
    api_token_id: str | None
    action: str
    """The operation, by its name in the OpenAPI document."""
    outcome: Outcome
    code: str | None
    """Of the problem that it was answered with; None if it succeeded."""
    project_id: str | None
    object_id: str | None
    """What was made or changed; None where that is no object with an id."""
    request_id: str
    address: str | None
    """Where the request came from, as far as that can be believed."""
