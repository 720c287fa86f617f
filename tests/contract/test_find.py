"""The sentences of `ports.Store` on queries, over the shapes that `shared/indexes.json` declares."""

import operator
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest

from shared.errors import MissingIndex
from shared.ports import Create, Delete, Document, Filter, Order, Query, Ref, Store, Update

NEWEST = Order("created_at", descending=True)
HIGHEST = Order("number", descending=True)
SOONEST = Order("due_at")

PROJECT = Filter("project_id", "==", "p1")
ENVIRONMENT = Filter("environment_id", "==", "e1")
LIVE = Filter("deleted", "==", False)
SHORT = Filter("type", "==", "ephemeral")
STATUSES = Filter("status", "in", ("running", "failed", "deleting"))
MEMBER = Filter("member_ids", "array_contains", "u1")


def moment(number: int) -> str:
    return f"2026-01-01T00:00:{number:02}.000000Z"


DUE = Filter("due_at", "<=", moment(6))
OVERDUE = Filter("due_at", "<", moment(6))

SHAPES = {
    "live environments of a project": Query("environments", (PROJECT, LIVE), NEWEST),
    "live environments of a type": Query("environments", (PROJECT, LIVE, SHORT), NEWEST),
    "environments of a project": Query("environments", (PROJECT,), NEWEST),
    "environments of a type": Query("environments", (PROJECT, SHORT), NEWEST),
    "environments in a status": Query("environments", (PROJECT, STATUSES), NEWEST),
    "environments of a type in a status": Query("environments", (PROJECT, STATUSES, SHORT), NEWEST),
    "due environments of a project": Query("environments", (PROJECT, DUE), SOONEST),
    "overdue environments": Query("environments", (OVERDUE,), SOONEST),
    "deployments": Query("deployments", (ENVIRONMENT,), HIGHEST),
    "deployments in a status": Query("deployments", (ENVIRONMENT, STATUSES), HIGHEST),
    "oldest deployments": Query("deployments", (ENVIRONMENT, Filter("number", "<=", 5)), Order("number")),
    "latest environments": Query(
        "environments",
        (PROJECT, Filter("created_at", ">", moment(2)), Filter("created_at", "<=", moment(6))),
        NEWEST,
    ),
    "projects of a member": Query("projects", (MEMBER, Filter("ended", "==", False)), NEWEST),
    "overdue projects": Query("projects", (OVERDUE,), SOONEST),
}

every_shape = pytest.mark.parametrize("query", SHAPES.values(), ids=SHAPES)


def made_up(random: Random) -> dict[str, Any]:
    """Data with which every filter has hits and misses, and every order has ties."""
    users = [user for user in ("u1", "u2", "u3") if random.random() < 0.5]
    return {
        "project_id": random.choice(["p1", "p1", "p2"]),
        "environment_id": random.choice(["e1", "e1", "e2"]),
        "deleted": random.random() < 0.3,
        "ended": random.random() < 0.3,
        "type": random.choice(["ephemeral", "persistent"]),
        "status": random.choice(["running", "failed", "deleting", "expired"]),
        "member_ids": random.choice([users, users * 2]),
        "created_at": moment(random.randrange(8)),
        "due_at": random.choice([None, moment(random.randrange(10))]),
        "number": random.randrange(8),
    }


def filled(store: Store, count: int = 150) -> list[Document]:
    random = Random(7)
    refs = [
        Ref(collection, f"{random.randrange(1_000_000):06}")
        for collection in ("environments", "deployments", "projects")
        for _ in range(count)
    ]
    store.commit(*(Create(ref, made_up(random)) for ref in refs))
    return [document for document in store.get_many(refs) if document]


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "in": lambda found, values: found in values,
    "array_contains": operator.contains,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def meets(data: Mapping[str, Any], query: Query) -> bool:
    return all(
        data[field] is not None and COMPARISONS[op](data[field], value) for field, op, value in query.where
    )


def answer(documents: list[Document], query: Query) -> list[Document]:
    """The whole answer to a query, the plain way."""
    return sorted(
        (one for one in documents if one.ref.collection == query.collection and meets(one.data, query)),
        key=lambda one: (one.data[query.order.field], one.ref.id),
        reverse=query.order.descending,
    )


def limited(query: Query, limit: int) -> Query:
    return Query(query.collection, query.where, query.order, limit)


def following(query: Query, store: Store) -> list[list[Document]]:
    """All pages of a query."""
    page = store.find(query)
    pages = [list(page.documents)]
    while page.next:
        page = store.find(Query(query.collection, query.where, query.order, query.limit, page.next))
        pages.append(list(page.documents))
    return pages


def things(store: Store, *data: Mapping[str, Any], collection: str = "environments") -> None:
    store.commit(
        *(Create(Ref(collection, f"{n}"), {"created_at": moment(n), **one}) for n, one in enumerate(data))
    )


def ids(store: Store, *where: Filter, collection: str = "environments", order: Order = NEWEST) -> list[str]:
    return [one.ref.id for one in store.find(Query(collection, where, order)).documents]


# the answer ------------------------------------------------------------------------------------


@every_shape
def test_a_page_holds_what_meets_every_filter_in_order(store: Store, query: Query) -> None:
    expected = answer(filled(store), query)
    assert len(expected) > 8
    assert list(store.find(query).documents) == expected[:100]


@every_shape
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_make_up_the_answer(store: Store, query: Query, limit: int) -> None:
    expected = answer(filled(store), query)
    pages = following(limited(query, limit), store)
    assert [document for page in pages for document in page] == expected
    assert {len(page) for page in pages[:-1]} == {limit}
    assert pages[-1]


@every_shape
def test_a_page_that_ends_with_the_last_document_is_the_last_page(store: Store, query: Query) -> None:
    expected = answer(filled(store), query)
    assert store.find(limited(query, len(expected))).next is None
    assert store.find(limited(query, len(expected) - 1)).next is not None


@every_shape
def test_nothing_is_found_in_an_empty_store(store: Store, query: Query) -> None:
    page = store.find(query)
    assert (list(page.documents), page.next, store.count(query)) == ([], None, 0)


@every_shape
def test_a_count_is_the_length_of_the_answer_whatever_limit_and_cursor(store: Store, query: Query) -> None:
    expected = len(answer(filled(store), query))
    after = store.find(limited(query, 1)).next
    assert store.count(query) == expected
    assert store.count(Query(query.collection, query.where, query.order, 1, after)) == expected


@every_shape
def test_following_pages_meets_each_undisturbed_document_once_whatever_is_written(
    store: Store,
    query: Query,
) -> None:
    documents = filled(store)
    undisturbed, disturbed = [], []
    for number, document in enumerate(documents):
        (disturbed if number % 3 == 0 else undisturbed).append(document)
    random = Random(11)
    page = store.find(limited(query, 4))
    met = list(page.documents)
    while page.next:
        for document in [disturbed.pop() for _ in range(3) if disturbed]:
            store.commit(
                Create(Ref(query.collection, f"new {document.ref.id}"), made_up(random)),
                random.choice(
                    [
                        Delete(document.ref, document.version),
                        Update(document.ref, made_up(random), document.version),
                    ]
                ),
            )
        page = store.find(Query(query.collection, query.where, query.order, 4, page.next))
        met += page.documents
    kept = set(map(id_of, undisturbed))
    assert [one for one in met if id_of(one) in kept] == answer(undisturbed, query)


def id_of(document: Document) -> Ref:
    return document.ref


@every_shape
def test_what_is_updated_or_deleted_leaves_the_answer(store: Store, query: Query) -> None:
    documents = filled(store, 60)
    random = Random(13)
    for document in documents[::2]:
        store.commit(Update(document.ref, made_up(random), document.version))
    for document in documents[1::4]:
        store.commit(Delete(document.ref, document.version))
    kept = [document for document in store.get_many([one.ref for one in documents]) if document]
    assert list(store.find(query).documents) == answer(kept, query)[:100]


# filters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, True, False, 1, 0, 1.5, "", "text", "1", "true", "null", "ä\U0001f680"]
)
def test_equality_is_of_value_and_type(store: Store, value: Any) -> None:  # noqa: ANN401 - any scalar
    values = [None, True, False, 1, 0, 1.5, "", "text", "1", "true", "null", "ä\U0001f680"]
    things(store, *({"project_id": one} for one in values))
    expected = [str(n) for n, one in enumerate(values) if (one, type(one)) == (value, type(value))]
    assert ids(store, Filter("project_id", "==", value)) == expected


def test_equality_with_none_matches_null_but_no_absent_field(store: Store) -> None:
    things(store, {"project_id": None}, {})
    assert ids(store, Filter("project_id", "==", None)) == ["0"]


MIXED = [None, 0, 1, 2, "a", "b", "c"]
"""What a field may hold, and which other values a comparison with 1 or "b" has to leave aside."""


@pytest.mark.parametrize("op", ["<", "<=", ">", ">="])
@pytest.mark.parametrize("value", [1, "b"])
def test_comparisons_are_of_like_with_like(store: Store, op: Any, value: Any) -> None:  # noqa: ANN401
    things(store, *({"due_at": one} for one in MIXED), {})
    expected = [
        str(n) for n, one in enumerate(MIXED) if type(one) is type(value) and COMPARISONS[op](one, value)
    ]
    assert ids(store, Filter("due_at", op, value), order=SOONEST) == expected
    assert store.count(Query("environments", (Filter("due_at", op, value),), SOONEST)) == len(expected)


def test_two_range_filters_enclose_the_answer(store: Store) -> None:
    things(store, *({"due_at": moment(n)} for n in range(6)))
    enclosed = Filter("due_at", ">", moment(1)), Filter("due_at", "<=", moment(4))
    assert ids(store, *enclosed, order=SOONEST) == ["2", "3", "4"]


def test_one_value_of_in_is_enough_and_thirty_are_allowed(store: Store) -> None:
    things(store, *({"project_id": "p1", "status": f"s{n}"} for n in range(40)))
    assert ids(store, PROJECT, Filter("status", "in", ("s7",))) == ["7"]
    thirty = Filter("status", "in", tuple(f"s{n}" for n in range(30)))
    assert ids(store, PROJECT, thirty) == [str(n) for n in reversed(range(30))]


def test_a_value_that_stands_twice_finds_its_documents_once(store: Store) -> None:
    things(store, {"project_id": "p1", "status": "running"})
    twice = PROJECT, Filter("status", "in", ("running", "running"))
    assert ids(store, *twice) == ["0"]
    assert store.count(Query("environments", twice, NEWEST)) == 1


def test_only_an_array_contains(store: Store) -> None:
    things(
        store,
        *(
            {"ended": False, "member_ids": one}
            for one in (["u1"], "u1", None, {"u1": 1}, [["u1"]], [], ["u1", "u1"])
        ),
        {"ended": False},
        collection="projects",
    )
    assert ids(store, MEMBER, Filter("ended", "==", False), collection="projects") == ["6", "0"]


# indexes ---------------------------------------------------------------------------------------

UNDECLARED = {
    "no such collection": Query("nowhere", (PROJECT,), NEWEST),
    "no such field": Query("environments", (Filter("colour", "==", "red"),), NEWEST),
    "a field too many": Query("environments", (PROJECT, LIVE, SHORT, STATUSES), NEWEST),
    "a field too few": Query("environments", (), NEWEST),
    "another order": Query("environments", (PROJECT,), Order("name")),
    "another direction": Query("environments", (PROJECT,), Order("created_at")),
    "a range beside the order": Query("environments", (PROJECT, DUE), NEWEST),
    "in and array_contains": Query("projects", (MEMBER, Filter("ended", "in", (True, False))), NEWEST),
    "an array as a scalar": Query(
        "projects",
        (Filter("member_ids", "==", "u1"), Filter("ended", "==", False)),
        NEWEST,
    ),
    "SQL": Query("environments", (Filter("x') OR 1=1 --", "==", ""),), NEWEST),
}


@pytest.mark.parametrize("query", UNDECLARED.values(), ids=UNDECLARED)
def test_a_shape_without_an_index_is_refused(store: Store, query: Query) -> None:
    with pytest.raises(MissingIndex, match=query.collection):
        store.find(query)
