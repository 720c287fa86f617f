"""The indexes that `shared/indexes.json` declares, as objects of an SQLite file.

The declaration has the format of Firestore's `firestore.indexes.json`: one for both databases.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.adapters.sqlite import Database
from shared.ports import Order, Scalar

LOWEST = "-9e999"
"""Minus infinity, which JSON does not have: what a null is indexed as."""

_NAME = re.compile(r"[a-z_]+")
_OBJECTS = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'find:%'"


def to_value(scalar: Scalar) -> str | float | bytes:
    """A scalar as it stands in an index; they sort as null, numbers, text, false, true.

    JSON's types are kept apart, which SQLite's own would not: it takes true for 1, and null for an
    absent field.
    """
    if scalar is None:
        return float(LOWEST)
    return bytes((scalar,)) if isinstance(scalar, bool) else scalar


def _case(kind: str, value: str) -> str:
    """`to_value` in SQL. An array or object is no scalar: it is indexed as if absent."""
    return (
        f"CASE {kind} WHEN 'null' THEN {LOWEST} WHEN 'false' THEN x'00' WHEN 'true' THEN x'01' "
        f"WHEN 'array' THEN NULL WHEN 'object' THEN NULL ELSE {value} END"
    )


def _value(body: str, field: str) -> str:
    return _case(f"json_type({body}, '$.{field}')", f"json_extract({body}, '$.{field}')")


@dataclass(frozen=True)
class Index:
    """Serves the queries with these equalities, at most one `array_contains`, and this order.

    Without an array it is an index over expressions on the documents of its collection, with one a
    table of a row per element, which triggers keep. SQLite walks either in both directions.
    """

    collection: str
    array: str | None
    equal: tuple[str, ...]
    order: str

    @cached_property
    def name(self) -> str:
        """The name of its main object in the file."""
        array = (f"{self.array}[]",) if self.array else ()
        return ":".join(("find", self.collection, *array, *self.equal, self.order))

    @cached_property
    def source(self) -> str:
        """FROM and the start of WHERE: SQLite then walks this index or reports an error."""
        if self.array:
            return (
                f'FROM "{self.name}" AS entry INDEXED BY "{self.name}:order" '
                "CROSS JOIN documents ON documents.key = entry.key0 WHERE true"
            )
        return f"FROM documents INDEXED BY \"{self.name}\" WHERE documents.collection = '{self.collection}'"

    @property
    def key(self) -> str:
        """The document's key, in SQL over `source`."""
        return "entry.key0" if self.array else "documents.key"

    def column(self, field: str) -> str:
        """A field's indexed value, in SQL over `source`."""
        return f'entry."{field}"' if self.array else f"({_value('documents.body', field)})"

    @cached_property
    def objects(self) -> Mapping[str, str]:
        """What it is made of: names and CREATE statements, word for word as SQLite keeps them."""
        if self.array:
            return self._table(self.array)
        columns = ", ".join(_value("body", field) for field in (*self.equal, self.order))
        where = f"collection = '{self.collection}'"
        return {self.name: f'CREATE INDEX "{self.name}" ON documents ({columns}, key) WHERE {where}'}

    @property
    def backfill(self) -> Iterator[str]:
        """The statements that take up the documents that were there before it."""
        if self.array:
            entries = self._entries(self.array, "documents AS new, ")
            yield f"{entries} AND new.collection = '{self.collection}'"

    def _table(self, array: str) -> Mapping[str, str]:
        # No field has a digit in its name, so none is called key0.
        columns = ", ".join(f'"{field}"' for field in (array, *self.equal, self.order)) + ", key0"
        mine = f"collection = '{self.collection}' BEGIN"
        add = f"{self._entries(array)}; END"
        remove = f'DELETE FROM "{self.name}" WHERE key0 = old.key;'  # noqa: S608 - a checked name
        parts = {
            "": ("TABLE", f"({columns})"),
            ":order": ("INDEX", f'ON "{self.name}" ({columns})'),
            ":key": ("INDEX", f'ON "{self.name}" (key0)'),
            ":insert": ("TRIGGER", f"AFTER INSERT ON documents WHEN new.{mine} {add}"),
            ":update": ("TRIGGER", f"AFTER UPDATE OF body ON documents WHEN new.{mine} {remove} {add}"),
            ":delete": ("TRIGGER", f"AFTER DELETE ON documents WHEN old.{mine} {remove} END"),
        }
        return {
            self.name + part: f'CREATE {kind} "{self.name}{part}" {definition}'
            for part, (kind, definition) in parts.items()
        }

    def _entries(self, array: str, others: str = "") -> str:
        """The statement that adds the rows of a document called `new`."""
        element = _case("item.type", "item.value")
        fields = "".join(f"{_value('new.body', field)}, " for field in (*self.equal, self.order))
        return (
            f'INSERT INTO "{self.name}" SELECT DISTINCT {element}, {fields}new.key '  # noqa: S608 - checked names
            f"FROM {others}json_each(new.body, '$.{array}') AS item "
            f"WHERE json_type(new.body, '$.{array}') = 'array'"
        )


def declared(declaration: Mapping[str, Any]) -> Iterator[tuple[Index, Order]]:
    """The indexes of a `firestore.indexes.json`, each with the order that it was declared for.

    A composite's last field is the order. Overrides declare the indexes of a single field; those
    for arrays alone have no order, so no query of the port can use them.
    """
    for composite in declaration["indexes"]:
        yield _index(composite["collectionGroup"], composite["fields"])
    for override in declaration["fieldOverrides"]:
        for single in override["indexes"]:
            if "order" in single:
                yield _index(override["collectionGroup"], [{**single, "fieldPath": override["fieldPath"]}])


def _index(collection: str, fields: list[Mapping[str, str]]) -> tuple[Index, Order]:
    names = [field["fieldPath"] for field in fields]
    for name in (collection, *names):  # they become SQL
        if not _NAME.fullmatch(name):
            raise ValueError(name)
    array = next((field["fieldPath"] for field in fields if "arrayConfig" in field), None)
    *equal, order = (name for name in names if name != array)
    descending = fields[-1]["order"] == "DESCENDING"
    return Index(collection, array, tuple(equal), order), Order(order, descending)


def install(database: Database, indexes: Iterable[Index]) -> None:
    """Create what is missing in the file, drop what is not among the indexes."""
    wanted = set(indexes)
    if any(_differences(wanted, database.fetch(_OBJECTS))):
        with database.write() as connection:
            _bring_up(connection, wanted)


def _differences(wanted: set[Index], rows: list[tuple[str, str]]) -> tuple[set[Index], dict[str, str]]:
    """Which indexes are to be made, and which objects are to be dropped: names and statements."""
    found = dict(rows)
    missing = {index for index in wanted if not index.objects.items() <= found.items()}
    kept = {name for index in wanted - missing for name in index.objects}
    return missing, {name: sql for name, sql in found.items() if name not in kept}


def _bring_up(connection: sqlite3.Connection, wanted: set[Index]) -> None:
    # Asked again now that nobody else writes: another process may have been first.
    missing, outdated = _differences(wanted, connection.execute(_OBJECTS).fetchall())
    for name, sql in outdated.items():
        kind = sql.split()[1]  # CREATE kind …; a table takes its own indexes along
        connection.execute(f'DROP {kind} IF EXISTS "{name}"')
    for index in missing:
        for statement in (*index.objects.values(), *index.backfill):
            connection.execute(statement)
