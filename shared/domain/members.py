"""Who belongs to a project: joining, another role, leaving. A project always has an owner."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from shared.account_errors import AlreadyMember, LastOwner, TooManyMembers
from shared.domain.project import Joined, Project
from shared.domain.roles import Role
from shared.errors import NotFound

MOST_MEMBERS = 100
"""They lie in the project's document, which every request reads."""


class Member(NamedTuple):
    """Somebody in a project."""

    user_id: str
    role: Role
    joined_at: datetime
    email: str | None
    """None for whoever made the project: only those who are added come with their address."""


def member(project: Project, user_id: str) -> Member:
    """A member of the project. Raises NotFound."""
    if user_id not in project.roles:
        raise NotFound("member", user_id)
    joined = project.joined.get(user_id)
    if joined is None:
        return Member(user_id, project.roles[user_id], project.created_at, None)
    return Member(user_id, project.roles[user_id], joined.at, joined.email)


def newest_first(project: Project) -> list[Member]:
    """Every member, who came last first."""
    everybody = (member(project, user_id) for user_id in project.roles)
    return sorted(everybody, key=lambda one: (one.joined_at, one.user_id), reverse=True)


def added_by(project: Project, request: str) -> str | None:
    """The user id of the member that a request has added."""
    return next((user_id for user_id, joined in project.joined.items() if joined.request == request), None)


def owners(project: Project) -> list[str]:
    """The user ids of its owners."""
    return [user_id for user_id, role in project.roles.items() if role is Role.OWNER]


def add(project: Project, user_id: str, role: Role, joined: Joined) -> Project:
    """The project with a member more. Raises AlreadyMember or TooManyMembers."""
    if user_id in project.roles:
        raise AlreadyMember(joined.email, project.id, project.roles[user_id])
    if len(project.roles) >= MOST_MEMBERS:
        raise TooManyMembers(project.id, MOST_MEMBERS)
    changed = _with_roles(project, {**project.roles, user_id: role}, joined.at)
    return replace(changed, joined={**project.joined, user_id: joined})


def give_role(project: Project, user_id: str, role: Role, now: datetime) -> Project:
    """The project with a member in another role; the same object when it is that already.

    Raises NotFound or LastOwner.
    """
    if member(project, user_id).role is role:
        return project
    return _with_roles(project, {**project.roles, user_id: role}, now)


def remove(project: Project, user_id: str, now: datetime) -> Project:
    """The project without a member. Raises NotFound or LastOwner."""
    member(project, user_id)
    roles = {other: role for other, role in project.roles.items() if other != user_id}
    changed = _with_roles(project, roles, now)
    return replace(changed, joined={other: it for other, it in project.joined.items() if other != user_id})


def _with_roles(project: Project, roles: Mapping[str, Role], now: datetime) -> Project:
    """The project with other roles. It shows nothing of them, so it has not changed for its readers."""
    if Role.OWNER not in roles.values():
        raise LastOwner(project.id)
    return replace(project, roles=roles, as_of=now)
