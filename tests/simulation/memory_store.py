"""The store in memory: the port's exact semantics, which `tests/contract` holds it to."""

import json
import threading
from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from shared.adapters.indexes import INDEXES, Declared, read, values
from shared.errors import AlreadyExists, Conflict
from shared.ports import Create, Data, Delete, Document, Filter, Page, Query, Ref, Scalar, Write

DECLARED = Declared(read(INDEXES))


@dataclass(frozen=True, slots=True)
class _Stored:
    text: str
    """As JSON, so that nobody's data is anybody else's."""
    data: Mapping[str, Any]
    """The same, for queries."""
    version: str


class MemoryStore:
    """Documents of one process, for as long as it lives."""

    def __init__(self) -> None:
        self._documents: dict[Ref, _Stored] = {}
        self._versions = count(1)
        self._lock = threading.Lock()

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        del within
        with self._lock:
            return self._read(ref)

    def get_many(self, refs: Sequence[Ref]) -> list[Document | None]:
        with self._lock:
            return [self._read(ref) for ref in refs]

    def find(self, query: Query) -> Page:
        DECLARED.for_pages(query)
        found: list[tuple[tuple[Any, ...], Ref]] = []
        with self._lock:
            for ref, data in self._meeting(query):
                if query.order.field in data:
                    insort(found, (_sort_key((data[query.order.field], ref.id)), ref))
            if query.order.descending:
                found.reverse()
            if query.after is not None:
                found = _beyond(found, _sort_key(query.after), descending=query.order.descending)
            documents = [one for _, ref in found[: query.limit] if (one := self._read(ref)) is not None]
        if len(found) <= query.limit:
            return Page(documents, None)
        last = documents[-1]
        return Page(documents, (last.data[query.order.field], last.ref.id))

    def count(self, query: Query) -> int:
        DECLARED.for_count(query)
        with self._lock:
            return sum(1 for _ in self._meeting(query))

    def commit(self, *writes: Write) -> None:
        with self._lock:
            for write in writes:
                self._check(write)
            for write in writes:
                self._write(write)

    def all(self) -> dict[Ref, Document]:
        """Every document that there is."""
        with self._lock:
            return {ref: Document(ref, one.version, one.data) for ref, one in self._documents.items()}

    def _read(self, ref: Ref) -> Document | None:
        stored = self._documents.get(ref)
        return None if stored is None else Document(ref, stored.version, json.loads(stored.text))

    def _check(self, write: Write) -> None:
        stored = self._documents.get(write.ref)
        name = f"{write.ref.collection}/{write.ref.id}"
        if isinstance(write, Create):
            if stored is not None:
                raise AlreadyExists(name)
        elif stored is None or stored.version != write.if_version:
            raise Conflict(name)

    def _write(self, write: Write) -> None:
        if isinstance(write, Delete):
            del self._documents[write.ref]
        else:
            text = json.dumps(write.data, allow_nan=False)
            self._documents[write.ref] = _Stored(text, json.loads(text), f"m{next(self._versions)}")

    def _meeting(self, query: Query) -> Iterator[tuple[Ref, Data]]:
        for ref, stored in self._documents.items():
            if ref.collection == query.collection and all(_meets(stored.data, one) for one in query.where):
                yield ref, stored.data


def _meets(data: Data, one: Filter) -> bool:
    if one.field not in data:
        return False
    found = data[one.field]
    match one.op:
        case "array_contains":
            return isinstance(found, list) and any(_same(item, one.value) for item in found)
        case "==" | "in":
            return any(_same(found, value) for value in values(one))
    return _compares(found, one.op, one.value)


def _same(found: Any, value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Equality that tells true from 1."""
    return type(found) is type(value) and bool(found == value)


def _compares(found: Any, op: str, value: Any) -> bool:  # noqa: ANN401 - likewise
    if _sort_key((found,))[0][0] != _sort_key((value,))[0][0] or found is None:
        return False
    return bool({"<": found < value, "<=": found <= value, ">": found > value, ">=": found >= value}[op])


_KINDS = {type(None): 0, bool: 1, int: 2, float: 2, str: 3}


def _sort_key(cursor: Sequence[Scalar]) -> tuple[Any, ...]:
    """Values of any kind in one order: kind by kind."""
    return tuple((_KINDS[type(value)], 0 if value is None else value) for value in cursor)


def _beyond(
    found: list[tuple[tuple[Any, ...], Ref]], after: tuple[Any, ...], *, descending: bool
) -> list[tuple[tuple[Any, ...], Ref]]:
    return [one for one in found if (one[0] < after if descending else one[0] > after)]
