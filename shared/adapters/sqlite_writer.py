"""The one writer of a process: threads that want to write at the same time share one transaction.

A commit costs a wait for the disk, whatever is in it. So the first of several threads carries out
the others' writes with its own, each within a savepoint, and commits them all at once.

thread 1 ── leads ── BEGIN ─ write 1 ─ COMMIT ──────────────────────────────────> returns
thread 2 ──────────────── waits ──────────────── leads ── BEGIN ─ 2 ─ 3 ─ COMMIT ─> returns
thread 3 ──────────────── waits ───────────────────────────────────── is told ───> returns
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from shared.errors import Unavailable

BUSY_SECONDS = 5.0
"""How long a write waits for other writers, of this process or another, before it gives up."""
POLL_SECONDS = 0.0001
"""How often it is seen whether another process's writes are over. SQLite's own wait sleeps up to 100 ms."""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class _Pending:
    """A thread's write, until it is done."""

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.told = threading.Semaphore(0)
        self.leads = False
        self.result: Any = None
        self.error: BaseException | None = None


class Turn:
    """A file's lock, by which processes take turns at writing. Each instance takes turns of its own."""

    def __init__(self, lock: Path) -> None:
        self._lock = lock
        self._descriptor: int | None = None

    def take(self) -> None:
        """Wait for others' writes to end. Raises `Unavailable` if they don't."""
        if self._descriptor is None:
            self._descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        give_up_at = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    raise Unavailable("database") from None
                time.sleep(POLL_SECONDS)
            else:
                return

    def end(self) -> None:
        """Let others write."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let others write, and the file go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Writer:
    """Carries out writes one after the other, those that wait together in one transaction.

    `lock` is the file by which processes take turns. A write that waits too long raises `Unavailable`.
    """

    def __init__(self, lock: Path) -> None:
        self._turn = Turn(lock)
        self._guard = threading.Lock()
        self._waiting: list[_Pending] = []
        self._is_led = False

    def write(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        """What the work returns, once it is committed. What it raises undoes it, and nothing else."""
        mine = _Pending(work)
        with self._guard:
            self._waiting.append(mine)
            mine.leads, self._is_led = not self._is_led, True
        if not mine.leads:
            self._await(mine)
        if mine.leads:
            self._lead(connection, mine)
        if mine.error is not None:
            raise mine.error
        return cast("T", mine.result)

    def close(self) -> None:
        """Wait for the writes under way and let none begin any more."""
        give_up_at = time.monotonic() + BUSY_SECONDS
        while time.monotonic() < give_up_at:
            with self._guard:
                if not self._is_led:
                    self._is_led = True  # for ever: who writes now waits, and gives up
                    break
            time.sleep(POLL_SECONDS)
        self._turn.close()

    def _await(self, mine: _Pending) -> None:
        """Wait until the write is done, or until it is this thread's turn to lead."""
        if mine.told.acquire(timeout=BUSY_SECONDS):
            return
        with self._guard:
            if mine in self._waiting and not mine.leads:
                self._waiting.remove(mine)
                raise Unavailable("database")
        mine.told.acquire()  # somebody is at it, whose waits are bounded

    def _lead(self, connection: sqlite3.Connection, mine: _Pending) -> None:
        """Carry out all that waits; then let the next one lead."""
        with self._guard:
            batch, self._waiting = self._waiting, []
        try:
            self._commit(connection, batch)
        finally:
            with self._guard:
                following = self._waiting[0] if self._waiting else None
                self._is_led = following is not None
                if following is not None:
                    following.leads = True
            for one in (*batch, following):
                if one is not None and one is not mine:
                    one.told.release()

    def _commit(self, connection: sqlite3.Connection, batch: list[_Pending]) -> None:
        try:
            self._turn.take()
            try:
                _transact(connection, batch)
            finally:
                self._turn.end()
        except BaseException as error:  # noqa: BLE001 - every thread is told of what undid its write
            for one in batch:
                one.error = error


def _transact(connection: sqlite3.Connection, batch: list[_Pending]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if len(batch) == 1:
            batch[0].result = batch[0].work(connection)
        else:
            for one in batch:
                _attempt(connection, one)
        connection.execute("COMMIT")
    finally:
        # SQLite itself has already rolled back after some errors (a full disk, for one).
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _attempt(connection: sqlite3.Connection, one: _Pending) -> None:
    """A write of several: its own fault undoes it alone, one that ends the transaction undoes all."""
    connection.execute("SAVEPOINT one")
    try:
        one.result = one.work(connection)
    except Exception as error:
        if not connection.in_transaction:
            raise
        connection.execute("ROLLBACK TO one")
        one.error = error
    connection.execute("RELEASE one")
