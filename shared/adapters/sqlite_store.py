"""The store on one machine: documents in an SQLite file."""

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from shared.adapters.indexes import INDEXES, Declared, read
from shared.adapters.sqlite import Database, decode, encode
from shared.adapters.sqlite_indexes import install
from shared.adapters.sqlite_query import QueryPlanner
from shared.adapters.sqlite_writer import Row, Table
from shared.errors import AlreadyExists, Conflict
from shared.ports import Create, Cursor, Delete, Document, Page, Query, Ref, Update, Write

_GET = "SELECT version, body FROM documents WHERE key = ?"
_WRITES = Table("writes", ("op", "key", "collection", "id", "version", "body", "if_version"))
_REFUSALS: Mapping[int, type[AlreadyExists | Conflict]] = {
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: AlreadyExists,
    sqlite3.SQLITE_CONSTRAINT_TRIGGER: Conflict,
}


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
        try:
            self._database.insert(_WRITES, [_row(write) for write in writes])
        except sqlite3.IntegrityError as error:
            raise _refusal(writes, error) from None

    @cached_property
    def _planner(self) -> QueryPlanner:
        planner = QueryPlanner(Declared(read(self._declaration)))
        install(self._database, planner.indexes)
        return planner


def _key(ref: Ref) -> str:
    return f"{ref.collection}/{ref.id}"


def _place(document: Document, query: Query) -> Cursor:
    return document.data[query.order.field], document.ref.id


def _row(write: Write) -> Row:
    """The write as a row of `writes`."""
    key = _key(write.ref)
    match write:
        case Create(ref, data):
            return "create", key, *ref, _new_version(), encode(dict(data)), None
        case Update(_, data, if_version):
            return "update", key, None, None, _new_version(), encode(dict(data)), if_version
        case Delete(_, if_version):
            return "delete", key, None, None, None, None, if_version


def _refusal(writes: Sequence[Write], error: sqlite3.IntegrityError) -> AlreadyExists | Conflict:
    """What the first precondition that failed means. SQLite says which kind it was, not whose."""
    kind = _REFUSALS[error.sqlite_errorcode]
    is_create = kind is AlreadyExists
    return kind(", ".join(_key(write.ref) for write in writes if isinstance(write, Create) == is_create))


def _new_version() -> int:
    # Random rather than counted: after a delete a count would begin anew.
    return secrets.randbits(62)
