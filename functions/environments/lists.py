"""A project's environments, page by page, each as it is at the moment of the read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from functions.environments.schemas import EnvironmentFilters
from shared import documents, listing
from shared.access import Caller
from shared.clock import effective_now
from shared.domain.environment import DELETED, Environment, EnvironmentStatus, EnvironmentType
from shared.ports import Cursor, Document, Filter, Order, Query
from shared.reading import read_project
from shared.runtime import Runtime
from shared.times import to_text

_NEWEST_FIRST = Order("created_at", descending=True)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of environments, each with the moment at which it is shown."""

    environments: list[tuple[Environment, datetime]]
    next: Cursor | None


def list_environments(
    runtime: Runtime, caller: Caller, project_id: str, filters: EnvironmentFilters, after: Cursor | None
) -> Listed:
    """A page of a project's environments, newest first.

    With a filter by status, what is due to be settled is looked at too, whatever its stored status.
    """
    seen = read_project(runtime, caller, project_id)
    where = listing.environments_of(project_id, _statuses(filters), _types(filters))
    page = runtime.store.find(Query("environments", where, _NEWEST_FIRST, filters.page_size, after))
    if filters.status is not None:
        due = _due(runtime, project_id, seen.now)
        page = listing.merge(page, due, _NEWEST_FIRST, filters.page_size, after)
    return Listed(listing.project(page, lambda item: _shown(item, filters, seen.now)), page.next)


def _statuses(filters: EnvironmentFilters) -> Collection[EnvironmentStatus]:
    """The stored statuses that may be shown."""
    if filters.status is not None:
        return filters.status
    return [status for status in listing.EVERY_STATUS if filters.show_deleted or status != DELETED]


def _types(filters: EnvironmentFilters) -> Collection[EnvironmentType]:
    return listing.EVERY_TYPE if filters.type is None else [filters.type]


def _due(runtime: Runtime, project_id: str, now: datetime) -> list[Document]:
    """The project's environments whose stored status may lag. Normally few: callbacks settle them."""
    where = (Filter("project_id", "==", project_id), Filter("due_at", "<=", to_text(now)))
    found: list[Document] = []
    after: Cursor | None = None
    while True:
        page = runtime.store.find(Query("environments", where, Order("due_at"), 100, after))
        found.extend(page.documents)
        if page.next is None:
            return found
        after = page.next


def _shown(
    document: Document, filters: EnvironmentFilters, clock_time: datetime
) -> tuple[Environment, datetime] | None:
    """The environment as it is then; None if it does not pass the filters then."""
    environment = documents.environment(document.data)
    now = effective_now(clock_time, environment.as_of)
    status = environment.status_at(now)
    passes = (
        (filters.status is None or status in filters.status)
        and (filters.type is None or environment.type == filters.type)
        and (filters.show_deleted or status != DELETED)
    )
    return (environment, now) if passes else None
