"""The sweep: find documents that are overdue and enqueue the task that got lost.

It never settles anything itself and is never the clock: what it finds is a repair, and a warning.
"""

from datetime import timedelta

from functions.tasks.schemas import Collection, SweepTask
from shared import log
from shared.changing import SWEEP_PATH, enqueue, wake
from shared.ports import Cursor, Filter, Order, Page, Query, Task
from shared.runtime import Runtime
from shared.times import from_text, to_text

PAGE = 100
MOST_PAGES = 10
"""How many pages one call goes through; a task goes on."""

_COLLECTIONS: tuple[Collection, ...] = ("environments", "projects")


def sweep(runtime: Runtime, task: SweepTask) -> tuple[int, bool]:
    """How many documents were woken, and whether that was all."""
    before = to_text(runtime.clock() - timedelta(seconds=task.overdue_seconds))
    after: Cursor | None = None
    if task.after_due_at is not None and task.after_id is not None:
        after = (task.after_due_at, task.after_id)
    woken = pages = 0
    for collection in _COLLECTIONS[_COLLECTIONS.index(task.collection) :]:
        while True:
            page = _overdue(runtime, collection, before, after)
            pages += 1
            woken += _wake_all(runtime, page)
            after = page.next
            if after is None:
                break
            if pages >= MOST_PAGES:
                _go_on(runtime, task, collection, after)
                return woken, False
    return woken, True


def _overdue(runtime: Runtime, collection: str, before: str, after: Cursor | None) -> Page:
    where = (Filter("due_at", "<", before),)
    return runtime.store.find(Query(collection, where, Order("due_at"), PAGE, after))


def _wake_all(runtime: Runtime, page: Page) -> int:
    for document in page.documents:
        due_at = document.data["due_at"]
        log.write(
            "WARNING",
            "overdue: its task got lost",
            collection=document.ref.collection,
            id=document.ref.id,
            due_at=due_at,
        )
        wake(runtime, document.ref, from_text(due_at))
    return len(page.documents)


def _go_on(runtime: Runtime, task: SweepTask, collection: str, after: Cursor) -> None:
    payload = {
        "overdue_seconds": task.overdue_seconds,
        "collection": collection,
        "after_due_at": after[0],
        "after_id": after[1],
    }
    enqueue(runtime, Task(SWEEP_PATH, payload, runtime.clock()))
