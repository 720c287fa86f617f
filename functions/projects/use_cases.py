"""What the projects function does."""

from typing import Any

from shared import documents, ids, listing
from shared.access import Caller
from shared.changing import create, until_committed, wake
from shared.clock import effective_now
from shared.domain import project as projects
from shared.domain.environment import ENDED, LIVE
from shared.domain.project import Project, Role
from shared.errors import ProjectInUse
from shared.ports import Cursor, Filter, Order, Page, Query, Update
from shared.reading import ProjectSeen, fetch, read_project
from shared.runtime import Runtime


def create_project(
    runtime: Runtime, caller: Caller, *, name: str, description: str | None, repo_url: str | None
) -> Project:
    """A new project that the caller owns."""
    now = fetch(runtime, []).clock_time
    project = Project(
        id=ids.new_project_id(),
        name=name,
        description=description,
        repo_url=repo_url,
        roles={caller.user_id: Role.OWNER},
        created_at=now,
        changed_at=now,
        as_of=now,
    )
    data = documents.project_data(project)
    create(runtime, documents.project_ref(project.id), data, f"Project {project.id}")
    return project


def list_projects(runtime: Runtime, caller: Caller, limit: int, after: Cursor | None) -> Page:
    """A page of the projects that the caller is a member of, newest first."""
    where = (Filter("member_ids", "array_contains", caller.user_id), Filter("ended", "==", False))
    return runtime.store.find(Query("projects", where, Order("created_at", descending=True), limit, after))


def edit_project(runtime: Runtime, caller: Caller, project_id: str, changes: dict[str, Any]) -> Project:
    """The project with changed fields."""

    def attempt() -> Project:
        seen = read_project(runtime, caller, project_id)
        before = seen.project
        fields = {"name": before.name, "description": before.description, "repo_url": before.repo_url}
        changed = projects.edit(before, seen.now, **{**fields, **changes})
        if changed is not before:
            _update(runtime, seen, changed)
        return changed

    return until_committed(f"Project {project_id}", attempt)


def delete_project(runtime: Runtime, caller: Caller, project_id: str, *, force: bool) -> None:
    """End a project: gone for every reader now, its environments by callbacks.

    Raises ProjectInUse when it has live environments and `force` is not given.
    """

    def attempt() -> None:
        seen = read_project(runtime, caller, project_id)
        if not force and _has_live_environments(runtime, seen):
            raise ProjectInUse(project_id)
        ended = projects.end(seen.project, seen.now)
        _update(runtime, seen, ended)
        wake(runtime, seen.document.ref, ended.due_at, seen.now)

    until_committed(f"Project {project_id}", attempt)


def _update(runtime: Runtime, seen: ProjectSeen, changed: Project) -> None:
    runtime.store.commit(Update(seen.document.ref, documents.project_data(changed), seen.document.version))


def _has_live_environments(runtime: Runtime, seen: ProjectSeen) -> bool:
    """Whether any environment has not ended at this moment, whatever is stored."""
    where = listing.environments_of(seen.project.id, LIVE)
    after: Cursor | None = None
    while True:
        page = runtime.store.find(
            Query("environments", where, Order("created_at", descending=True), 100, after)
        )
        for document in page.documents:
            environment = documents.environment(document.data)
            now = effective_now(seen.now, environment.as_of)
            if environment.status_at(now) not in ENDED:
                return True
        if page.next is None:
            return False
        after = page.next
