"""A session: what a login begins and refreshing keeps alive. One document for the whole family of its tokens.

login ──> token 1 ── refresh ──> token 2 ── refresh ──> token 3
            └── once more within 30 s: token 2 again, its answer may have been lost
            └── later, or after token 2 was used: somebody has a copy, and the session ends
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

GRACE = timedelta(seconds=30)
"""How long a token that has been used is answered with its successor again."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts."""

    idle: timedelta
    """From its last use."""
    whole: timedelta
    """From its login, however often it is used."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session's document."""

    id: str
    user_id: str
    generation: int
    """The account's at the login: it counts how often all sessions were ended at once."""
    token_hash: str
    """Of the refresh token that is to be used next."""
    previous_hash: str | None
    """Of the one that was used last."""
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime
    """When the last token was made."""
    expires_at: datetime


class Use(StrEnum):
    """What it means that a refresh token is presented."""

    NEXT = "next"
    AGAIN = "again"
    COPIED = "copied"


def begin(
    session_id: str,
    user_id: str,
    generation: int,
    token_hash: str,
    user_agent: str | None,
    now: datetime,
    lifetime: Lifetime,
) -> Session:
    """The session of a login."""
    expires_at = _expiry(now, now, lifetime)
    return Session(session_id, user_id, generation, token_hash, None, user_agent, now, now, expires_at)


def judge(session: Session, token_hash: str, now: datetime) -> Use:
    """What it means that the token with this hash is presented now."""
    if token_hash == session.token_hash:
        return Use.NEXT
    if token_hash == session.previous_hash and now < session.last_used_at + GRACE:
        return Use.AGAIN
    return Use.COPIED


def rotate(session: Session, next_hash: str, now: datetime, lifetime: Lifetime) -> Session:
    """The session with its next token in place of the one that is used now."""
    return replace(
        session,
        token_hash=next_hash,
        previous_hash=session.token_hash,
        last_used_at=now,
        expires_at=_expiry(session.created_at, now, lifetime),
    )


def _expiry(created_at: datetime, now: datetime, lifetime: Lifetime) -> datetime:
    return min(created_at + lifetime.whole, now + lifetime.idle)
