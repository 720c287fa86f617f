"""Queries of the port as SQL that walks one index.

Nothing is sorted: each arm of a statement is a stretch of an index, and SQLite merges the arms of an
`in` filter row by row, no further than the limit.
"""

from collections.abc import Iterable
from itertools import chain, product
from typing import Any

from shared.adapters.indexes import RANGE, Declared, values
from shared.adapters.sqlite_indexes import SqliteIndex, column, to_value
from shared.ports import Filter, Query

Statement = tuple[str, list[Any]]
"""SQL and its parameters. The SQL is the same for every query of a shape, so it stays prepared."""

Term = tuple[str, list[Any]]
"""A condition and its parameters."""


class QueryPlanner:
    """Finds the declared index that serves a query, and says how to walk it."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._indexes = {index: SqliteIndex.of(index) for index in declared}

    @property
    def indexes(self) -> Iterable[SqliteIndex]:
        """Every index that a query may be served by."""
        return self._indexes.values()

    def page(self, query: Query) -> Statement:
        """Rows (id, version, body): one more than the limit where there are more. `MissingIndex`."""
        return _page(query, self._indexes[self._declared.for_pages(query)])

    def count(self, query: Query) -> Statement:
        """One row with the number of documents that meet the filters. `MissingIndex`."""
        return _count(query, self._indexes[self._declared.for_count(query)])


def _page(query: Query, index: SqliteIndex) -> Statement:
    arms = [[*_others(query), *equal, *_walk(query)] for equal in _alternatives(query)]
    place, direction = _entry(index.order.field), "DESC" if query.order.descending else "ASC"
    row = ", ".join(f"{index.documents}.{column}" for column in ("id", "version", "body"))
    union = " UNION ALL ".join(
        f"SELECT {row}, {place} AS place, entry.key AS tie {index.source}{_conjunction(terms)}"
        for terms in arms
    )
    sql = f"{union} ORDER BY place {direction}, tie {direction} LIMIT ?"
    return sql, [*_parameters(chain(*arms)), query.limit + 1]


def _count(query: Query, index: SqliteIndex) -> Statement:
    terms = [*_others(query), *_bounds(query)]
    for one in query.where:
        if one.op == "in":
            values = _values(one)
            terms.append((f"{_entry(one.field)} IN ({', '.join('?' * len(values))})", values))
    return f"SELECT count(*) {index.source}{_conjunction(terms)}", _parameters(terms)


def _entry(field: str) -> str:
    return f"entry.{column(field)}"


def _conjunction(terms: Iterable[Term]) -> str:
    return "".join(f" AND {sql}" for sql, _ in terms)


def _parameters(terms: Iterable[Term]) -> list[Any]:
    return [value for _, values in terms for value in values]


def _others(query: Query) -> list[Term]:
    """The equalities that hold for every arm."""
    return [
        (f"{'entry.element' if one.op == 'array_contains' else _entry(one.field)} = ?", _values(one))
        for one in query.where
        if one.op in {"==", "array_contains"}
    ]


def _alternatives(query: Query) -> list[list[Term]]:
    """What is particular to each arm: there is one per combination of values of `in` filters."""
    choices = [
        [(f"{_entry(one.field)} = ?", [value]) for value in _values(one)]
        for one in query.where
        if one.op == "in"
    ]
    return [list(combination) for combination in product(*choices)]


def _values(one: Filter) -> list[Any]:
    """A filter's values as they stand in the index, each once."""
    return list(dict.fromkeys(map(to_value, values(one))))


def _walk(query: Query) -> list[Term]:
    """From where to where a page walks: within the ranges, and behind the cursor."""
    place = _entry(query.order.field)
    # Documents without the field are in no order by it.
    bounds = _bounds(query) or [(f"{place} >= ?", [to_value(None)])]
    if query.after is None:
        return bounds
    value, document = query.after
    onward = "<" if query.order.descending else ">"
    cursor = f"({place}, entry.key) {onward} (?, ?)", [to_value(value), f"{query.collection}/{document}"]
    # The walk starts at the cursor: a plus keeps SQLite from starting at another bound of that side.
    start = f"{place} {onward}"
    return [cursor, *(("+" * sql.startswith(start) + sql, values) for sql, values in bounds)]


def _bounds(query: Query) -> list[Term]:
    """The range filters, and on a side without one the limit of the values of their type."""
    ranges = [one for one in query.where if one.op in RANGE]
    bounds = [(one.op, *_values(one)) for one in ranges]
    for op, value in _type_limits(ranges[0].value) if ranges else ():
        if not any(one.op[0] == op[0] for one in ranges):
            bounds.append((op, value))
    return [(f"{_entry(query.order.field)} {op} ?", [value]) for op, value in bounds]


def _type_limits(value: object) -> tuple[tuple[str, Any], tuple[str, Any]]:
    """Lower and upper limit of the indexed values that are of a value's type."""
    null = to_value(None)
    match value:
        case None:  # nothing compares with null, not even null
            return (">", null), ("<", null)
        case bool():
            return (">=", b""), ("<", bytes((2,)))
        case str():
            return (">=", ""), ("<", b"")
        case _:
            return (">", null), ("<", "")
