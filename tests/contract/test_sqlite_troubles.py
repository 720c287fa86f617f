"""What can be wrong with the SQLite file or what is asked of it: each has a name, and leaves no trace."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from shared.adapters import sqlite_writer
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_store import SqliteStore
from shared.errors import Unavailable
from shared.ports import Create, Filter, Order, Query, Ref

ONE = Ref("things", "one")
TWO = Ref("things", "two")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lock."""
    monkeypatch.setattr(sqlite_writer, "BUSY_SECONDS", 0)


@pytest.mark.usefixtures("impatient")
def test_a_lock_of_another_process_is_unavailability(database: Database) -> None:
    store = SqliteStore(database)
    store.commit(Create(ONE, {}))
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="database"):
            store.commit(Create(TWO, {}))
        assert store.get(ONE), "readers wait for nobody"
    store.commit(Create(TWO, {}))


@pytest.mark.usefixtures("impatient")
def test_a_lock_of_another_thread_is_unavailability(database: Database) -> None:
    errors: list[Exception] = []

    def write() -> None:
        try:
            SqliteStore(database).commit(Create(ONE, {}))
        except Unavailable as error:
            errors.append(error)

    SqliteStore(database).count(Query("projects", (Filter("due_at", "<", ""),), Order("due_at")))

    def meanwhile(_connection: sqlite3.Connection) -> None:
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()

    database.write(meanwhile)
    assert len(errors) == 1
    SqliteStore(database).commit(Create(ONE, {}))


def test_a_full_disk_is_unavailability_and_leaves_all_as_it_was(database: Database) -> None:
    store = SqliteStore(database)
    store.commit(Create(ONE, {"n": 1}))
    pages = database.fetch("PRAGMA page_count")[0][0]
    database.fetch(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="database"):
        store.commit(Create(TWO, {"large": "x" * 100_000}))
    assert store.get_many([ONE, TWO])[1] is None
    database.fetch("PRAGMA max_page_count = 1000000")
    store.commit(Create(TWO, {"large": "x" * 100_000}))


def test_a_file_that_cannot_be_opened_is_unavailability(tmp_path: Path) -> None:
    (tmp_path / "envctl.db").mkdir()
    with pytest.raises(Unavailable, match="database"):
        Database(tmp_path / "envctl.db").fetch("SELECT 1")


@pytest.mark.usefixtures("impatient")
def test_a_read_that_is_too_old_to_write_is_unavailability(database: Database) -> None:
    SqliteStore(database).commit(Create(ONE, {}))
    database.fetch("BEGIN")
    database.fetch("SELECT * FROM documents")
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("DELETE FROM documents")
    with pytest.raises(Unavailable) as caught:  # a kind of busy that has a code of its own
        database.fetch("DELETE FROM documents")
    cause = caught.value.__cause__
    assert isinstance(cause, sqlite3.OperationalError)
    assert cause.sqlite_errorcode == sqlite3.SQLITE_BUSY_SNAPSHOT


def test_a_mistake_in_sql_keeps_its_name(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        database.fetch("SELECT * FROM nowhere")


def test_a_trouble_of_python_s_own_module_keeps_its_name(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="decode"):  # has no code of SQLite's
        database.fetch("SELECT CAST (x'ff' AS TEXT)")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_undoes_the_transaction(database: Database, error: type[BaseException]) -> None:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO documents VALUES ('a/b', 'a', 'b', 1, '{}')")
        raise error

    with pytest.raises(error):
        database.write(work)
    assert database.fetch("SELECT count(*) FROM documents") == [(0,)]


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), "\ud800"], ids=ascii)
def test_what_could_not_be_read_again_is_not_written(database: Database, value: object) -> None:
    store = SqliteStore(database)
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        store.commit(Create(TWO, {}), Create(ONE, {"value": value}))
    assert store.get_many([ONE, TWO]) == [None, None]


@pytest.mark.parametrize("word", ["NaN", "-Infinity"])
def test_a_word_for_what_is_no_number_is_a_word(database: Database, word: str) -> None:
    store = SqliteStore(database)
    store.commit(Create(ONE, {word: [word]}))
    read = store.get(ONE)
    assert read is not None
    assert read.data == {word: [word]}


def test_a_read_is_tried_again_while_the_file_is_locked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is while another process makes up for one that was killed."""
    connection, locked = database.connection(), [True]

    class Recovering:
        def execute(self, sql: str, parameters: tuple[object, ...]) -> sqlite3.Cursor:
            if locked:
                locked.clear()
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY_RECOVERY
                raise error
            return connection.execute(sql, parameters)

    monkeypatch.setattr(database, "connection", Recovering)
    assert database.fetch("SELECT 1") == [(1,)]
