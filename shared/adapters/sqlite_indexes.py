"""Declared indexes as objects of an SQLite file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from sqlite3 import Connection

from shared.adapters.indexes import Index
from shared.adapters.sqlite import Database
from shared.ports import Order, Scalar

LOWEST = "-9e999"
"""Minus infinity, which JSON does not have: what a null is indexed as."""

_FOUND = (
    "SELECT type, name, sql FROM sqlite_master WHERE name LIKE 'find:%' UNION ALL "
    "SELECT 'column', name, '' FROM pragma_table_xinfo('documents') WHERE name LIKE 'field!_%' ESCAPE '!'"
)


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


def column(field: str) -> str:
    """The column that holds a field's indexed value: computed in `documents`, copied elsewhere."""
    return f"field_{field}"


@dataclass(frozen=True)
class SqliteIndex(Index):
    """An index in the file.

    Without an array it is an index over computed columns of the collection's documents, with one a
    table of a row per element, which triggers keep. SQLite walks either in both directions, so that
    two which differ in the order's direction are one.
    """

    @classmethod
    def of(cls, index: Index) -> "SqliteIndex":
        """What serves the same queries."""
        return cls(index.collection, index.array, index.equal, Order(index.order.field))

    @cached_property
    def name(self) -> str:
        """The name of its main object in the file."""
        array = (f"{self.array}[]",) if self.array else ()
        return ":".join(("find", self.collection, *array, *self.scalars))

    @cached_property
    def source(self) -> str:
        """FROM and the start of WHERE, with the indexed columns in `entry`.

        With it SQLite walks this index or reports an error.
        """
        if self.array:
            return (
                f'FROM "{self.name}" AS entry INDEXED BY "{self.name}:order" '
                "CROSS JOIN documents ON documents.key = entry.key WHERE true"
            )
        return (
            f"FROM documents AS entry INDEXED BY \"{self.name}\" WHERE entry.collection = '{self.collection}'"
        )

    @property
    def documents(self) -> str:
        """The name of `documents` over `source`."""
        return "documents" if self.array else "entry"

    @cached_property
    def objects(self) -> Mapping[str, str]:
        """What it is made of: names and CREATE statements, word for word as SQLite keeps them."""
        columns = ", ".join((*map(column, self.scalars), "key"))
        if self.array:
            return self._table(self.array, columns)
        where = f"collection = '{self.collection}'"
        return {self.name: f'CREATE INDEX "{self.name}" ON documents ({columns}) WHERE {where}'}

    @property
    def backfill(self) -> Iterator[str]:
        """The statements that take up the documents that were there before it."""
        if self.array:
            entries = self._entries(self.array, "documents AS new, ")
            yield f"{entries} AND new.collection = '{self.collection}'"

    def _table(self, array: str, columns: str) -> Mapping[str, str]:
        mine = f"collection = '{self.collection}' BEGIN"
        add = f"{self._entries(array)}; END"
        remove = f'DELETE FROM "{self.name}" WHERE key = old.key;'  # noqa: S608 - a checked name
        parts = {
            "": ("TABLE", f"(element, {columns})"),
            ":order": ("INDEX", f'ON "{self.name}" (element, {columns})'),
            ":key": ("INDEX", f'ON "{self.name}" (key)'),
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
        fields = ", ".join(f"new.{column(field)}" for field in self.scalars)
        return (
            f'INSERT INTO "{self.name}" SELECT DISTINCT {element}, {fields}, new.key '  # noqa: S608 - checked names
            f"FROM {others}json_each(new.body, '$.{array}') AS item "
            f"WHERE json_type(new.body, '$.{array}') = 'array'"
        )


def _addition(field: str) -> str:
    value = _case(f"json_type(body, '$.{field}')", f"json_extract(body, '$.{field}')")
    return f"ALTER TABLE documents ADD COLUMN {column(field)} AS ({value})"


def install(database: Database, indexes: Iterable[SqliteIndex]) -> None:
    """Create what is missing in the file, drop what is not among the indexes."""
    wanted = set(indexes)

    def work(connection: Connection) -> None:
        # Asked again now that nobody else writes: another process may have been first.
        found = connection.execute(_FOUND).fetchall()
        for statement in chain.from_iterable(_differences(wanted, found)):
            connection.execute(statement)

    if any(_differences(wanted, database.fetch(_FOUND))):
        database.write(work)


def _differences(wanted: set[SqliteIndex], found: list[tuple[str, str, str]]) -> tuple[list[str], ...]:
    """The statements that lead from what was found to what is wanted."""
    columns = {name for kind, name, _ in found if kind == "column"}
    objects = {name: (kind, sql) for kind, name, sql in found if kind != "column"}
    statements = {name: sql for name, (_, sql) in objects.items()}
    missing = [index for index in wanted if not index.objects.items() <= statements.items()]
    kept = {name for index in wanted.difference(missing) for name in index.objects}
    fields = {column(field): field for index in wanted for field in index.scalars}
    return (
        # A table takes its own indexes along, so they may be gone by their turn.
        [f'DROP {kind} IF EXISTS "{name}"' for name, (kind, _) in objects.items() if name not in kept],
        [f"ALTER TABLE documents DROP COLUMN {name}" for name in columns - fields.keys()],
        [_addition(field) for name, field in fields.items() if name not in columns],
        [statement for index in missing for statement in (*index.objects.values(), *index.backfill)],
    )
