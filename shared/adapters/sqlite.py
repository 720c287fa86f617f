"""The SQLite file that store and queue share: connections, the one writer, the schema's version."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from weakref import WeakSet

from pydantic_core import from_json, to_json

from shared.adapters import sqlite_writer
from shared.adapters.sqlite_writer import Row, Table, Work, Writer, patiently
from shared.errors import Unavailable
from shared.startup import DatabaseTooNew, HomeUnusable

MIGRATIONS = (
    (
        """CREATE TABLE documents (
             key TEXT NOT NULL PRIMARY KEY, collection TEXT NOT NULL, id TEXT NOT NULL,
             version INTEGER NOT NULL, body TEXT NOT NULL)""",
        """CREATE TABLE tasks (
             id INTEGER PRIMARY KEY, path TEXT NOT NULL, payload TEXT NOT NULL, at TEXT NOT NULL,
             due_at TEXT NOT NULL, leased INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
             first_attempt TEXT, executions INTEGER NOT NULL DEFAULT 0, previous_status INTEGER)""",
        "CREATE INDEX tasks_due ON tasks (due_at, id)",
    ),
    (
        """CREATE VIEW writes AS
             SELECT '' AS op, key, collection, id, version, body, version AS if_version FROM documents""",
        """CREATE TRIGGER writes_create INSTEAD OF INSERT ON writes WHEN new.op = 'create' BEGIN
             INSERT INTO documents (key, collection, id, version, body)
             VALUES (new.key, new.collection, new.id, new.version, new.body);
           END""",
        """CREATE TRIGGER writes_update INSTEAD OF INSERT ON writes WHEN new.op = 'update' BEGIN
             UPDATE documents SET version = new.version, body = new.body
             WHERE key = new.key AND version = new.if_version;
             SELECT RAISE (ABORT, 'another version') WHERE changes() = 0;
           END""",
        """CREATE TRIGGER writes_delete INSTEAD OF INSERT ON writes WHEN new.op = 'delete' BEGIN
             DELETE FROM documents WHERE key = new.key AND version = new.if_version;
             SELECT RAISE (ABORT, 'another version') WHERE changes() = 0;
           END""",
    ),
)
"""Statements that lead from each version of the schema to the next; the first makes version 1.

A row inserted into `writes` is a write of the port: SQLite carries out what one statement inserts as a whole,
or refuses it. See `sqlite_writer` for what that is good for.
"""

SCHEMA_VERSION = len(MIGRATIONS)

LONGEST_LOG_PAGES = 16_000
"""How long the log grows (64 MB) before the next writer works it in. `sqlite_checkpoint` does it sooner."""
CACHE_KIBIBYTES = 1_024
"""Of each connection; there are as many as threads. The operating system caches the rest."""

T = TypeVar("T")

_PASSING = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
    ),
)
"""What may be over at the next try: another writer, a full, failing or remounted disk, no free file."""

decode = from_json
"""JSON text as a value. Pydantic's takes half of the time of Python's, and its encoder a third."""


def encode(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value as JSON text, compact. Raises ValueError for numbers and characters that JSON has not."""
    text = to_json(value)
    if b"NaN" in text or b"Infinity" in text:  # a number that is none, or a word
        from_json(text, allow_inf_nan=False)
    return text.decode()


class Database:
    """An SQLite file, safe for many threads and processes.

    Constructing touches nothing; the first use creates the file (mode 0600) in its existing folder
    and brings the schema up to date. It raises `HomeUnusable` where the folder can't be used and
    `DatabaseTooNew` for a later schema. Every method raises `Unavailable` on locks, full disks and
    I/O errors. What is written through one that is not `durable` may be undone by a power loss.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._synchronous = "FULL" if durable else "NORMAL"
        self._processes: dict[int, _Process] = {}

    def connection(self) -> sqlite3.Connection:
        """The calling thread's own connection, opened at its first call."""
        try:
            return self._process().thread.connection
        except AttributeError:
            return self._open()

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Every row of one SELECT: what was committed before it began, as of one moment."""
        connection = self.connection()
        with _TRANSLATING:
            return patiently(lambda: connection.execute(sql, parameters).fetchall())

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows, all or none; once it returns they are committed.

        Other threads' rows may be in the same statement. What a constraint or a trigger refuses is
        an `sqlite3.IntegrityError`, and undoes this call's rows alone.
        """
        connection = self.connection()
        with _TRANSLATING:
            self._process().writer.insert(connection, table, rows)

    def write(self, work: Work[T]) -> T:
        """What the work returns for a connection, once what it wrote is committed, whole or not at all.

        It must not write through another connection.
        """
        connection = self.connection()
        with _TRANSLATING:
            return self._process().writer.write(connection, work)

    def close(self) -> None:
        """Close the connections of all this process's threads, after a write that is under way."""
        process = self._processes.pop(os.getpid(), None)
        if process:
            process.close()

    def _process(self) -> "_Process":
        # What a child finds of its parent's is neither used nor closed: SQLite forbids both.
        pid = os.getpid()
        return self._processes.get(pid) or self._processes.setdefault(pid, _Process())

    def _open(self) -> sqlite3.Connection:
        with _TRANSLATING, _alone(self.path.parent):
            _create(self.path)
            connection = sqlite3.connect(
                self.path,
                timeout=sqlite_writer.BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,  # so that close() can close those of other threads
                cached_statements=256,
            )
            try:
                self._bring_up(connection)
                connection.execute("PRAGMA busy_timeout = 0")  # `patiently` asks again
            except BaseException:
                connection.close()
                raise
            self._process().adopt(connection)
            _OPEN.add(self)
        return connection

    def _bring_up(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LONGEST_LOG_PAGES}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > SCHEMA_VERSION:
            raise DatabaseTooNew(str(self.path), found, SCHEMA_VERSION)
        if found == SCHEMA_VERSION:
            return
        connection.execute("PRAGMA journal_mode = WAL")
        with _transaction(connection):
            for statements in MIGRATIONS[found:]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


class _Thread(threading.local):
    connection: sqlite3.Connection


class _Process:
    """What a `Database` holds in one process."""

    def __init__(self) -> None:
        self.writer = Writer()
        self.thread = _Thread()
        self.opened: dict[threading.Thread, sqlite3.Connection] = {}

    def adopt(self, connection: sqlite3.Connection) -> None:
        """Keep the calling thread's connection, and close those of threads that have ended."""
        for thread in [thread for thread in self.opened if not thread.is_alive()]:
            self.opened.pop(thread).close()
        self.opened[threading.current_thread()] = self.thread.connection = connection

    def close(self) -> None:
        self.writer.close()
        for connection in self.opened.values():
            connection.close()


_OPEN: WeakSet[Database] = WeakSet()


def _close_all() -> None:
    for database in tuple(_OPEN):
        database.close()


# SQLite notes per process which locks it holds on a file. A child that inherits the note takes its
# new connection for locked already, holds nothing, and loses what it writes when others clean up.
os.register_at_fork(before=_close_all)


class _Translating:
    """Turns SQLite's passing troubles into `Unavailable`. A class: a generator takes 1 us per call."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, sqlite3.OperationalError) and sqlite_writer.code_of(error) in _PASSING:
            raise Unavailable("database") from error


_TRANSLATING = _Translating()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        # SQLite itself has already rolled back after some errors (a full disk, for one).
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds the folder's lock against every other opener: in other processes, and in this one.

    Two that turn a new file into WAL at once fail without a wait, and closing a file descriptor
    (as `_create` does) drops the locks of the process's other connections to the file.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise HomeUnusable(str(folder), str(error.strerror)) from error
    except OSError as error:
        raise Unavailable("database") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _create(file: Path) -> None:
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        pass
    except PermissionError as error:
        raise HomeUnusable(str(file.parent), str(error.strerror)) from error
    except OSError as error:
        raise Unavailable("database") from error
