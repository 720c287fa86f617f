"""The one writer of a process: threads that want to insert rows at the same time share one statement.

A commit costs a wait for the disk, whatever is in it. So the first of several threads inserts the others'
rows with its own.

thread 1 ── leads ── INSERT 1 ───────────────────────────> returns
thread 2 ─────────────── waits ── leads ── INSERT 2, 3 ──> returns
thread 3 ─────────────── waits ───────────────── is told ─> returns

The statement is a transaction of its own: within one call, in which the thread lets others have the
interpreter, SQLite locks the file, writes, waits for the disk and unlocks. Around BEGIN and COMMIT a thread
would wait for the interpreter with the file locked, and every other process with it.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from shared.errors import Unavailable

BUSY_SECONDS = 5.0
"""How long a write waits for other writers, of this process or another, before it gives up."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.0001, 0.002
"""Seconds until it is asked again whether the file is free; doubled each time. A commit takes less than one
millisecond mostly. SQLite would sleep for one, and then longer and longer, up to 100."""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
Row = Sequence[Any]


@dataclass(frozen=True)
class Table:
    """What rows are inserted into: a table, or a view whose triggers do something with each."""

    name: str
    columns: tuple[str, ...]
    """The first is never null."""

    def insertion(self, rows: Sequence[Row]) -> tuple[str, list[Any]]:
        """The statement that inserts these rows, and its parameters."""
        # Rows without a value, which the statement leaves out, make up a power of two: so a connection
        # keeps few statements prepared, however many rows there are each time.
        count = 1 << (len(rows) - 1).bit_length()
        parameters = [value for row in rows for value in row]
        parameters += [None] * (count * len(self.columns) - len(parameters))
        return _insertion(self, count), parameters


@cache
def _insertion(table: Table, count: int) -> str:
    values = ", ".join([f"({', '.join('?' * len(table.columns))})"] * count)
    return (
        f"INSERT INTO {table.name} ({', '.join(table.columns)}) "  # noqa: S608 - names of this project
        f"SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL"
    )


class _Pending:
    """What a thread wants to write, until it is done: rows, or (without a table) whatever its work does."""

    def __init__(self, table: Table | None, rows: Sequence[Row], work: Work[Any] | None = None) -> None:
        self.table = table
        self.rows = rows
        self.work = work
        self.told = threading.Lock()
        self.told.acquire()  # until this write is done, or its thread's turn to lead
        self.leads = False
        self.result: Any = None
        self.error: Exception | None = Unavailable("database")
        """What to say of it: this, until it has been carried out, also where its leader was interrupted."""


class Writer:
    """Carries out writes one after the other. One that waits too long raises `Unavailable`."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: list[_Pending] = []
        self._is_led = False

    def insert(self, connection: sqlite3.Connection, table: Table, rows: Sequence[Row]) -> None:
        """Insert all the rows and commit them, or none. The error of one undoes this call's rows alone."""
        self._write(connection, _Pending(table, rows))

    def write(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        """What the work returns, once it is committed, in a transaction that its exception undoes."""
        return cast("T", self._write(connection, _Pending(None, (), work)))

    def close(self) -> None:
        """Wait for the writes under way and let none begin any more."""
        give_up_at = time.monotonic() + BUSY_SECONDS
        while time.monotonic() < give_up_at:
            with self._guard:
                if not self._is_led:
                    self._is_led = True  # for ever: who writes now waits, and gives up
                    return
            time.sleep(LONGEST_PAUSE)

    def _write(self, connection: sqlite3.Connection, mine: _Pending) -> Any:  # noqa: ANN401 - whatever a work returns
        with self._guard:
            self._waiting.append(mine)
            mine.leads, self._is_led = not self._is_led, True
        if not mine.leads:
            self._await(mine)
        if mine.leads:
            self._lead(connection, mine)
        if mine.error is not None:
            raise mine.error
        return mine.result

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
        """Write mine, and with it what else waits to go into the same table; then let the next one lead."""
        with self._guard:
            batch = [one for one in self._waiting if one is mine or (mine.table and one.table is mine.table)]
            self._waiting = [one for one in self._waiting if one not in batch]
        try:
            _carry_out(connection, batch)
        finally:
            with self._guard:
                following = self._waiting[0] if self._waiting else None
                self._is_led = following is not None
                if following is not None:
                    following.leads = True
            for one in (*batch, following):
                if one is not None and one is not mine:
                    one.told.release()


def _carry_out(connection: sqlite3.Connection, batch: Sequence[_Pending]) -> None:
    """Write what is pending. Each is told of what undid its write."""
    first, *others = batch
    try:
        if first.work is not None:
            first.result = _transact(connection, first.work)
        else:
            _insert(connection, batch)
    except Exception as error:  # noqa: BLE001 - every thread is told
        if others and not is_busy(error):
            for one in batch:  # something was wrong with one of them: now each by itself
                _carry_out(connection, [one])
            return
        for one in batch:
            one.error = error
    else:
        for one in batch:
            one.error = None


def _insert(connection: sqlite3.Connection, batch: Sequence[_Pending]) -> None:
    table = batch[0].table
    assert table is not None  # noqa: S101 - what has no work has a table
    statement = table.insertion([row for one in batch for row in one.rows])
    patiently(lambda: connection.execute(*statement))


def _transact(connection: sqlite3.Connection, work: Work[T]) -> T:
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        result = work(connection)
        connection.execute("COMMIT")
    finally:
        # SQLite itself has already rolled back after some errors (a full disk, for one).
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return result


def patiently(step: Callable[[], T]) -> T:
    """What the step returns, tried again as long as others' locks are in its way, for `BUSY_SECONDS`."""
    give_up_at, pause = time.monotonic() + BUSY_SECONDS, SHORTEST_PAUSE
    while True:
        try:
            return step()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= give_up_at:
                raise
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def is_busy(error: Exception) -> bool:
    """Whether it is a lock of others that is in the way."""
    return code_of(error) == sqlite3.SQLITE_BUSY


def code_of(error: Exception) -> int:
    """The kind of SQLite's trouble: the low byte of its code. An error of Python's own module has none."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF
