"""How sessions and throttles lie in the store. The database removes both once they mean nothing any more."""

from shared.domain.session import Session
from shared.domain.throttle import FORGOTTEN_AFTER, Throttle
from shared.ports import Data
from shared.times import from_text, to_text


def session_data(session: Session) -> Data:
    """A session as a document."""
    return {
        "id": session.id,
        "user_id": session.user_id,
        "generation": session.generation,
        "token_hash": session.token_hash,
        "previous_hash": session.previous_hash,
        "user_agent": session.user_agent,
        "created_at": to_text(session.created_at),
        "last_used_at": to_text(session.last_used_at),
        "expires_at": to_text(session.expires_at),
        "ttl_at": to_text(session.expires_at),
    }


def session(data: Data) -> Session:
    """The session of a document."""
    return Session(
        id=data["id"],
        user_id=data["user_id"],
        generation=data["generation"],
        token_hash=data["token_hash"],
        previous_hash=data["previous_hash"],
        user_agent=data["user_agent"],
        created_at=from_text(data["created_at"]),
        last_used_at=from_text(data["last_used_at"]),
        expires_at=from_text(data["expires_at"]),
    )


def throttle_data(throttle: Throttle) -> Data:
    """A throttle that has seen a failure as a document."""
    assert throttle.failed_at is not None  # noqa: S101 - only those are stored
    return {
        "failures": throttle.failures,
        "failed_at": to_text(throttle.failed_at),
        "waiting": {address: to_text(until) for address, until in throttle.waiting.items()},
        "ttl_at": to_text(throttle.failed_at + FORGOTTEN_AFTER),
    }


def throttle(data: Data) -> Throttle:
    """The throttle of a document."""
    waiting = {address: from_text(until) for address, until in data["waiting"].items()}
    return Throttle(data["failures"], from_text(data["failed_at"]), waiting)
