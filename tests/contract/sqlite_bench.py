"""A writer of an SQLite file on a bench: threads that wait for it, and what it asks SQLite for."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from shared.adapters.sqlite_writer import Row, Table, Writer

NUMBERS = Table("numbers", ("n", "text"))
LETTERS = Table("letters", ("letter",))
SCHEMA = """
    PRAGMA journal_mode = WAL;
    CREATE TABLE numbers (n INTEGER PRIMARY KEY, text TEXT);
    CREATE TABLE letters (letter TEXT);
    CREATE TRIGGER positive BEFORE INSERT ON numbers WHEN new.n < 0
    BEGIN SELECT RAISE (ABORT, 'negative'); END;
"""


class Bench:
    """A writer whose threads can be held up until several of them wait."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "bench.db"
        self.connection = self.open()
        self.connection.executescript(SCHEMA)
        self.statements: set[str] = set()
        """With their values. SQLite names one again for each trigger that it fires."""
        self.writer = Writer()
        self._pool = ThreadPoolExecutor(16)

    def open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file, timeout=0, isolation_level=None, check_same_thread=False)

    def at_once(self, *inserts: tuple[Table, Sequence[Row]]) -> list[Future[None]]:
        """Insert all this, each in a thread of its own, while another write is still under way."""
        told = []

        def hold_up(_connection: sqlite3.Connection) -> None:
            for number, (table, rows) in enumerate(inserts, start=1):
                told.append(self._pool.submit(self.insert, table, rows))
                until(lambda number=number: self.waiting == number)  # type: ignore[misc]

        self.writer.write(self.connection, hold_up)
        for one in told:
            one.exception(timeout=30)
        return told

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        with closing(self.open()) as connection:
            connection.set_trace_callback(self.statements.add)
            self.writer.insert(connection, table, rows)

    @property
    def waiting(self) -> int:
        """How many threads wait for another's write."""
        return len(self.writer._waiting)  # noqa: SLF001 - nothing else tells

    def rows(self, table: Table) -> list[Row]:
        return self.connection.execute(f"SELECT * FROM {table.name} ORDER BY 1").fetchall()  # noqa: S608 - of here

    def close(self) -> None:
        self._pool.shutdown()
        self.connection.close()


def until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.001)
