"""Every query walks an index: by SQLite's own plans, by its steps, and however the declaration changes."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.indexes import INDEXES, read
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_store import SqliteStore
from shared.errors import MissingIndex
from shared.ports import Create, Delete, Filter, Order, Query, Ref, Update


class Watched(Database):
    """Keeps what it is asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[tuple[str, Sequence[Any]]] = []

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        self.asked.append((sql, parameters))
        return super().fetch(sql, parameters)

    def plan(self) -> list[str]:
        """How SQLite carries out what it was last asked."""
        sql, parameters = self.asked[-1]
        return [row[3] for row in super().fetch(f"EXPLAIN QUERY PLAN {sql}", parameters)]

    def steps(self, store: SqliteStore, query: Query) -> int:
        """How many instructions SQLite's machine runs for a page."""
        count = 0

        def step() -> None:
            nonlocal count
            count += 1

        self.connection().set_progress_handler(step, 1)
        store.find(query)
        self.connection().set_progress_handler(None, 1)
        return count


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Watched]:
    database = Watched(tmp_path / "envctl.db")
    yield database
    database.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A database of which only plans are asked."""
    database = Watched(tmp_path_factory.mktemp("plans") / "envctl.db")
    yield database
    database.close()


def declared_shapes() -> Iterator[Query]:
    """Of each declared index: its equalities, each of them as `in`, and the ranges on its order."""
    for index in read(INDEXES):
        equal = [Filter(field, "==", "x") for field in index.equal]
        if index.array:
            equal.append(Filter(index.array, "array_contains", "x"))
        several = [
            [*equal[:n], Filter(one.field, "in", ("x", "y", None)), *equal[n + 1 :]]
            for n, one in enumerate(equal)
            if not index.array
        ]
        for filters in (equal, *several):
            for ranges in ((), ("<",), (">=",), (">", "<="))[not filters :]:
                bounds = [Filter(index.order.field, op, "m") for op in ranges]  # type: ignore[arg-type]
                yield Query(index.collection, (*filters, *bounds), index.order)


def name(query: Query) -> str:
    filters = ", ".join(f"{one.field} {one.op}" for one in query.where)
    return f"{query.collection}: {filters} by {query.order.field}{' desc' * query.order.descending}"


@pytest.mark.parametrize("query", list(declared_shapes()), ids=name)
def test_no_query_sorts_or_scans(empty: Watched, query: Query) -> None:
    store = SqliteStore(empty)
    plans = []
    for after in (None, ("n", "id"), (None, "id")):
        store.find(Query(query.collection, query.where, query.order, 50, after))
        plans.append(empty.plan())
    store.count(query)
    plans.append(empty.plan())
    steps = [step for plan in plans for step in plan]
    assert all(step.startswith(("SEARCH ", "MERGE (UNION ALL)", "LEFT", "RIGHT")) for step in steps), plans


def fill(database: Database, count: int) -> None:
    """Deployments of one environment, in three statuses, with ten numbers: ties by the thousand."""
    sql = """WITH RECURSIVE made (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM made WHERE n < ?)
             INSERT INTO documents
             SELECT printf('deployments/%06d', n), 'deployments', printf('%06d', n), n,
             json_object('environment_id', 'e1', 'status', substr('abc', n % 3 + 1, 1), 'number', n % 10)
             FROM made"""
    database.write(lambda connection: connection.execute(sql, (count,)))


HIGHEST, LOWEST = Order("number", descending=True), Order("number")
OF_ONE = Filter("environment_id", "==", "e1")


def pages(count: int) -> list[Query]:
    """First pages, pages from the midst of a long tie, and one that begins shortly before a range's end."""
    answers = (
        ((OF_ONE,), HIGHEST),
        ((OF_ONE, Filter("status", "in", ("a", "b"))), HIGHEST),
        ((OF_ONE, Filter("number", "<=", 7)), LOWEST),
        ((OF_ONE, Filter("number", "<", 7), Filter("number", ">=", 2)), LOWEST),
    )
    middle, end = (5, f"{count // 2:06}"), (0, f"{count - 99:06}")
    return [
        *(
            Query("deployments", where, order, 50, after)
            for where, order in answers
            for after in (None, middle)
        ),
        Query("deployments", (OF_ONE, Filter("number", "<=", 0)), LOWEST, 50, end),
    ]


def test_a_page_costs_the_same_out_of_a_thousand_and_a_hundred_thousand(tmp_path: Path) -> None:
    costs: list[list[int]] = []
    for count in (1_000, 100_000):
        database = Watched(tmp_path / f"{count}.db")
        store = SqliteStore(database)
        store.commit(Create(Ref("others", "makes the indexes"), {}))
        fill(database, count)
        costs.append([database.steps(store, query) for query in pages(count)])
        database.close()
    few, many = costs
    assert all(more <= 1.2 * less for less, more in zip(few, many, strict=True)), costs


# the declaration -------------------------------------------------------------------------------

COLOUR = {
    "collectionGroup": "things",
    "queryScope": "COLLECTION",
    "fields": [{"fieldPath": "colour", "order": "ASCENDING"}, {"fieldPath": "size", "order": "ASCENDING"}],
}
TAGS = {
    "collectionGroup": "things",
    "queryScope": "COLLECTION",
    "fields": [{"fieldPath": "tags", "arrayConfig": "CONTAINS"}, {"fieldPath": "size", "order": "ASCENDING"}],
}
BY_COLOUR = Query("things", (Filter("colour", "==", "red"),), Order("size"))
BY_TAG = Query("things", (Filter("tags", "array_contains", "new"),), Order("size"))


def store_with(database: Database, *indexes: object) -> SqliteStore:
    """A store with a declaration of its own, as after an update of envctl."""
    file = database.path.with_suffix(".json")
    file.write_text(json.dumps({"indexes": indexes, "fieldOverrides": []}), encoding="utf-8")
    return SqliteStore(database, file)


def found(store: SqliteStore, query: Query) -> list[str]:
    return [one.ref.id for one in store.find(query).documents]


def objects(database: Database) -> set[tuple[str, str]]:
    """Everything in the file: names and definitions, the columns of `documents` among them."""
    return set(database.fetch("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


@pytest.mark.parametrize(("index", "query"), [(COLOUR, BY_COLOUR), (TAGS, BY_TAG)], ids=["fields", "array"])
def test_an_index_that_is_declared_later_knows_the_documents_from_before(
    database: Database,
    index: object,
    query: Query,
) -> None:
    red, blue = {"colour": "red", "tags": ["new", "old"]}, {"colour": "blue", "tags": ["old"]}
    before = store_with(database)
    before.commit(
        *(Create(Ref("things", str(n)), {**(red if n % 2 else blue), "size": n}) for n in range(6)),
        Create(Ref("others", "1"), {**red, "size": 1}),
    )
    with pytest.raises(MissingIndex):
        before.find(query)
    after = store_with(database, index)
    assert found(after, query) == ["1", "3", "5"]
    assert after.count(query) == 3
    one, two = after.get_many([Ref("things", "1"), Ref("things", "2")])
    assert one
    assert two
    after.commit(
        Delete(one.ref, one.version),
        Update(two.ref, {**two.data, **red}, two.version),
        Create(Ref("things", "9"), {**red, "size": 9}),
    )
    assert found(after, query) == ["2", "3", "5", "9"]


def test_an_index_that_is_no_longer_declared_is_dropped_without_a_trace(database: Database) -> None:
    store = store_with(database)
    store.commit(Create(Ref("things", "1"), {"colour": "red", "tags": ["new"], "size": 1}))
    bare = objects(database)
    store_with(database, COLOUR, TAGS).count(BY_TAG)
    assert len(objects(database)) == len(bare) + 7
    store_with(database).commit(Create(Ref("things", "2"), {"colour": "red", "tags": ["new"], "size": 1}))
    assert objects(database) == bare
    # Back again, it has missed nothing.
    assert found(store_with(database, COLOUR, TAGS), BY_TAG) == ["1", "2"]


def test_an_index_that_is_there_is_not_made_again(database: Watched) -> None:
    store_with(database, COLOUR, TAGS).count(BY_TAG)
    statements: list[str] = []
    database.connection().set_trace_callback(statements.append)
    store_with(database, COLOUR, TAGS).count(BY_TAG)
    assert statements
    assert not [one for one in statements if one.startswith(("BEGIN", "CREATE", "DROP", "ALTER"))]


def test_an_index_of_an_older_make_is_made_anew(database: Database) -> None:
    store = store_with(database, TAGS)
    store.commit(Create(Ref("things", "1"), {"tags": ["new"], "size": 1}))
    name = "find:things:tags[]:size"
    database.write(lambda connection: connection.execute(f'DROP TRIGGER "{name}:insert"'))
    store.commit(Create(Ref("things", "2"), {"tags": ["new"], "size": 2}))
    assert found(store_with(database, TAGS), BY_TAG) == ["1", "2"]


def test_a_query_without_its_index_in_the_file_fails_rather_than_scans(database: Database) -> None:
    store = store_with(database, COLOUR)
    store.count(BY_COLOUR)
    store_with(database).commit(Create(Ref("things", "1"), {}))
    with pytest.raises(sqlite3.OperationalError, match="no such index"):
        store.find(BY_COLOUR)


@pytest.mark.parametrize("field", ["a.b", "x'", "Größe"])
def test_only_plain_names_become_sql(database: Database, field: str) -> None:
    index = {**COLOUR, "fields": [{"fieldPath": field, "order": "ASCENDING"}, *COLOUR["fields"]]}
    with pytest.raises(ValueError, match=field):
        store_with(database, index).count(BY_COLOUR)
