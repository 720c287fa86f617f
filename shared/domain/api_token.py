"""An API token: what a CI job shows instead of somebody's password."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.roles import Permission

NOTED_EVERY = timedelta(hours=1)
"""How often the last use is noted at most: each note is a write."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An API token's document. The token itself is nowhere: it was shown once."""

    id: str
    user_id: str
    """On whose behalf it acts. It may never do more than they."""
    name: str
    scopes: tuple[Permission, ...]
    project_id: str | None
    """The one project that it sees; None is all of its owner's."""
    token_hash: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None


def use(token: ApiToken, now: datetime) -> ApiToken:
    """The token with its last use noted; the same object when that was done lately."""
    if token.last_used_at is not None and now < token.last_used_at + NOTED_EVERY:
        return token
    return replace(token, last_used_at=now)
