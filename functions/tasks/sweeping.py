"""The sweep: find documents that are overdue and enqueue the task that got lost.

It never settles anything itself and is never the clock: what it finds is a repair, and a warning. It also
enqueues what nobody else asks for: no repair, no warning. That is what has come within the horizon of a
queue that takes no task beyond it, and closed accounts: auth makes no tasks, and nobody waits for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.tasks.schemas import Collection, SweepTask
from shared import log
from shared.ports import Cursor, Document, Filter, Order, Page, Query, Task
from shared.reading import fetch
from shared.runtime import Runtime
from shared.times import from_text, to_text
from shared.waking import SWEEP_PATH, enqueue, wake

PAGE = 100
MOST_PAGES = 10
"""How many pages one call goes through; a task goes on."""

SIGHT = timedelta(minutes=11)
"""How far it looks back from the horizon: each step is seen twice by a sweep every five minutes."""

_COLLECTIONS: tuple[Collection, ...] = ("environments", "projects")


@dataclass(slots=True)
class Swept:
    """What a sweep did."""

    woken: int = 0
    """Overdue documents for which it enqueued a task."""
    reached: int = 0
    """Documents that nobody had asked for yet, likewise."""
    complete: bool = True
    """False when a task goes on where this call stopped."""


@dataclass(frozen=True, slots=True)
class _Walk:
    """Through the documents of a collection that are overdue, or that nobody has asked for yet (`ahead`)."""

    collection: Collection
    ahead: bool
    due: tuple[Filter, ...]


def sweep(runtime: Runtime, task: SweepTask) -> Swept:
    """Enqueue what is missing, from the task's place on."""
    now = fetch(runtime, []).clock_time
    swept = Swept()
    for number, (walk, page) in enumerate(_pages(runtime, task, now), 1):
        for document in page.documents:
            _wake(runtime, document, now, task, ahead=walk.ahead)
        if walk.ahead:
            swept.reached += len(page.documents)
        else:
            swept.woken += len(page.documents)
        if number >= MOST_PAGES and page.next is not None:
            _go_on(runtime, task, walk, page.next, now)
            swept.complete = False
            break
    return swept


def _pages(runtime: Runtime, task: SweepTask, now: datetime) -> Iterator[tuple[_Walk, Page]]:
    after: Cursor | None = None
    if task.after_due_at is not None and task.after_id is not None:
        after = (task.after_due_at, task.after_id)
    walks = _walks(runtime, task, now)
    places = [(walk.collection, walk.ahead) for walk in walks]
    for walk in walks[places.index((task.collection, task.ahead)) :]:
        while True:
            page = runtime.store.find(Query(walk.collection, walk.due, Order("due_at"), PAGE, after))
            yield walk, page
            after = page.next
            if after is None:
                break


def _walks(runtime: Runtime, task: SweepTask, now: datetime) -> list[_Walk]:
    overdue = (Filter("due_at", "<", to_text(now - timedelta(seconds=task.overdue_seconds))),)
    walks = [_Walk(collection, ahead=False, due=overdue) for collection in _COLLECTIONS]
    horizon = runtime.queue.horizon
    if horizon is not None or task.ahead:
        reach = now + (horizon or timedelta(0))
        due = Filter("due_at", ">", to_text(reach - SIGHT)), Filter("due_at", "<=", to_text(reach))
        walks += [_Walk(collection, ahead=True, due=due) for collection in _COLLECTIONS]
    closed = _Walk("closed_accounts", ahead=True, due=(Filter("due_at", "<=", to_text(now)),))
    return [*walks, closed]


def _wake(runtime: Runtime, document: Document, now: datetime, task: SweepTask, *, ahead: bool) -> None:
    due_at = document.data["due_at"]
    if not (ahead or task.at_start):  # at a start nothing has got lost
        log.write(
            "WARNING",
            "overdue: its task got lost",
            collection=document.ref.collection,
            id=document.ref.id,
            due_at=due_at,
        )
    wake(runtime, document.ref, from_text(due_at), now, repair=not (ahead or task.at_start))


def _go_on(runtime: Runtime, task: SweepTask, walk: _Walk, after: Cursor, now: datetime) -> None:
    payload = {
        "overdue_seconds": task.overdue_seconds,
        "collection": walk.collection,
        "ahead": walk.ahead,
        "at_start": task.at_start,
        "after_due_at": after[0],
        "after_id": after[1],
    }
    enqueue(runtime, Task(SWEEP_PATH, payload, now))
