"""SQLite's log is worked into the file beside writers and readers, and begins anew."""

import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.sqlite import Database
from shared.adapters.sqlite_checkpoint import Checkpointer, read_log
from shared.adapters.sqlite_store import SqliteStore
from shared.ports import Create, Ref


def _write(database: Database, first: int, count: int) -> None:
    store = SqliteStore(database)
    for number in range(first, first + count):
        store.commit(Create(Ref("things", str(number)), {"filling": "x" * 500}))


def _log(database: Database) -> Path:
    return database.path.with_name("envctl.db-wal")


def _pages(database: Database) -> int:
    log = read_log(_log(database))
    assert log is not None
    return log.pages


def test_it_knows_how_long_the_log_is_as_sqlite_knows_it(database: Database) -> None:
    for count in (1, 30, 3, 0, 12):
        _write(database, random.randrange(10**9), count)
        pages = _pages(database)
        assert database.fetch("PRAGMA wal_checkpoint(PASSIVE)") == [(0, pages, pages)]


def test_where_there_is_no_file_there_is_nothing_to_do(database: Database) -> None:
    assert not Checkpointer(database, pages=1).look()
    assert not database.path.exists()


def test_a_short_log_is_left_alone(database: Database) -> None:
    _write(database, 0, 10)
    pages = _pages(database)
    assert not Checkpointer(database, pages=pages + 1).look()
    assert Checkpointer(database, pages=pages).look()


def test_a_long_log_is_worked_in_once_and_begins_anew(database: Database) -> None:
    checkpointer = Checkpointer(database, pages=40)
    _write(database, 0, 40)
    assert checkpointer.look()
    assert not checkpointer.look(), "nothing has been written since"
    size = _log(database).stat().st_size
    for turn in range(1, 5):
        _write(database, 100 * turn, 1)
        assert _pages(database) < 40
        _write(database, 100 * turn + 1, 40)
        assert checkpointer.look()
    assert _log(database).stat().st_size < 2 * size, "it went on where it ended"


ANOTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
print(busy)
"""


def test_looking_drops_no_lock_that_this_process_has(database: Database) -> None:
    """A process that closes a file loses all its locks on it: others would write over what it is reading."""
    _write(database, 0, 20)
    reading = database.connection()
    reading.execute("BEGIN")
    before = reading.execute("SELECT count(*) FROM documents").fetchone()
    writer = threading.Thread(target=_write, args=(database, 100, 20))
    writer.start()
    writer.join()
    looking = threading.Thread(target=Checkpointer(database, pages=1).look)
    looking.start()
    looking.join()
    command = [sys.executable, "-c", ANOTHER, str(database.path)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    assert found.stdout == "1\n", "somebody reads what was there before"
    assert reading.execute("SELECT count(*) FROM documents").fetchone() == before
    reading.execute("ROLLBACK")


def test_writers_go_on_beside_it(database: Database) -> None:
    checkpointer, ended = Checkpointer(database, pages=1), threading.Event()
    looked = [0]

    def look() -> None:
        while not ended.is_set():
            looked[0] += checkpointer.look()

    looking = threading.Thread(target=look)
    writers = [threading.Thread(target=_write, args=(database, 1_000 * one, 50)) for one in range(4)]
    for thread in (looking, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    looking.join()
    assert looked[0] > 0
    assert database.fetch("SELECT count(*) FROM documents") == [(200,)]
    assert database.fetch("PRAGMA integrity_check") == [("ok",)]


def test_a_writer_that_does_not_end_is_left_in_peace(database: Database) -> None:
    checkpointer = Checkpointer(database, pages=1)
    _write(database, 0, 5)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM documents")
        assert checkpointer.look()
        assert not checkpointer.look(), "nothing has been written since"
        other.execute("COMMIT")
    assert database.fetch("SELECT count(*) FROM documents") == [(0,)]
    _write(database, 10, 1)
    assert checkpointer.look()
    _write(database, 20, 1)
    assert _pages(database) < 10, "the log has begun anew"


class Asked:
    """Notes whether somebody was in the way each time that the log was to begin anew."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.busy: list[bool] = []
        self.first: Callable[[], object] = lambda: None
        """Called just before."""
        self._fetch = database.fetch
        monkeypatch.setattr(database, "fetch", self)

    def __call__(self, sql: str) -> list[Any]:
        if "RESTART" not in sql:
            return self._fetch(sql)
        self.first()
        rows = self._fetch(sql)
        self.busy.append(bool(rows[0][0]))
        return rows


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN"], ids=["writer", "reader"])
def test_who_is_in_the_way_is_waited_out(
    database: Database, monkeypatch: pytest.MonkeyPatch, begin: str
) -> None:
    _write(database, 0, 5)
    checkpointer, asked = Checkpointer(database, pages=1, wait_seconds=20), Asked(database, monkeypatch)
    with closing(sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)) as other:
        other.execute(begin)
        other.execute("SELECT * FROM documents").fetchall()
        leaving = threading.Timer(0.03, other.execute, ["COMMIT"])  # by then SQLite waits
        asked.first = leaving.start
        assert checkpointer.look()
        leaving.join()
    assert asked.busy == [False]
    _write(database, 10, 1)
    assert _pages(database) < 10, "the log has begun anew"


def test_a_reader_who_does_not_end_is_waited_for_seldom(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(database, 0, 10)
    pages = _pages(database)
    checkpointer, asked = Checkpointer(database, pages=pages), Asked(database, monkeypatch)
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        before = other.execute("SELECT count(*) FROM documents").fetchone()
        _write(database, 10, 1)
        looks = [checkpointer.look() for _ in range(5)]
        assert (looks, asked.busy) == ([True, False, False, False, False], [True])
        _write(database, 15, 1)
        assert not checkpointer.look()
        _write(database, 20, 10)
        assert _pages(database) > pages, "it went on where it ended, for there is a reader"
        assert [checkpointer.look() for _ in range(5)] == looks
        assert other.execute("SELECT count(*) FROM documents").fetchone() == before
    _write(database, 30, 10)
    assert checkpointer.look()
    _write(database, 50, 1)
    assert _pages(database) < pages, "the log has begun anew"


def test_writers_wait_no_longer_than_usual_afterwards(database: Database) -> None:
    _write(database, 0, 5)
    assert Checkpointer(database, pages=1).look()
    assert database.fetch("PRAGMA busy_timeout") == [(0,)]
