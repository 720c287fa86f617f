"""An environment's whole life, page by page, and what it was at a moment of the past."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from functions.environments.schemas import TimelineParameters
from shared import documents
from shared.access import Caller
from shared.domain.aggregate import MOST_LIVE
from shared.domain.deployment import SUCCEEDED, Deployment
from shared.domain.environment import Environment, Live
from shared.domain.history import Entry, Place, environment_as_of, merged, of_deployment
from shared.ports import Cursor, Filter, Order, Query
from shared.reading import EnvironmentSeen, read_environment
from shared.runtime import Runtime
from shared.times import from_text, to_text

_UNDER_WAY = 20
"""So many deployments may be unfinished where a page begins."""


@dataclass(frozen=True, slots=True)
class Told:
    """A page of an environment's life and the moment at which it is shown."""

    entries: list[Entry]
    now: datetime
    next: Cursor | None


def tell(
    runtime: Runtime,
    caller: Caller,
    environment_id: str,
    parameters: TimelineParameters,
    after: Cursor | None,
) -> Told:
    """A page of what happened and of what is planned, oldest first.

    Of the deployments only those are read that have something to tell on the page: the cursor says from
    which number on, and reading stops where the page is full.
    """
    seen = read_environment(runtime, caller, environment_id, show_deleted=parameters.show_deleted)
    size, place, first = parameters.page_size, _place(after), 1 if after is None else int(str(after[-1]))
    read: list[Deployment] = []
    for page in _deployments(runtime, environment_id, first, limit=size // 2 + _UNDER_WAY):
        # One that was created since the environment was read is not there yet.
        read += [item for item in page if item.created_at <= seen.now]
        entries = merged(seen.environment, read, place)
        if len(entries) > size and read and entries[size].place <= of_deployment(read[-1])[0].place:
            break  # what has a higher number begins later
    rest = entries[size:]
    last = read[-1].number if read else first - 1
    first = min((entry.number for entry in rest if entry.number), default=last + 1)
    return Told(entries[:size], seen.now, _cursor(entries[size - 1].place, first) if rest else None)


def _deployments(runtime: Runtime, environment_id: str, first: int, limit: int) -> Iterator[list[Deployment]]:
    """The environment's deployments from a number on, page by page; one page at least."""
    where = (Filter("environment_id", "==", environment_id), Filter("number", ">=", first))
    after: Cursor | None = None
    while True:
        page = runtime.store.find(Query("deployments", where, Order("number"), limit, after))
        yield [documents.deployment(document.data) for document in page.documents]
        if page.next is None:
            return
        after = page.next


def _cursor(place: Place, first: int) -> Cursor:
    """A place, and the first deployment that has something to tell beyond it."""
    return (to_text(place.at), *place[1:], first)


def _place(cursor: Cursor | None) -> Place | None:
    if cursor is None:
        return None
    at, rank, number, steps, is_step, nth, _first = cast("tuple[str, int, int, int, bool, int, int]", cursor)
    return Place(from_text(at), rank, number, steps, is_step, nth)


# as of then ----------------------------------------------------------------------------------


def environment_then(runtime: Runtime, seen: EnvironmentSeen, then: datetime) -> Environment:
    """What an environment was at a moment. Raises NotFound before its creation, InvalidInput after now.

    What was live longer ago than the environment remembers is looked for among the deployments.
    """
    was = environment_as_of(seen.environment, then, seen.now)
    if was.live or len(seen.environment.live) < MOST_LIVE:
        return was
    item = _last_succeeded_by(runtime, was.id, then, before=seen.environment.live[0].number)
    return replace(was, live=(Live(item.id, item.number, item.version, item.ends_at),)) if item else was


def _last_succeeded_by(
    runtime: Runtime, environment_id: str, then: datetime, before: int
) -> Deployment | None:
    """The last that had succeeded at a moment, by bisection: a higher number succeeds later."""
    found, low, high = None, 0, before
    while high - low > 1:
        number = (low + high) // 2
        item = _last_succeeded(runtime, environment_id, number)
        if item is None or item.number <= low:
            low = number
        elif item.ends_at <= then:
            found, low = item, number
        else:
            high = item.number
    return found


def _last_succeeded(runtime: Runtime, environment_id: str, number: int) -> Deployment | None:
    """Up to a number."""
    where = (
        Filter("environment_id", "==", environment_id),
        Filter("status", "in", (str(SUCCEEDED),)),
        Filter("number", "<=", number),
    )
    page = runtime.store.find(Query("deployments", where, Order("number", descending=True), limit=1))
    return documents.deployment(page.documents[0].data) if page.documents else None
