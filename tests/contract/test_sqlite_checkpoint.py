"""SQLite's log is worked into the file beside writers and readers, and begins anew."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.adapters import sqlite_writer
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_checkpoint import Checkpointer
from shared.adapters.sqlite_store import SqliteStore
from shared.adapters.sqlite_writer import Turn
from shared.errors import Unavailable
from shared.ports import Create, Ref


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "envctl.db")
    yield database
    database.close()


def _write(database: Database, first: int, count: int) -> None:
    store = SqliteStore(database)
    for number in range(first, first + count):
        store.commit(Create(Ref("things", str(number)), {"filling": "x" * 500}))


def test_it_knows_how_much_there_is_to_do_as_sqlite_knows_it(database: Database) -> None:
    _write(database, 0, 30)
    pending = Checkpointer(database).pending()
    assert database.fetch("PRAGMA wal_checkpoint(PASSIVE)") == [(0, pending, pending)]
    assert pending > 30
    assert Checkpointer(database).pending() == 0


def test_where_there_is_no_file_there_is_nothing_to_do(database: Database) -> None:
    assert not Checkpointer(database, pages=1).look()
    assert not database.path.exists()


def test_a_short_log_is_left_alone(database: Database) -> None:
    _write(database, 0, 10)
    pending = Checkpointer(database).pending()
    assert not Checkpointer(database, pages=pending + 1).look()
    assert Checkpointer(database).pending() == pending


def test_a_long_log_is_worked_in_and_begins_anew(database: Database) -> None:
    checkpointer = Checkpointer(database, pages=40)
    log = database.path.with_name("envctl.db-wal")
    _write(database, 0, 40)
    assert checkpointer.look()
    size = log.stat().st_size
    for turn in range(1, 5):
        _write(database, 100 * turn, 40)
        assert checkpointer.look()
        assert checkpointer.pending() == 0
    assert log.stat().st_size < 2 * size, "it went on where it ended"


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


def test_while_somebody_writes_the_rest_waits_for_its_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "BUSY_SECONDS", 0)
    checkpointer = Checkpointer(database, pages=1)
    _write(database, 0, 5)
    with closing(Turn(database.lock)) as others:
        others.take()
        with pytest.raises(Unavailable):
            checkpointer.look()
    _write(database, 10, 5)
    assert checkpointer.look()
