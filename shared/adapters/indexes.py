"""The indexes that `shared/indexes.json` declares, and which of them serves a query.

The declaration has the format of Firestore's `firestore.indexes.json`: one for both databases.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from shared.errors import MissingIndex
from shared.ports import Filter, Order, Query, Scalar

INDEXES = Path(__file__).parents[1] / "indexes.json"

MOST_COMBINATIONS = 30
"""Of values of the `in` filters: as many as Firestore takes."""
RANGE = ("<", "<=", ">", ">=")

_NAME = re.compile(r"[a-z_]+")


@dataclass(frozen=True)
class Index:
    """Serves the queries with these equalities, at most one `array_contains`, and this order."""

    collection: str
    array: str | None
    equal: tuple[str, ...]
    order: Order

    @property
    def scalars(self) -> tuple[str, ...]:
        """The fields whose values are scalars."""
        return (*self.equal, self.order.field)


def read(file: Path) -> Iterator[Index]:
    """The indexes that a file declares. A name that is more than letters and underscores is a ValueError."""
    return declared(json.loads(file.read_text(encoding="utf-8")))


def declared(declaration: Mapping[str, Any]) -> Iterator[Index]:
    """The indexes of a `firestore.indexes.json`, each with the order that it was declared for.

    A composite's last field is the order. Overrides declare the indexes of a single field; those
    for arrays alone have no order, so no query of the port can use them. One without indexes says
    that the field, or with `*` any other of the collection, has none.
    """
    for composite in declaration["indexes"]:
        yield _index(composite["collectionGroup"], composite["fields"])
    for override in declaration["fieldOverrides"]:
        for single in override["indexes"]:
            if "order" in single:
                yield _index(override["collectionGroup"], [{**single, "fieldPath": override["fieldPath"]}])


def policies(declaration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The TTL policies of a `firestore.indexes.json`: a collection, and the field with its documents' end."""
    for override in declaration["fieldOverrides"]:
        if override.get("ttl"):
            yield override["collectionGroup"], override["fieldPath"]


def _index(collection: str, fields: list[Mapping[str, str]]) -> Index:
    names = [field["fieldPath"] for field in fields]
    for name in (collection, *names):  # they become SQL
        if not _NAME.fullmatch(name):
            raise ValueError(name)
    array = next((field["fieldPath"] for field in fields if "arrayConfig" in field), None)
    *equal, order = (name for name in names if name != array)
    return Index(collection, array, tuple(equal), Order(order, fields[-1]["order"] == "DESCENDING"))


class Declared:
    """The declared indexes, by the shapes of the queries that they serve."""

    def __init__(self, indexes: Iterable[Index]) -> None:
        self._by_shape = {
            (index.collection, index.array, frozenset(index.equal), index.order): index for index in indexes
        }

    def __iter__(self) -> Iterator[Index]:
        return iter(self._by_shape.values())

    def for_pages(self, query: Query) -> Index:
        """The index that a page is read from. Raises MissingIndex."""
        array, equal, ranges = _shape(query)
        index = self._by_shape.get((query.collection, array, equal, query.order))
        if index is None or not ranges <= {index.order.field}:
            raise MissingIndex(description(query))
        return index

    def for_count(self, query: Query) -> Index:
        """An index that what meets the filters is counted in, whatever its order. Raises MissingIndex.

        For a count its order may be another equality: nothing is walked from a cursor.
        """
        array, equal, ranges = _shape(query)
        for (collection, element, fields, order), index in self._by_shape.items():
            by_order = equal == fields and ranges <= {order.field}
            by_equality = equal == fields | {order.field} and not ranges
            if (collection, element) == (query.collection, array) and (by_order or by_equality):
                return index
        raise MissingIndex(description(query))


def _shape(query: Query) -> tuple[str | None, frozenset[str], frozenset[str]]:
    """The array's field, the fields with equalities, the fields with ranges."""
    combinations = prod(len(set(values(one))) for one in query.where if one.op == "in")
    array = next((one.field for one in query.where if one.op == "array_contains"), None)
    multiple = [one for one in query.where if one.op in {"in", "array_contains"}]
    if not 1 <= combinations <= MOST_COMBINATIONS or (array and len(multiple) > 1):
        raise MissingIndex(description(query))
    return array, _fields(query, "==", "in"), _fields(query, *RANGE)


def values(one: Filter) -> tuple[Scalar, ...]:
    """A filter's values."""
    return one.value if isinstance(one.value, tuple) else (one.value,)


def _fields(query: Query, *ops: str) -> frozenset[str]:
    return frozenset(one.field for one in query.where if one.op in ops)


def description(query: Query) -> str:
    """A query's shape, for people."""
    filters = ", ".join(f"{one.field} {one.op}" for one in query.where)
    return f"{query.collection}({filters}; by {query.order.field}{' desc' * query.order.descending})"
