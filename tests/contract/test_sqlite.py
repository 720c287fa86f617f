"""The SQLite file itself: what is durable, who may read it, its versions, threads and forks."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from shared.adapters.sqlite import MIGRATIONS, SCHEMA_VERSION, Database
from shared.adapters.sqlite_store import SqliteStore
from shared.errors import Conflict
from shared.ports import Create, Filter, Order, Query, Ref, Update
from shared.startup import DatabaseTooNew, HomeUnusable
from tests.contract.elsewhere import Race

ONE = Ref("things", "one")
TWO = Ref("things", "two")
THREE = Ref("things", "three")


# the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 0), ("foreign_keys", 0)],
)
def test_a_connection_is_durable_and_does_not_sleep_by_itself(
    database: Database, pragma: str, value: object
) -> None:
    assert database.fetch(f"PRAGMA {pragma}") == [(value,)]


def test_a_connection_that_need_not_be_durable_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "envctl.db", durable=False)) as database:
        assert database.fetch("PRAGMA synchronous") == [(1,)]


def test_constructing_touches_nothing(database: Database) -> None:
    SqliteStore(database)
    assert not database.path.exists()


def test_no_refs_cost_no_call(database: Database) -> None:
    SqliteStore(database).get_many([])
    assert not database.path.exists()


def test_many_refs_cost_one_statement(database: Database) -> None:
    statements: list[str] = []
    database.connection().set_trace_callback(statements.append)
    SqliteStore(database).get_many([ONE] * 200)
    assert len(statements) == 1


def test_only_its_owner_reads_the_file(database: Database) -> None:
    SqliteStore(database).commit(Create(ONE, {}))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in database.path.parent.iterdir()}
    assert set(modes) == {f"envctl.db{end}" for end in ("", "-wal", "-shm")}
    assert set(modes.values()) == {0o600}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(HomeUnusable, match="nowhere"):
        Database(tmp_path / "nowhere" / "envctl.db").fetch("SELECT 1")


def test_a_file_of_a_newer_envctl_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "envctl.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = file.read_bytes()
    with pytest.raises(DatabaseTooNew, match=f"schema is {SCHEMA_VERSION + 1}"):
        Database(file).fetch("SELECT 1")
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["envctl.db"]  # noqa: PTH208 - names


def test_a_file_of_an_older_envctl_is_brought_up_to_date(database: Database) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as older:
        older.execute("PRAGMA journal_mode = WAL")
        for statement in MIGRATIONS[0]:
            older.execute(statement)
        older.execute("INSERT INTO documents VALUES ('things/one', 'things', 'one', 1, '{\"n\": 1}')")
        older.execute("PRAGMA user_version = 1")
    store = SqliteStore(database)
    one = store.get(ONE)
    assert one
    store.commit(Create(TWO, {"n": 2}), Update(ONE, {"n": 3}, one.version))
    assert [document and document.data["n"] for document in store.get_many([ONE, TWO])] == [3, 2]
    assert database.fetch("PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_processes_that_open_a_new_file_at_once_all_succeed(race: Race) -> None:
    race(8, "open_new_files", "sqlite", "15")


def test_a_closed_database_opens_again(database: Database) -> None:
    store = SqliteStore(database)
    store.commit(Create(ONE, {}))
    database.close()
    assert store.get(ONE)


# threads and forks -----------------------------------------------------------------------------


def test_each_thread_has_a_connection_of_its_own_closed_after_its_end(database: Database) -> None:
    connections = [database.connection(), database.connection()]
    for _ in range(2):
        thread = threading.Thread(target=lambda: connections.append(database.connection()))
        thread.start()
        thread.join()
    assert len(set(map(id, connections))) == 3
    assert connections[0].execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connections[2].execute("SELECT 1")


def test_close_closes_the_connections_of_all_threads(database: Database) -> None:
    connections = [database.connection()]
    thread = threading.Thread(target=lambda: connections.append(database.connection()))
    thread.start()
    thread.join()
    database.close()
    for connection in connections:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


class Child:
    """A fork that takes one step after the other, each when it is told to."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        told, self.tell = os.pipe()
        self.hear, say = os.pipe()
        if os.fork() == 0:
            try:
                for step in steps:
                    os.read(told, 1)
                    step()
                    os.write(say, b"!")
            finally:
                os._exit(0)
        os.close(told)
        os.close(say)

    def go(self) -> None:
        os.write(self.tell, b"!")
        assert os.read(self.hear, 1) == b"!", "the step failed"

    def end(self) -> None:
        os.close(self.tell)
        os.close(self.hear)
        os.wait()


def test_both_sides_of_a_fork_go_on_with_connections_of_their_own(database: Database) -> None:
    store = SqliteStore(database)
    store.commit(Create(ONE, {}))
    before = database.connection()

    def write() -> None:
        assert database.connection() is not before
        assert store.get(ONE)
        store.commit(Create(TWO, {}))

    child = Child(write)
    store.commit(Create(THREE, {}))
    child.go()
    child.end()
    assert None not in store.get_many([ONE, TWO, THREE])


def test_what_a_child_writes_stays_when_its_parent_closes(database: Database) -> None:
    store = SqliteStore(database)
    store.commit(Create(ONE, {}))
    child = Child(lambda: store.commit(Create(TWO, {})), lambda: store.commit(Create(THREE, {})))
    child.go()
    database.close()  # would clean up behind the child if that had no lock on the file
    child.go()
    child.end()
    assert None not in store.get_many([ONE, TWO, THREE])


# orders beyond the port's contract -------------------------------------------------------------


def test_null_is_lowest_in_an_order_and_an_absent_field_is_in_none(database: Database) -> None:
    store = SqliteStore(database)
    values = {"a": 2, "b": None, "c": 1, "d": None, "e": "text"}
    store.commit(
        *(
            Create(Ref("deployments", name), {"environment_id": "e1", "number": n})
            for name, n in values.items()
        ),
        Create(Ref("deployments", "absent"), {"environment_id": "e1"}),
        Create(Ref("deployments", "array"), {"environment_id": "e1", "number": [1]}),
    )
    for descending, expected in ((False, "bdcae"), (True, "eacdb")):
        query = Query("deployments", (Filter("environment_id", "==", "e1"),), Order("number", descending), 1)
        page = store.find(query)
        found = [one.ref.id for one in page.documents]
        while page.next:
            page = store.find(Query(query.collection, query.where, query.order, 1, page.next))
            found += [one.ref.id for one in page.documents]
        assert "".join(found) == expected


def test_a_version_of_another_form_is_a_conflict(database: Database) -> None:
    store = SqliteStore(database)
    store.commit(Create(ONE, {}))
    with pytest.raises(Conflict):
        store.commit(Update(ONE, {}, "2026-01-01T00:00:00Z"))
