"""The task queue on one machine: tasks in an SQLite file, leased by a dispatcher that POSTs them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import Any

from shared.adapters.sqlite import Database, decode, encode
from shared.adapters.sqlite_writer import Table
from shared.ports import Task
from shared.times import from_text, to_text

_TASKS = Table("tasks", ("id", "path", "payload", "at", "due_at"))
_NEXT = "SELECT min(due_at) FROM tasks"
_DUE = (
    "SELECT id, path, payload, at, attempts + 1, coalesce(first_attempt, ?), due_at, executions, "
    "previous_status, leased FROM tasks WHERE due_at <= ? ORDER BY due_at, id LIMIT ?"
)
_LEASE = "UPDATE tasks SET leased = 1, attempts = ?, first_attempt = ?, due_at = ? WHERE id = ?"
_DROP = "DELETE FROM tasks WHERE id = ?"
# An attempt's number is its fence: whoever leases the task after it has a higher one.
_DONE = "DELETE FROM tasks WHERE id = ? AND attempts = ? AND leased"
_AGAIN = (
    "UPDATE tasks SET leased = 0, due_at = ?, executions = ?, previous_status = ? "
    "WHERE id = ? AND attempts = ? AND leased"
)


@dataclass(frozen=True, slots=True)
class RetryConfig:
    """When a failed task is tried again and when it is given up. The defaults are Cloud Tasks' own."""

    max_attempts: int = 100
    """Attempts in all, the first included."""
    max_retry_duration: timedelta = timedelta(0)
    """Counted from the first attempt; zero: the attempts alone decide."""
    min_backoff: timedelta = timedelta(milliseconds=100)
    """From the first attempt's failure to the second attempt."""
    max_backoff: timedelta = timedelta(hours=1)
    max_doublings: int = 16
    """How often the interval doubles before it grows by equal steps."""


def next_attempt(
    config: RetryConfig, attempts: int, first_attempt: datetime, now: datetime
) -> datetime | None:
    """When to try again after so many attempts, the last of which failed now; None: drop the task.

    Dropped only once the attempts and the duration are both used up, as Cloud Tasks does.
    """
    if attempts >= config.max_attempts and now - first_attempt >= config.max_retry_duration:
        return None
    return now + _backoff(config, attempts)


def _backoff(config: RetryConfig, attempts: int) -> timedelta:
    doublings = min(attempts - 1, config.max_doublings)
    steps = 2**doublings * (attempts - doublings)
    seconds = min(config.min_backoff.total_seconds() * steps, config.max_backoff.total_seconds())
    return timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Lease:
    """One attempt at a task: until the lease ends, nobody else gets the task."""

    id: str
    """The task's name, the same for all its attempts."""
    task: Task
    attempt: int
    """Counts from 1."""
    first_attempt: datetime
    scheduled_for: datetime
    """When this attempt was due."""
    executions: int
    """How many answers below 500 there have been: what `X-CloudTasks-TaskExecutionCount` says."""
    previous_status: int | None
    """The last attempt's answer, None when there was none."""


class SqliteTaskQueue:
    """`ports.TaskQueue` over one SQLite file, and its dispatcher's side.

    It asks no clock: every moment is an argument. Each method may raise `Unavailable`.
    """

    def __init__(self, database: Database, retry: RetryConfig) -> None:
        self._database = database
        self._retry = retry

    @property
    def horizon(self) -> None:
        """See the port."""

    def enqueue(self, task: Task) -> None:
        """See the port."""
        at = to_text(task.at)
        row = secrets.randbits(62), task.path, encode(dict(task.payload)), at, at
        self._database.insert(_TASKS, [row])

    def lease(self, now: datetime, limit: int, lease_for: timedelta) -> list[Lease]:
        """Tasks that are due and not leased, longest due first; writes nothing when there are none.

        A lease that ends without an answer was an attempt: its task is due again at once, or dropped
        if its retries are used up.
        """
        moment = to_text(now)
        due_at = self.next_at()
        if due_at is None or due_at > now:
            return []

        def work(connection: Connection) -> list[Lease]:
            leases = []
            for *columns, lapsed in connection.execute(_DUE, (moment, moment, limit)).fetchall():
                lease = _lease(columns)
                if lapsed and next_attempt(self._retry, lease.attempt - 1, lease.first_attempt, now) is None:
                    connection.execute(_DROP, (lease.id,))
                    continue
                row = lease.attempt, to_text(lease.first_attempt), to_text(now + lease_for), lease.id
                connection.execute(_LEASE, row)
                leases.append(lease)
            return leases

        return self._database.write(work)

    def acknowledge(self, *leases: Lease) -> None:
        """The tasks are done. Does nothing to one that somebody else has leased since."""
        rows = [(lease.id, lease.attempt) for lease in leases]
        self._database.write(lambda connection: connection.executemany(_DONE, rows))

    def retry(self, lease: Lease, now: datetime, status: int | None) -> datetime | None:
        """The attempt failed now, answered with a status or (None) not at all: when the next one is due.

        None when the task is dropped, and when somebody else has leased it since: then nothing is done.
        """
        at = next_attempt(self._retry, lease.attempt, lease.first_attempt, now)
        if at is None:
            self.acknowledge(lease)
            return None
        executions = lease.executions + (status is not None and status < 500)
        row = to_text(at), executions, status, lease.id, lease.attempt
        return at if self._database.write(lambda it: it.execute(_AGAIN, row).rowcount) else None

    def next_at(self) -> datetime | None:
        """The earliest moment at which a task may be due; None: there are no tasks. Reads only."""
        due_at = self._database.fetch(_NEXT)[0][0]
        return due_at and from_text(due_at)

    def purge(self) -> None:
        """Drop every task, leased ones too."""
        self._database.write(lambda connection: connection.execute("DELETE FROM tasks"))


def _lease(columns: Sequence[Any]) -> Lease:
    name, path, payload, at, attempt, first_attempt, due_at, executions, previous_status = columns
    return Lease(
        id=str(name),
        task=Task(path, decode(payload), from_text(at)),
        attempt=attempt,
        first_attempt=from_text(first_attempt),
        scheduled_for=from_text(due_at),
        executions=executions,
        previous_status=previous_status,
    )
