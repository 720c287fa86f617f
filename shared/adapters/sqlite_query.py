"""Queries of the port as SQL that walks one index.

Nothing here sorts or filters a whole answer: each arm of a statement is a stretch of an index, and
SQLite merges arms lazily (MERGE (UNION ALL)), row by row up to the limit.
"""

from collections.abc import Iterable
from typing import Any

from shared.adapters.sqlite_indexes import Index, to_value
from shared.errors import MissingIndex
from shared.ports import Filter, Order, Query

Statement = tuple[str, list[Any]]
"""SQL and its parameters. The SQL is the same for every query of a shape, so it stays prepared."""

Term = tuple[str, Any]
"""A condition with one parameter."""

MOST_VALUES = 30
_RANGE = ("<", "<=", ">", ">=")


class QueryPlanner:
    """Finds the declared index that serves a query, and says how to walk it."""

    def __init__(self, declared: Iterable[tuple[Index, Order]]) -> None:
        self._by_shape = {
            (index.collection, index.array, frozenset(index.equal), order): index for index, order in declared
        }

    @property
    def indexes(self) -> Iterable[Index]:
        """Every index that a query may be served by."""
        return self._by_shape.values()

    def page(self, query: Query) -> Statement:
        """Rows (id, version, body): one more than the limit where there are more. `MissingIndex`."""
        array, equal, ranges = _shape(query)
        index = self._by_shape.get((query.collection, array, equal, query.order))
        if index is None or not ranges <= {index.order}:
            raise MissingIndex(_description(query))
        return _page(query, index)

    def count(self, query: Query) -> Statement:
        """One row with the number of documents that meet the filters. `MissingIndex`."""
        array, equal, ranges = _shape(query)
        wanted = (query.collection, array, equal)
        for shape, index in self._by_shape.items():
            if shape[:3] == wanted and ranges <= {index.order}:
                return _count(query, index)
        raise MissingIndex(_description(query))


def _shape(query: Query) -> tuple[str | None, frozenset[str], frozenset[str]]:
    """The array's field, the fields with equalities, the fields with ranges."""
    multiple = [one for one in query.where if one.op in {"in", "array_contains"}]
    if len(multiple) > 1 or not all(1 <= len(_values(one)) <= MOST_VALUES for one in multiple):
        raise MissingIndex(_description(query))
    array = next((one.field for one in query.where if one.op == "array_contains"), None)
    return array, _fields(query, "==", "in"), _fields(query, *_RANGE)


def _fields(query: Query, *ops: str) -> frozenset[str]:
    return frozenset(one.field for one in query.where if one.op in ops)


def _description(query: Query) -> str:
    filters = ", ".join(f"{one.field} {one.op}" for one in query.where)
    return f"{query.collection}({filters}; by {query.order.field}{' desc' * query.order.descending})"


def _page(query: Query, index: Index) -> Statement:
    direction = "DESC" if query.order.descending else "ASC"
    columns = (
        "SELECT documents.id, documents.version, documents.body, "
        f"{index.column(index.order)} AS place, {index.key} AS tie {index.source}"
    )
    arms = [
        [*equalities, *stretch]
        for equalities in _alternatives(query, index)
        for stretch in _stretches(query, index)
    ]
    union = " UNION ALL ".join(f"{columns}{_conjunction(terms)}" for terms in arms)
    parameters = [value for terms in arms for _, value in terms]
    sql = f"{union} ORDER BY place {direction}, tie {direction} LIMIT ?"
    return sql, [*parameters, query.limit + 1]


def _count(query: Query, index: Index) -> Statement:
    terms = [
        *_fixed(query, index),
        *((f"{index.column(index.order)} {op} ?", value) for op, value in _bounds(query)),
    ]
    sql, parameters = f"SELECT count(*) {index.source}{_conjunction(terms)}", [value for _, value in terms]
    for one in query.where:
        if one.op == "in":
            values = _values(one)
            sql += f" AND {index.column(one.field)} IN ({', '.join('?' * len(values))})"
            parameters += values
    return sql, parameters


def _conjunction(terms: Iterable[Term]) -> str:
    return "".join(f" AND {sql}" for sql, _ in terms)


def _fixed(query: Query, index: Index) -> list[Term]:
    return [
        (f"{index.column(one.field)} = ?", value)
        for one in query.where
        if one.op in {"==", "array_contains"}
        for value in _values(one)
    ]


def _alternatives(query: Query, index: Index) -> list[list[Term]]:
    """The equalities of each arm: one arm, or one per value of the `in` filter."""
    fixed = _fixed(query, index)
    for one in query.where:
        if one.op == "in":
            return [[*fixed, (f"{index.column(one.field)} = ?", value)] for value in _values(one)]
    return [fixed]


def _values(one: Filter) -> list[Any]:
    """A filter's values as they stand in the index, each once."""
    scalars = one.value if isinstance(one.value, tuple) else (one.value,)
    return list(dict.fromkeys(to_value(scalar) for scalar in scalars))


def _stretches(query: Query, index: Index) -> list[list[Term]]:
    """The parts of the order that a page runs through.

    Behind a cursor there are two: what ties with the cursor's value, and what lies beyond. One
    stretch over both would step through all ties before the cursor: SQLite takes a comparison of
    row values as bounds of an index on columns only, not of one on expressions.
    """
    column = index.column(index.order)
    # Documents without the order's field are in no order.
    bounds = _bounds(query) or [(">=", to_value(None))]
    if query.after is None:
        return [[(f"{column} {op} ?", value) for op, value in bounds]]
    place, document = query.after
    onward = "<" if query.order.descending else ">"
    ties = [(f"{column} = ?", to_value(place)), (f"{index.key} {onward} ?", f"{query.collection}/{document}")]
    # A plus keeps a bound from being walked by in the cursor's stead.
    ties += [(f"+{column} {op} ?", value) for op, value in bounds]
    beyond = [(f"{column} {onward} ?", to_value(place))]
    beyond += [(f"{'+' * op.startswith(onward)}{column} {op} ?", value) for op, value in bounds]
    return [ties, beyond]


def _bounds(query: Query) -> list[Term]:
    """The range filters, and where values of their type begin or end on a side without a filter."""
    ranges = [one for one in query.where if one.op in _RANGE]
    bounds: list[Term] = [(one.op, value) for one in ranges for value in _values(one)]
    open_sides = {"<", ">"} - {one.op[0] for one in ranges}
    limits = _type_limits(ranges[0].value) if ranges else ()
    return bounds + [(op, value) for op, value in limits if op[0] in open_sides]


def _type_limits(value: object) -> tuple[Term, Term]:
    """Lower and upper limit of the indexed values that are of a value's type."""
    null = to_value(None)
    match value:
        case None:  # neither above nor below null is anything like it
            return (">", null), ("<", null)
        case bool():
            return (">=", b""), ("<", bytes((2,)))
        case str():
            return (">=", ""), ("<", b"")
        case _:
            return (">", null), ("<", "")
