"""What an account's end means for the projects that it is a member of.

    POST /auth/me/delete ──> leave every project ──> one commit: the account goes, a closed one comes
                                                        └─ a day later ──> leave or end what there is

No request reads its caller's account, so an access token outlives it, and may make projects that nobody
would ever own. Once the last such token has ended, the closed account is looked at: that is why it is kept.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from shared import auditing, documents, project_documents
from shared.account_errors import OwnsProjects
from shared.changing import until_committed
from shared.config import MOST_ACCESS_TOKEN_SECONDS
from shared.domain import members
from shared.domain import project as projects
from shared.domain.project import LOOK_AGAIN, Project
from shared.ports import Create, Cursor, Filter, Order, Page, Query, Update
from shared.reading import fetch
from shared.runtime import Runtime
from shared.times import to_text

TOKENS_END = timedelta(seconds=MOST_ACCESS_TOKEN_SECONDS) + LOOK_AGAIN
"""How long after an account's end, at the latest, what was begun with one of its access tokens is done."""

_NAMED = 5
"""How many projects a refusal names."""

Deserted = Callable[[Project, datetime], Project]
"""What becomes of a project whose only owner leaves."""


def close_account(runtime: Runtime, user_id: str) -> Create:
    """What is written in the place of an account that ends now."""
    due_at = fetch(runtime, []).clock_time + TOKENS_END
    return Create(documents.closed_account_ref(user_id), {"id": user_id, "due_at": to_text(due_at)})


def leave_projects(runtime: Runtime, user_id: str) -> None:
    """Leave every project. Raises OwnsProjects, before leaving any, if one would be left without an owner."""
    found: list[Project] = []
    after: Cursor | None = None
    while True:
        page = _projects_of(runtime, user_id, after)
        found += (project_documents.project(document.data) for document in page.documents)
        after = page.next
        if after is None:
            break
    if owned := [project.id for project in found if _is_deserted(project, user_id)]:
        raise OwnsProjects(owned[:_NAMED], len(owned[_NAMED:]))
    for project in found:
        _leave(runtime, project.id, user_id, _refuse)


def desert_projects(runtime: Runtime, user_id: str) -> tuple[list[Project], bool]:
    """Leave a page of the projects of an account that is no more, and end those that nobody else owns.

    Those that have ended, and whether there are no others.
    """
    page = _projects_of(runtime, user_id)
    left = [_leave(runtime, document.ref.id, user_id, projects.end) for document in page.documents]
    return [project for project in left if project is not None and project.ended_at], page.next is None


def _projects_of(runtime: Runtime, user_id: str, after: Cursor | None = None) -> Page:
    where = (Filter("member_ids", "array_contains", user_id), Filter("ended", "==", False))
    return runtime.store.find(Query("projects", where, Order("created_at", descending=True), after=after))


def _is_deserted(project: Project, user_id: str) -> bool:
    return members.owners(project) == [user_id]


def _refuse(project: Project, _now: datetime) -> Project:
    raise OwnsProjects([project.id], 0)


def _leave(runtime: Runtime, project_id: str, user_id: str, deserted: Deserted) -> Project | None:
    """The project as it is after somebody has left it; None where they don't belong to it any more."""
    ref = documents.project_ref(project_id)
    store = auditing.apart(runtime.store, project_id, user_id)

    def attempt() -> Project | None:
        fetched = fetch(runtime, [ref])
        document = fetched.documents.get(ref)
        project = None if document is None else project_documents.project(document.data)
        if document is None or project is None or project.ended_at or user_id not in project.roles:
            return None
        now = max(project.as_of, fetched.clock_time)
        is_deserted = _is_deserted(project, user_id)
        left = deserted(project, now) if is_deserted else members.remove(project, user_id, now)
        store.commit(Update(ref, project_documents.project_data(left), document.version))
        return left

    return until_committed(f"Project {project_id}", attempt)
