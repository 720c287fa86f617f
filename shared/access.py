"""The one place that decides what a caller may see and do."""

from dataclasses import dataclass

from shared.domain.project import Project
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request."""

    user_id: str


def visible_project(project: Project | None, caller: Caller, kind: str, object_id: str) -> Project:
    """The project, if the caller is a member of it and it has not ended.

    Everything else is NotFound in the name of what was asked for: what isn't visible doesn't exist.
    """
    if project is None or project.ended_at is not None or caller.user_id not in project.roles:
        raise NotFound(kind, object_id)
    return project
