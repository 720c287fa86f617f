"""The store on one machine: documents in an SQLite file."""

import secrets
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from shared.adapters.indexes import INDEXES, Declared, read
from shared.adapters.sqlite import Database, decode, encode
from shared.adapters.sqlite_indexes import install
from shared.adapters.sqlite_query import QueryPlanner
from shared.errors import AlreadyExists, Conflict
from shared.ports import Create, Cursor, Delete, Document, Page, Query, Ref, Update, Write

_GET = "SELECT version, body FROM documents WHERE key = ?"
_INSERT = (
    "INSERT INTO documents (key, collection, id, version, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_UPDATE = "UPDATE documents SET version = ?, body = ? WHERE key = ? AND version = ?"
_DELETE = "DELETE FROM documents WHERE key = ? AND version = ?"


class SqliteStore:
    """`ports.Store` over one SQLite file. The indexes are brought up to date at the first use of any."""

    def __init__(self, database: Database, indexes: Path = INDEXES) -> None:
        self._database = database
        self._declaration = indexes

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        """See the port."""
        del within  # a read waits for nobody
        for version, body in self._database.fetch(_GET, (_key(ref),)):
            return Document(ref, str(version), decode(body))
        return None

    def get_many(self, refs: Sequence[Ref]) -> list[Document | None]:
        """See the port."""
        if not refs:
            return []
        keys = [_key(ref) for ref in refs]
        marks = ", ".join("?" * len(keys))
        sql = f"SELECT key, version, body FROM documents WHERE key IN ({marks})"  # noqa: S608 - marks only
        rows = self._database.fetch(sql, keys)
        found = {key: (version, body) for key, version, body in rows}
        return [
            Document(ref, str(found[key][0]), decode(found[key][1])) if key in found else None
            for ref, key in zip(refs, keys, strict=True)
        ]

    def find(self, query: Query) -> Page:
        """See the port."""
        rows = self._database.fetch(*self._planner.page(query))
        documents = [
            Document(Ref(query.collection, name), str(version), decode(body))
            for name, version, body, *_ in rows[: query.limit]
        ]
        return Page(documents, _place(documents[-1], query) if len(rows) > query.limit else None)

    def count(self, query: Query) -> int:
        """See the port."""
        number: int = self._database.fetch(*self._planner.count(query))[0][0]
        return number

    def commit(self, *writes: Write) -> None:
        """See the port."""
        if not writes:
            return
        _ = self._planner  # the triggers of array indexes must be there before the documents
        statements = [_statement(write) for write in writes]

        def work(connection: Connection) -> None:
            for write, (sql, parameters) in zip(writes, statements, strict=True):
                if connection.execute(sql, parameters).rowcount == 0:
                    raise (AlreadyExists if isinstance(write, Create) else Conflict)(_key(write.ref))

        self._database.write(work)

    @cached_property
    def _planner(self) -> QueryPlanner:
        planner = QueryPlanner(Declared(read(self._declaration)))
        install(self._database, planner.indexes)
        return planner


def _key(ref: Ref) -> str:
    return f"{ref.collection}/{ref.id}"


def _place(document: Document, query: Query) -> Cursor:
    return document.data[query.order.field], document.ref.id


def _statement(write: Write) -> tuple[str, tuple[Any, ...]]:
    """The write in SQL: it changes one row, or none where its precondition fails."""
    match write:
        case Create(ref, data):
            return _INSERT, (_key(ref), *ref, _new_version(), encode(dict(data)))
        case Update(ref, data, if_version):
            return _UPDATE, (_new_version(), encode(dict(data)), _key(ref), if_version)
        case Delete(ref, if_version):
            return _DELETE, (_key(ref), if_version)


def _new_version() -> int:
    # Random rather than counted: after a delete a count would begin anew.
    return secrets.randbits(62)
