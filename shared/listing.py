"""Lists whose stored statuses may lag behind the moment of the read.

A filter by status returns what is stored with such a status and what is due to be settled,
projected to now, filtered, merged in the page's order: nothing is missed, and a page may be short.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from shared.domain.environment import EnvironmentStatus, EnvironmentType
from shared.ports import Cursor, Document, Filter, Order, Page

T = TypeVar("T")

EVERY_STATUS = tuple(EnvironmentStatus)
EVERY_TYPE = tuple(EnvironmentType)


def environments_of(
    project_id: str,
    statuses: Iterable[EnvironmentStatus] = EVERY_STATUS,
    types: Iterable[EnvironmentType] = EVERY_TYPE,
) -> tuple[Filter, ...]:
    """A project's environments with these stored statuses and types.

    Always the same shape, so that one index serves every list: an index more is a write more with
    every change of an environment, and their statuses change often.
    """
    return (
        Filter("project_id", "==", project_id),
        Filter("status", "in", tuple(sorted(set(map(str, statuses))))),
        Filter("type", "in", tuple(sorted(set(map(str, types))))),
    )


def merge(page: Page, others: Iterable[Document], order: Order, limit: int, after: Cursor | None) -> Page:
    """A page with other documents that may belong to it, in order, each once, and where to go on.

    The others are all there are, wherever in the order; those before the page are left out, and
    those beyond the page's end are left to the page that follows.
    """
    sign = -1 if order.descending else 1

    def is_before(one: Cursor, other: Cursor) -> bool:
        return (one > other) - (one < other) == -sign

    found = {document.ref: document for document in page.documents}
    for document in others:
        at = _cursor(document, order)
        if (after is None or is_before(after, at)) and (page.next is None or not is_before(page.next, at)):
            found[document.ref] = document
    ordered = sorted(found.values(), key=lambda item: _cursor(item, order), reverse=order.descending)
    shown = ordered[:limit]
    if len(ordered) > limit:
        return Page(shown, _cursor(shown[-1], order))
    return Page(shown, page.next)


def _cursor(document: Document, order: Order) -> Cursor:
    return (document.data[order.field], document.ref.id)


def project(page: Page, view: Callable[[Document], T | None]) -> list[T]:
    """What the documents of a page show now; those that turn out not to belong are left out."""
    return [shown for document in page.documents if (shown := view(document)) is not None]
