"""Queries of the port as Firestore's."""

from collections.abc import Sequence

from google.cloud.firestore_v1 import types

from shared.adapters.firestore_values import Message, name, to_value
from shared.adapters.indexes import values
from shared.ports import Cursor, Filter, Order, Query, Ref, Scalar

_Query = types.StructuredQuery.pb()
_FieldFilter = _Query.FieldFilter
_UnaryFilter = _Query.UnaryFilter
_Aggregation = types.StructuredAggregationQuery.pb()

_OPERATORS = {
    "==": "EQUAL",
    "in": "IN",
    "<": "LESS_THAN",
    "<=": "LESS_THAN_OR_EQUAL",
    ">": "GREATER_THAN",
    ">=": "GREATER_THAN_OR_EQUAL",
    "array_contains": "ARRAY_CONTAINS",
}
COUNT = "count"
"""What the answer to a count is called."""


def to_page(query: Query, database: str) -> Message:
    """The query for a page: one document more than the limit, where there are more."""
    asked = _matching(query, query.order)
    asked.limit.value = query.limit + 1
    if query.after is not None:
        asked.start_at.values.extend(_position(query.after, query.collection, database))
    return asked


def to_count(query: Query, order: Order) -> Message:
    """The query for a count. The order is the index's: without it, Firestore would want another index.

    Not where it is a field with an equality, which Firestore doesn't sort by.
    """
    count = _Aggregation.Aggregation(alias=COUNT, count=_Aggregation.Aggregation.Count())
    is_equal = any(one.field == order.field and one.op in {"==", "in"} for one in query.where)
    return _Aggregation(structured_query=_matching(query, None if is_equal else order), aggregations=[count])


def _matching(query: Query, order: Order | None) -> Message:
    asked = _Query(order_by=[] if order is None else [_by(order.field, order), _by("__name__", order)])
    asked.from_.add(collection_id=query.collection)
    if query.where:
        asked.where.composite_filter.op = _Query.CompositeFilter.Operator.Value("AND")
        asked.where.composite_filter.filters.extend(map(_filter, query.where))
    return asked


def _by(field: str, order: Order) -> Message:
    direction = _Query.Direction.Value("DESCENDING" if order.descending else "ASCENDING")
    return _Query.Order(field=_Query.FieldReference(field_path=field), direction=direction)


def _filter(one: Filter) -> Message:
    field = _Query.FieldReference(field_path=one.field)
    if one.op == "==" and one.value is None:
        is_null = _UnaryFilter.Operator.Value("IS_NULL")
        return _Query.Filter(unary_filter=_UnaryFilter(field=field, op=is_null))
    operator = _FieldFilter.Operator.Value(_OPERATORS[one.op])
    value = to_value(_once(one) if one.op == "in" else one.value)
    return _Query.Filter(field_filter=_FieldFilter(field=field, op=operator, value=value))


def _once(one: Filter) -> list[Scalar]:
    """A filter's values, each once: they count against the most that Firestore takes."""
    return [value for _, value in dict.fromkeys((type(value), value) for value in values(one))]


def _position(after: Cursor, collection: str, database: str) -> Sequence[Message]:
    value, document = after
    reference = to_value(None)
    reference.reference_value = name(database, Ref(collection, str(document)))
    return [to_value(value), reference]
