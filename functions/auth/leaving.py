"""What an account's end means for the projects that it is a member of."""

from collections.abc import Iterator

from shared import documents
from shared.account_errors import OwnsProjects
from shared.changing import until_committed
from shared.domain import members
from shared.domain.project import Project
from shared.ports import Cursor, Filter, Order, Query, Update
from shared.reading import fetch
from shared.runtime import Runtime

_NAMED = 5
"""How many projects a refusal names."""


def leave_projects(runtime: Runtime, user_id: str) -> None:
    """Leave every project. Raises OwnsProjects, before leaving any, if one would be left without an owner."""
    projects = [*_projects_of(runtime, user_id)]
    refuse_ownerless(projects, user_id)
    for project in projects:
        _leave(runtime, project.id, user_id)


def refuse_ownerless(projects: list[Project], user_id: str) -> None:
    """Raise OwnsProjects if any has no owner but this one."""
    owned = [project.id for project in projects if members.owners(project) == [user_id]]
    if owned:
        raise OwnsProjects(owned[:_NAMED], len(owned[_NAMED:]))


def _projects_of(runtime: Runtime, user_id: str) -> Iterator[Project]:
    where = (Filter("member_ids", "array_contains", user_id), Filter("ended", "==", False))
    after: Cursor | None = None
    while True:
        page = runtime.store.find(Query("projects", where, Order("created_at", descending=True), after=after))
        yield from (documents.project(document.data) for document in page.documents)
        after = page.next
        if after is None:
            return


def _leave(runtime: Runtime, project_id: str, user_id: str) -> None:
    def attempt() -> None:
        ref = documents.project_ref(project_id)
        fetched = fetch(runtime, [ref])
        document = fetched.documents.get(ref)
        if document is None:
            return
        project = documents.project(document.data)
        if project.ended_at is not None or user_id not in project.roles:
            return
        refuse_ownerless([project], user_id)
        left = members.remove(project, user_id, max(project.as_of, fetched.clock_time))
        runtime.store.commit(Update(document.ref, documents.project_data(left), document.version))

    until_committed(f"Project {project_id}", attempt)
