"""A project: what environments belong to, and who may do what with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.domain.roles import Role

LOOK_AGAIN = timedelta(seconds=60)
"""After a project's end, when to look for environments that were being created at that moment: longer
than any request lasts. (A commit has no verify-only write, so this is how a racing create is caught.)"""


class Joined(NamedTuple):
    """How somebody became a member of a project that they didn't make."""

    email: str
    at: datetime
    request: str
    """What tells the request that added them: a repeat of it is known by that."""
    fingerprint: str | None
    """Of the request, if it came with an idempotency key."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project's document."""

    id: str
    name: str
    description: str | None
    repo_url: str | None
    roles: Mapping[str, Role]
    """Every member by user id."""
    created_at: datetime
    changed_at: datetime
    as_of: datetime
    """The moment of its last commit."""
    ended_at: datetime | None = None
    """When it was deleted. From then on nobody sees it or what belongs to it."""
    due_at: datetime | None = None
    """When its end must be carried on next."""
    fingerprint: str | None = None
    """Of the request that made it, if that may be repeated; likewise with environments and deployments."""
    joined: Mapping[str, Joined] = field(default_factory=dict)
    """By user id, of those that were added; see `shared.domain.members`."""


def edit(
    project: Project, now: datetime, *, name: str, description: str | None, repo_url: str | None
) -> Project:
    """The project with other fields; the same object when nothing differs."""
    changed = replace(project, name=name, description=description, repo_url=repo_url)
    return project if changed == project else replace(changed, changed_at=now, as_of=now)


def end(project: Project, now: datetime) -> Project:
    """Delete it: gone for every reader from now on, its environments to be ended at once."""
    return replace(project, ended_at=now, due_at=now, as_of=now)


@dataclass(frozen=True, slots=True)
class Remains:
    """What a look at an ended project's environments found."""

    more_to_end: bool
    """Whether environments are left that are not on their way out."""
    tombstones: bool
    """Whether environments are left at all."""


def carry_on(project: Project, now: datetime, remains: Remains, tombstone: timedelta) -> Project | None:
    """The ended project with its next look planned; None when nothing is left and it can be purged."""
    ended_at = project.ended_at or now
    if remains.more_to_end:
        due_at = now
    elif now < ended_at + LOOK_AGAIN:
        due_at = ended_at + LOOK_AGAIN
    elif remains.tombstones:
        # Tombstones outlast the project's own where environments ended late: not to be watched closely.
        due_at = max(now + max(LOOK_AGAIN, tombstone / 100), ended_at + tombstone)
    else:
        return None
    return replace(project, due_at=due_at, as_of=now)
