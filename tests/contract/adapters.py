"""The adapters that the contract suite runs over: another one is one more entry in a table.

A place is a folder of the test's own. Whoever opens the same place, in whichever process, sees the
same documents and tasks.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from shared.adapters.sqlite import Database
from shared.adapters.sqlite_queue import RetryConfig, SqliteTaskQueue
from shared.adapters.sqlite_store import SqliteStore
from shared.ports import Store, Task, TaskQueue
from tests.contract.cloud_tasks_line import cloud_tasks_line

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
def sqlite_line(place: Path) -> Iterator[Line]:
    database = Database(place / "envctl.db")
    yield SqliteLine(SqliteTaskQueue(database, RETRY))
    database.close()


STORES: dict[str, Callable[[Path], AbstractContextManager[Store]]] = {"sqlite": sqlite_store}
LINES: dict[str, Callable[[Path], AbstractContextManager[Line]]] = {
    "sqlite": sqlite_line,
    "cloud_tasks": lambda place: cloud_tasks_line(place, RETRY),
}
_LINE_BESIDE = {"firestore": "cloud_tasks"}


def line_beside(store: str) -> Callable[[Path], AbstractContextManager[Line]]:
    """The queue that an instance with this store has."""
    return LINES[_LINE_BESIDE.get(store, store)]
