"""One queue of the stand-in for Cloud Tasks: its settings and its tasks, in an SQLite file of its own.

Delays, leases, retries and back-off are those of the durable queue that serves one machine
(`shared.adapters.sqlite_queue`); its tasks only name a row here, which holds the request to make.
"""

import sys
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from secrets import randbits
from sqlite3 import Connection
from urllib.parse import quote, unquote

import grpc
from google.cloud.tasks_v2 import types

from local.google.messages import field_of, moment, span
from local.google.task_limits import NAME_BLOCKED, RETENTION, Refused, check_task, task_id
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_queue import Lease, RetryConfig, SqliteTaskQueue
from shared.clock import Clock
from shared.ports import Task
from shared.times import to_text

_TABLES = (
    "CREATE TABLE IF NOT EXISTS settings (one INTEGER PRIMARY KEY CHECK (one = 1), message BLOB NOT NULL)",
    """CREATE TABLE IF NOT EXISTS requests (
         id TEXT PRIMARY KEY, message BLOB NOT NULL, created_at TEXT NOT NULL, gone_at TEXT)""",
)
_SET = "INSERT INTO settings VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET message = excluded.message"
_ADD = (
    "INSERT INTO requests (id, message, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
    "SET message = excluded.message, created_at = excluded.created_at, gone_at = NULL WHERE gone_at <= ?"
)
_GET = "SELECT message FROM requests WHERE id = ? AND gone_at IS NULL AND created_at > ?"
_LIST = "SELECT message FROM requests WHERE gone_at IS NULL AND created_at > ? ORDER BY created_at LIMIT ?"
_GONE = "UPDATE requests SET gone_at = ? WHERE id = ? AND gone_at IS NULL"
_ALL_GONE = "UPDATE requests SET gone_at = ? WHERE gone_at IS NULL"
_FORGET = "DELETE FROM requests WHERE gone_at <= ?"

_UNLIMITED = sys.maxsize


def file_of(folder: Path, name: str) -> Path:
    """Where a queue lies."""
    return folder / f"{quote(name, safe='')}.db"


def names_in(folder: Path) -> list[str]:
    """The names of the queues in a folder."""
    return sorted(unquote(file.stem) for file in folder.glob("*.db"))


class TaskQueue:
    """A queue with its dispatcher's side. Instances serve many threads at once."""

    def __init__(self, folder: Path, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._file = file_of(folder, name)
        # What a power loss undoes here is a stand-in's: nobody's work depends on it.
        self._database = Database(self._file, durable=False)
        self._database.write(_make_tables)
        self._rate = _Rate()
        self.settings = self._load()

    def _load(self) -> types.Queue:
        rows = self._database.fetch("SELECT message FROM settings")
        queue = types.Queue.deserialize(rows[0][0]) if rows else types.Queue(name=self.name)
        return self.set(queue)

    def set(self, queue: types.Queue) -> types.Queue:
        """Go on with other settings, what they leave open set to Cloud Tasks' defaults; how they are now."""
        _fill(queue)
        content = types.Queue.serialize(queue)
        self._database.write(lambda it: it.execute(_SET, (content,)))
        self._engine = SqliteTaskQueue(self._database, _retry_config(queue.retry_config))
        self.settings = queue
        return queue

    def turn(self, state: int) -> types.Queue:
        """Pause or resume; how the queue is now."""
        self.settings.state = types.Queue.State(state)
        return self.set(self.settings)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # Tasks ----------------------------------------------------------------------------------

    def add(self, task: types.Task) -> types.Task:
        """The task as it was accepted. Raises Refused."""
        now = self._clock()
        check_task(task, now)
        given = task_id(task, self.name)
        name = given or str(randbits(64))
        # CreateTaskRequest: "If schedule_time is not set or is in the past then Cloud Tasks will set it to
        # the current time."
        at = max(moment(task.schedule_time), now) if "schedule_time" in task else now
        task.name = f"{self.name}/tasks/{name}"
        task.schedule_time, task.create_time = field_of(at), field_of(now)
        row = name, types.Task.serialize(task), to_text(now), to_text(now - NAME_BLOCKED)
        if not self._database.write(lambda it: it.execute(_ADD, row).rowcount):
            raise Refused(grpc.StatusCode.ALREADY_EXISTS, f"The task {task.name} exists, or did so lately.")
        self._engine.enqueue(Task(task.http_request.url, {"id": name}, at))  # the URL is for the log
        return task

    def get(self, name: str) -> types.Task:
        """The task with an id. Raises Refused when it is gone or never was."""
        rows = self._database.fetch(_GET, (name, to_text(self._clock() - RETENTION)))
        if not rows:
            raise Refused(grpc.StatusCode.NOT_FOUND, f"The task {self.name}/tasks/{name} does not exist.")
        task: types.Task = types.Task.deserialize(rows[0][0])
        return task

    def list(self, limit: int) -> list[types.Task]:
        """Tasks that are not done, the oldest ones."""
        rows = self._database.fetch(_LIST, (to_text(self._clock() - RETENTION), limit))
        return [types.Task.deserialize(row[0]) for row in rows]

    def delete(self, name: str) -> None:
        """Drop a task; its name stays blocked. Raises Refused when it is gone or never was."""
        self.get(name)
        self._forget(name)

    def purge(self) -> None:
        """Drop every task."""
        self._database.write(lambda it: it.execute(_ALL_GONE, (to_text(self._clock()),)))
        self._engine.purge()

    def _forget(self, *names: str) -> None:
        now = self._clock()
        rows = [(to_text(now), name) for name in names]

        def work(connection: Connection) -> None:
            connection.executemany(_GONE, rows)
            connection.execute(_FORGET, (to_text(now - NAME_BLOCKED),))

        self._database.write(work)

    # The dispatcher's side ------------------------------------------------------------------

    def lease(self, now: datetime, limit: int, lease_for: timedelta) -> Sequence[Lease]:
        """See `local.dispatcher.LeasingQueue`. Nothing of a queue that is paused, and no faster than it may.

        PauseQueue: "If a queue is paused then the system will stop dispatching tasks until the queue is
        resumed via ResumeQueue."
        """
        if self.settings.state == types.Queue.State.PAUSED:
            return []
        limit = self._rate.most(now, limit, self.settings.rate_limits.max_dispatches_per_second)
        leases = self._engine.lease(now, limit, lease_for) if limit else []
        self._rate.spend(len(leases))
        return leases

    def acknowledge(self, *leases: Lease) -> None:
        """See `local.dispatcher.LeasingQueue`."""
        self._engine.acknowledge(*leases)
        self._forget(*(lease.task.payload["id"] for lease in leases))

    def retry(self, lease: Lease, now: datetime, status: int | None) -> datetime | None:
        """See `local.dispatcher.LeasingQueue`."""
        at = self._engine.retry(lease, now, status)
        if at is None:
            self._forget(lease.task.payload["id"])
        return at


class _Rate:
    """How fast tasks are dispatched.

    RateLimits.max_burst_size: "Each queue has a token bucket that holds tokens, up to the maximum specified
    by max_burst_size. Each time a task is dispatched, a token is removed from the bucket. […] The bucket will
    be continuously refilled with new tokens based on max_dispatches_per_second. […] It is generally at least
    equal to max_dispatches_per_second"
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: float | None = None
        self._seen: datetime | None = None

    def most(self, now: datetime, limit: int, per_second: float) -> int:
        """How many may be dispatched now, of so many that could be."""
        burst = max(1.0, per_second)
        with self._lock:
            passed = (now - self._seen).total_seconds() if self._seen else 0
            tokens = burst if self._tokens is None else self._tokens + max(0, passed) * per_second
            self._tokens, self._seen = min(burst, tokens), now
            return min(limit, int(self._tokens))

    def spend(self, count: int) -> None:
        """So many were."""
        with self._lock:
            assert self._tokens is not None  # noqa: S101 - it was asked before
            self._tokens -= count


def _make_tables(connection: Connection) -> None:
    for statement in _TABLES:
        connection.execute(statement)


def _fill(queue: types.Queue) -> None:
    """RetryConfig, RateLimits: "If unspecified […], Cloud Tasks will pick the default."."""
    defaults, retry, rate = RetryConfig(), queue.retry_config, queue.rate_limits
    retry.max_attempts = retry.max_attempts or defaults.max_attempts
    retry.min_backoff = retry.min_backoff or field_of(defaults.min_backoff)
    retry.max_backoff = retry.max_backoff or field_of(defaults.max_backoff)
    retry.max_doublings = retry.max_doublings or defaults.max_doublings
    rate.max_dispatches_per_second = rate.max_dispatches_per_second or 500
    rate.max_concurrent_dispatches = rate.max_concurrent_dispatches or 1_000
    queue.state = types.Queue.State(queue.state or types.Queue.State.RUNNING)


def _retry_config(given: types.RetryConfig) -> RetryConfig:
    return RetryConfig(
        # RetryConfig.max_attempts: "-1, which indicates unlimited attempts".
        max_attempts=_UNLIMITED if given.max_attempts == -1 else given.max_attempts,
        max_retry_duration=span(given.max_retry_duration),
        min_backoff=span(given.min_backoff),
        max_backoff=span(given.max_backoff),
        max_doublings=given.max_doublings,
    )
