"""What the functions run on in these tests: a clock to move, a store that counts, a queue that records."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from shared.errors import Unavailable
from shared.ports import Delete, Document, Page, Query, Ref, Store, Task, Write

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
Hook = Callable[[Sequence[Write]], None]


class MovableClock:
    """It stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Sleeper:
    """Lets the clock's time pass instead of sleeping, and others act meanwhile."""

    def __init__(self, clock: MovableClock) -> None:
        self.clock = clock
        self.slept: list[float] = []
        self.acts: dict[datetime, Callable[[], object]] = {}
        """What somebody does at a moment that is slept through."""

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.clock.now + timedelta(seconds=seconds)
        for at in sorted(at for at in self.acts if at <= until):
            self.clock.now = max(at, self.clock.now)
            self.acts.pop(at)()
        self.clock.now = max(until, self.clock.now)

    def timer(self) -> float:
        return (self.clock.now - START).total_seconds()

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Somebody does this in so many seconds, if they are slept through."""
        self.acts[self.clock.now + timedelta(seconds=seconds)] = act


class CountingStore:
    """A store that says what was asked of it, and lets a test act around a commit."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.calls: list[str] = []
        """The method, and how many documents it returned or wrote."""
        self.before_commit: list[Hook] = []
        """Each is called at one commit, with its writes; what it raises, the commit raises."""
        self.after_commit: list[Hook] = []
        """Likewise, once the writes have been carried out."""
        self.writes: list[Write] = []

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        self.calls.append("get 1")
        return self.inner.get(ref, within)

    def get_many(self, refs: Sequence[Ref]) -> list[Document | None]:
        if refs:
            self.calls.append(f"get {len(refs)}")
        return self.inner.get_many(refs)

    def find(self, query: Query) -> Page:
        page = self.inner.find(query)
        self.calls.append(f"find {len(page.documents)}")
        return page

    def count(self, query: Query) -> int:
        self.calls.append("count")
        return self.inner.count(query)

    def commit(self, *writes: Write) -> None:
        if count := sum(one.ref.collection != "events" for one in writes):
            self.calls.append(f"commit {count}")  # what the audit adds has a budget of its own: test_audit.py
        for one in writes:
            if not isinstance(one, Delete):
                json.dumps(dict(one.data), allow_nan=False)  # raises for what is no JSON: an adapter may not
        if self.before_commit:
            self.before_commit.pop(0)(writes)
        self.inner.commit(*writes)
        self.writes.extend(writes)
        if self.after_commit:
            self.after_commit.pop(0)(writes)


class RecordingQueue:
    """A queue that keeps its tasks until a test delivers or drops them."""

    def __init__(self) -> None:
        self.horizon: timedelta | None = None
        self.tasks: list[Task] = []
        self.enqueued = 0
        self.is_down = False
        self.loses: Callable[[Task], bool] = lambda _task: False

    def enqueue(self, task: Task) -> None:
        if self.is_down:
            raise Unavailable("queue")
        self.enqueued += 1
        if not self.loses(task):
            self.tasks.append(task)

    def pop_due(self, now: datetime) -> Task | None:
        """The task that has been due the longest."""
        due = sorted((task for task in self.tasks if task.at <= now), key=lambda task: task.at)
        if not due:
            return None
        self.tasks.remove(due[0])
        return due[0]
