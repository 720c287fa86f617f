"""What the projects function does."""

from collections.abc import Callable
from typing import Any

from functions.projects.schemas import NewProject
from shared import documents, ids, listing, project_documents, quotas
from shared.access import Caller, permit_beyond_projects
from shared.changing import Created, create, until_committed
from shared.clock import effective_now
from shared.domain import project as projects
from shared.domain.environment import ENDED, LIVE
from shared.domain.project import Project
from shared.domain.roles import Role
from shared.errors import Forbidden, NotFound, ProjectInUse
from shared.idempotency import Intent
from shared.ports import Cursor, Filter, Order, Page, Query, Update
from shared.reading import ProjectSeen, fetch, prove, read_project
from shared.runtime import Runtime
from shared.waking import wake

Matching = Callable[[Project], None]
"""Raises PreconditionFailed for what is not as the client believes."""


def create_project(runtime: Runtime, caller: Caller, intent: Intent, new: NewProject) -> Created:
    """A new project that the caller owns, or the intent's as it is now.

    Raises KeyReused, and Forbidden for an API token that may not make any.
    """
    project_id = ids.new_project_id(intent.part)
    ref = documents.project_ref(project_id)
    fetched = fetch(runtime, [ref] if intent.is_repeatable else [], caller)
    permit_beyond_projects(caller)
    now = fetched.clock_time
    project = Project(
        id=project_id,
        name=new.name,
        description=new.description,
        repo_url=new.repo_url,
        roles={caller.user_id: Role.OWNER},
        created_at=now,
        changed_at=now,
        as_of=now,
        fingerprint=intent.fingerprint,
    )
    if ref in fetched.documents:
        made = Created(fetched.documents[ref].data, is_new=False)
    else:
        quotas.refuse_another_project(runtime)
        made = create(runtime, ref, project_documents.project_data(project), f"Project {project_id}")
    intent.refuse_another(made.data.get("fingerprint"))
    if caller.user_id not in made.data["roles"]:  # they have left it since
        raise Forbidden("to be a member of the project that this key made", "having made it")
    return made


def list_projects(runtime: Runtime, caller: Caller, limit: int, after: Cursor | None) -> Page:
    """A page of the projects that the caller is a member of, newest first.

    An API token for one project sees that one.
    """
    prove(runtime, caller)
    if caller.bound_to is not None:
        return _one_project(runtime, caller, caller.bound_to)
    where = (Filter("member_ids", "array_contains", caller.user_id), Filter("ended", "==", False))
    return runtime.store.find(Query("projects", where, Order("created_at", descending=True), limit, after))


def _one_project(runtime: Runtime, caller: Caller, project_id: str) -> Page:
    try:
        return Page([read_project(runtime, caller, project_id).document], None)
    except NotFound:
        return Page([], None)


def edit_project(
    runtime: Runtime, caller: Caller, project_id: str, changes: dict[str, Any], matching: Matching
) -> Project:
    """The project with changed fields. Raises PreconditionFailed."""

    def attempt() -> Project:
        seen = read_project(runtime, caller, project_id)
        before = seen.project
        matching(before)
        fields = {"name": before.name, "description": before.description, "repo_url": before.repo_url}
        changed = projects.edit(before, seen.now, **{**fields, **changes})
        if changed is not before:
            _update(runtime, seen, changed)
        return changed

    return until_committed(f"Project {project_id}", attempt)


def delete_project(
    runtime: Runtime, caller: Caller, project_id: str, matching: Matching, *, force: bool
) -> None:
    """End a project: gone for every reader now, its environments by callbacks.

    Raises ProjectInUse when it has live environments and `force` is not given, or PreconditionFailed.
    """

    def attempt() -> None:
        seen = read_project(runtime, caller, project_id)
        matching(seen.project)
        if not force and _has_live_environments(runtime, seen):
            raise ProjectInUse(project_id)
        ended = projects.end(seen.project, seen.now)
        _update(runtime, seen, ended)
        wake(runtime, seen.document.ref, ended.due_at, seen.now)

    until_committed(f"Project {project_id}", attempt)


def _update(runtime: Runtime, seen: ProjectSeen, changed: Project) -> None:
    runtime.store.commit(
        Update(seen.document.ref, project_documents.project_data(changed), seen.document.version)
    )


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
