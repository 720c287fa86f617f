"""The two ports: a store of versioned documents and a queue of delayed callbacks.

Their docstrings are the contract: `tests/contract` is read off these sentences and runs over
every adapter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol

Scalar = str | int | float | bool | None

Data = Mapping[str, Any]
"""A document's fields: JSON values only, whole numbers of 64 bits, no array directly in an array, no
key that is empty or of the form `__key__`. Times are RFC 3339 text of fixed width (`shared.times`),
so that their order as text is their order in time."""

Cursor = tuple[Scalar, ...]
"""A position in a query's order: the values of its order fields, then the document's id."""


class Ref(NamedTuple):
    """The name of a document."""

    collection: str
    id: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read."""

    ref: Ref
    version: str
    """Opaque. It differs after every write that changes the data, also after a delete and a new create
    of the same ref."""
    data: Data


@dataclass(frozen=True, slots=True)
class Create:
    """Write a document that must not exist."""

    ref: Ref
    data: Data


@dataclass(frozen=True, slots=True)
class Update:
    """Replace a document that must still have the version that was read."""

    ref: Ref
    data: Data
    if_version: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document that must still have the version that was read."""

    ref: Ref
    if_version: str


Write = Create | Update | Delete


class Filter(NamedTuple):
    """A condition on one top-level field.

    `in` takes a tuple of values, none of them null, `array_contains` a value of the field's array. The four
    comparisons are of like with like: a null or absent field never matches them, but `==` None
    matches a null (an absent field it does not).
    """

    field: str
    op: Literal["==", "in", "<", "<=", ">", ">=", "array_contains"]
    value: Scalar | tuple[Scalar, ...]


class Order(NamedTuple):
    """Sort by a top-level field, then by id in the same direction."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Documents of a collection that meet every filter, in order, after a cursor.

    At most one field has range filters; a query with one is ordered by that field. Several filters
    may be `in`: they stand for 30 combinations of values at most. `array_contains` stands alone
    among filters of more than one value. Documents that lack the field of the order are on
    no page.
    """

    collection: str
    where: tuple[Filter, ...]
    order: Order
    limit: int = 100
    after: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query's answer."""

    documents: Sequence[Document]
    next: Cursor | None
    """Where the next page starts; None when this one reached the end."""


class Store(Protocol):
    """Documents with versions, and atomic commits of writes with preconditions.

    There are no interactive transactions: what was read is fenced by its version. Every call may
    raise `Unavailable`. Instances serve many threads at once.
    """

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        """The document, or None when there is none. A commit that has returned is seen.

        `within` so many seconds it is `Unavailable`, where the store's own patience lasts longer.
        """

    def get_many(self, refs: Sequence[Ref]) -> list[Document | None]:
        """The documents as of one moment, in the order of the refs, None where there is none.

        One call to the database, however many refs. No refs: an empty list and no call.
        """

    def find(self, query: Query) -> Page:
        """The first `limit` documents after the cursor, in the query's order.

        Following `next` visits each document that nobody changes exactly once, whatever is
        written meanwhile. Raises `MissingIndex` for a shape of query that has no index in
        `shared/indexes.json`: every page costs the same, however large the collection.
        """

    def count(self, query: Query) -> int:
        """How many documents meet the filters; order, limit and cursor are ignored.

        Raises `MissingIndex` as `find` does.
        """

    def commit(self, *writes: Write) -> None:
        """Carry out every write, or none.

        When it returns, all of them are durable. A precondition that fails undoes the whole
        commit: `AlreadyExists` where a Create's document exists, else `Conflict` (an Update or
        Delete of another version, or of a missing document). They are checked in the order of
        the writes, so a Create that comes first is reported first. Each ref appears once at most.
        """


@dataclass(frozen=True, slots=True)
class Task:
    """A call to make later: POST `payload` as JSON to `path` of the tasks function."""

    path: str
    payload: Mapping[str, Any]
    at: datetime
    """Not before this moment (aware, UTC); a moment in the past means at once."""


class TaskQueue(Protocol):
    """Delayed callbacks, at least once, in no order.

    A delivery is done when it is answered 2xx. Any other answer, or none within the dispatch
    deadline, is tried again after a back-off that doubles, until both the attempts and the retry
    duration are used up; then the task is dropped. Lateness, repetition and loss are normal.
    """

    @property
    def horizon(self) -> timedelta | None:
        """How far ahead of now a task's moment may lie; None: any distance."""

    def enqueue(self, task: Task) -> None:
        """Accept the task: when this returns it is durable. Raises `Unavailable` when it is not.

        So it does for a moment beyond the horizon. Two tasks that are equal are two tasks.
        """
