"""The adapters that the contract suite runs over: another one is one more entry in a table.

A place is a folder of the test's own. Whoever opens the same place, in whichever process, sees the
same documents and tasks. For Firestore it holds the name of a database, and where the emulator is.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from shared.adapters.firestore_store import FirestoreStore
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_queue import RetryConfig, SqliteTaskQueue
from shared.adapters.sqlite_store import SqliteStore
from shared.ports import Store, Task, TaskQueue
from tests.simulation.memory_store import MemoryStore

RETRY = RetryConfig(
    max_attempts=3,
    max_retry_duration=timedelta(minutes=10),
    min_backoff=timedelta(seconds=10),
    max_backoff=timedelta(seconds=300),
    max_doublings=3,
)
"""How every queue of the suite retries."""

Answer = Callable[[Task], int | None]
"""What the called function does with a task: a status, or no answer within the deadline."""


class Line(Protocol):
    """A queue and the far end of its line."""

    @property
    def queue(self) -> TaskQueue:
        """Where tasks are put in."""

    def deliver(self, now: datetime, answer: Answer) -> list[Task]:
        """Call with every task that is due at this moment; what was called with."""


@dataclass
class SqliteLine:
    queue: SqliteTaskQueue

    def deliver(self, now: datetime, answer: Answer) -> list[Task]:
        leases = self.queue.lease(now, 1_000, timedelta(seconds=30))
        for lease in leases:
            status = answer(lease.task)
            if status is not None and 200 <= status < 300:
                self.queue.acknowledge(lease)
            else:
                self.queue.retry(lease, now, status)
        return [lease.task for lease in leases]


@contextmanager
def sqlite_store(place: Path) -> Iterator[Store]:
    database = Database(place / "envctl.db")
    yield SqliteStore(database)
    database.close()


@contextmanager
def memory_store(_place: Path) -> Iterator[Store]:
    """The simulator's. Nobody else can open it."""
    yield MemoryStore()


@contextmanager
def firestore_store(place: Path) -> Iterator[FirestoreStore]:
    host, database = (place / "firestore").read_text(encoding="utf-8").split()
    store = FirestoreStore("envctl-tests", database, host)
    yield store
    store.close()


@contextmanager
def sqlite_line(place: Path) -> Iterator[Line]:
    database = Database(place / "envctl.db")
    yield SqliteLine(SqliteTaskQueue(database, RETRY))
    database.close()


@contextmanager
def cloud_tasks_line(place: Path) -> Iterator[Line]:
    # Google's libraries take long to load: only who asks for them waits, not every process of a race.
    from tests.contract import cloud_tasks_line as google  # noqa: PLC0415

    with google.cloud_tasks_line(place, RETRY) as line:
        yield line


STORES: dict[str, Callable[[Path], AbstractContextManager[Store]]] = {
    "memory": memory_store,
    "sqlite": sqlite_store,
    "firestore": firestore_store,
}
LINES: dict[str, Callable[[Path], AbstractContextManager[Line]]] = {
    "sqlite": sqlite_line,
    "cloud_tasks": cloud_tasks_line,
}
_LINE_BESIDE = {"firestore": "cloud_tasks"}


def line_beside(store: str) -> Callable[[Path], AbstractContextManager[Line]]:
    """The queue that an instance with this store has."""
    return LINES[_LINE_BESIDE.get(store, store)]
