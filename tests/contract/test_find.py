"""The sentences of `ports.Store` on queries, over the shapes that `shared/indexes.json` declares."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, TypedDict

import pytest

from shared.errors import MissingIndex
from shared.ports import Create, Delete, Document, Filter, Order, Query, Ref, Store, Update
from tests.contract.adapters import STORES
from tests.contract.places import ALL_STORE_NAMES, prepare
from tests.contract.queries import (
    COMPARISONS,
    DUE,
    ENVIRONMENT,
    HIGHEST,
    MEMBER,
    NEWEST,
    PROJECT,
    SHAPES,
    SHORT,
    SOONEST,
    STATUSES,
    answer,
    filled,
    made_up,
    moment,
)

Full = tuple[Store, list[Document]]

every_shape = pytest.mark.parametrize("query", SHAPES.values(), ids=SHAPES)


@pytest.fixture(scope="module", params=ALL_STORE_NAMES)
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    """A store with made-up documents, which its tests only read."""
    place = tmp_path_factory.mktemp("full")
    prepare(place, request.param, request)
    with STORES[request.param](place) as store:
        yield store, filled(store)


class _Deployments(TypedDict):
    collection: str
    order: Order


DEPLOYMENTS = _Deployments(collection="deployments", order=HIGHEST)


def limited(query: Query, limit: int) -> Query:
    return Query(query.collection, query.where, query.order, limit)


def following(query: Query, store: Store) -> list[list[Document]]:
    """All pages of a query."""
    page = store.find(query)
    pages = [list(page.documents)]
    while page.next:
        assert len(pages) < 1_000, "it leads in a circle"
        page = store.find(Query(query.collection, query.where, query.order, query.limit, page.next))
        pages.append(list(page.documents))
    return pages


def things(store: Store, *data: Mapping[str, Any], collection: str = "environments") -> None:
    store.commit(
        *(
            Create(Ref(collection, f"{n}"), {"created_at": moment(n), "number": n, **one})
            for n, one in enumerate(data)
        )
    )


def ids(store: Store, *where: Filter, collection: str = "environments", order: Order = NEWEST) -> list[str]:
    return [one.ref.id for one in store.find(Query(collection, where, order)).documents]


# the answer ------------------------------------------------------------------------------------


@every_shape
def test_a_page_holds_what_meets_every_filter_in_order(full: Full, query: Query) -> None:
    store, documents = full
    expected = answer(documents, query)
    assert len(expected) > 5
    assert list(store.find(query).documents) == expected


@every_shape
@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_make_up_the_answer(full: Full, query: Query, limit: int) -> None:
    store, documents = full
    pages = following(limited(query, limit), store)
    assert [document for page in pages for document in page] == answer(documents, query)
    assert {len(page) for page in pages[:-1]} == {limit}
    assert pages[-1]


@every_shape
def test_a_page_that_ends_with_the_last_document_is_the_last_page(full: Full, query: Query) -> None:
    store, documents = full
    size = len(answer(documents, query))
    assert store.find(limited(query, size)).next is None
    assert store.find(limited(query, size - 1)).next is not None


@every_shape
def test_a_count_is_the_length_of_the_answer_whatever_limit_and_cursor(full: Full, query: Query) -> None:
    store, documents = full
    after = store.find(limited(query, 1)).next
    size = len(answer(documents, query))
    assert store.count(query) == size
    assert store.count(Query(query.collection, query.where, query.order, 1, after)) == size


@pytest.mark.parametrize(
    "where",
    [
        (Filter("status", "in", ("running", "failed")),),
        (Filter("status", "==", "running"),),
        (Filter("status", "==", "no such"),),
    ],
)
def test_a_count_by_one_field_needs_that_fields_index_only(full: Full, where: tuple[Filter, ...]) -> None:
    store, documents = full
    query = Query("environments", where, Order("status"))
    assert store.count(query) == len(answer(documents, query))


def test_nothing_is_found_in_an_empty_store(store: Store) -> None:
    for query in SHAPES.values():
        page = store.find(query)
        assert (list(page.documents), page.next, store.count(query)) == ([], None, 0)


@every_shape
def test_following_pages_meets_each_undisturbed_document_once_whatever_is_written(
    store: Store,
    query: Query,
) -> None:
    documents = filled(store)
    undisturbed, disturbed = documents[1::2], documents[::2]
    random = Random(11)
    page = store.find(limited(query, 4))
    met = [one.ref for one in page.documents]
    while page.next:
        for document in [disturbed.pop() for _ in range(3) if disturbed]:
            change = Update(document.ref, made_up(random), document.version)
            removal = Delete(document.ref, document.version)
            new = Create(Ref(query.collection, f"{document.ref.id} new"), made_up(random))
            store.commit(new, change if random.random() < 0.5 else removal)
        page = store.find(Query(query.collection, query.where, query.order, 4, page.next))
        met += [one.ref for one in page.documents]
    kept = {one.ref for one in undisturbed}
    assert [ref for ref in met if ref in kept] == [one.ref for one in answer(undisturbed, query)]


@every_shape
def test_what_is_updated_or_deleted_leaves_the_answer(store: Store, query: Query) -> None:
    documents = filled(store)
    random = Random(13)
    for document in documents[::2]:
        store.commit(Update(document.ref, made_up(random), document.version))
    for document in documents[1::4]:
        store.commit(Delete(document.ref, document.version))
    kept = [document for document in store.get_many([one.ref for one in documents]) if document]
    assert list(store.find(query).documents) == answer(kept, query)


# filters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [None, True, False, 1, 0, 1.5, "", "text", "1", "true", "null", "ä\U0001f680"]
)
def test_equality_is_of_value_and_type(store: Store, value: Any) -> None:  # noqa: ANN401 - any scalar
    values = [None, True, False, 1, 0, 1.5, "", "text", "1", "true", "null", "ä\U0001f680"]
    things(store, *({"environment_id": one} for one in values), collection="deployments")
    expected = [str(n) for n, one in enumerate(values) if (one, type(one)) == (value, type(value))]
    assert ids(store, Filter("environment_id", "==", value), **DEPLOYMENTS) == expected


def test_equality_with_none_matches_null_but_no_absent_field(store: Store) -> None:
    things(store, {"environment_id": None}, {}, collection="deployments")
    assert ids(store, Filter("environment_id", "==", None), **DEPLOYMENTS) == ["0"]


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
    things(store, *({"environment_id": "e1", "status": f"s{n}"} for n in range(40)), collection="deployments")
    assert ids(store, ENVIRONMENT, Filter("status", "in", ("s7",)), **DEPLOYMENTS) == ["7"]
    thirty = Filter("status", "in", tuple(f"s{n}" for n in range(30)))
    assert ids(store, ENVIRONMENT, thirty, **DEPLOYMENTS) == [str(n) for n in reversed(range(30))]


def test_several_ins_find_every_combination_in_one_order(store: Store) -> None:
    combinations = [(status, kind) for status in "abcd" for kind in "xyz"]
    things(store, *({"project_id": "p1", "status": one, "type": two} for one, two in combinations))
    several = PROJECT, Filter("status", "in", ("b", "d", "e")), Filter("type", "in", ("x", "z"))
    expected = [str(n) for n, pair in enumerate(combinations) if pair[0] in "bd" and pair[1] in "xz"]
    assert ids(store, *several) == expected[::-1]
    assert store.count(Query("environments", several, NEWEST)) == len(expected) == 4


@pytest.mark.parametrize(("statuses", "types"), [(0, 1), (31, 1), (16, 2), (4, 8)])
def test_more_than_thirty_combinations_or_none_are_refused(store: Store, statuses: int, types: int) -> None:
    of_status = Filter("status", "in", tuple(f"s{n}" for n in range(statuses)))
    of_type = Filter("type", "in", tuple(f"t{n}" for n in range(types)))
    with pytest.raises(MissingIndex, match="environments"):
        store.find(Query("environments", (PROJECT, of_status, of_type), NEWEST))


def test_a_value_that_stands_twice_finds_its_documents_once(store: Store) -> None:
    things(store, {"environment_id": "e1", "status": "running"}, collection="deployments")
    twice = ENVIRONMENT, Filter("status", "in", ("running", "running"))
    assert ids(store, *twice, **DEPLOYMENTS) == ["0"]
    assert store.count(Query("deployments", twice, HIGHEST)) == 1


def test_only_an_array_contains(store: Store) -> None:
    things(
        store,
        *(
            {"ended": False, "member_ids": one}
            for one in (["u1"], "u1", None, {"u1": 1}, [{"u1": "u1"}], [], ["u1", "u1"])
        ),
        {"ended": False},
        collection="projects",
    )
    assert ids(store, MEMBER, Filter("ended", "==", False), collection="projects") == ["6", "0"]


# indexes ---------------------------------------------------------------------------------------

UNDECLARED = {
    "no such collection": Query("nowhere", (PROJECT,), NEWEST),
    "no such field": Query("environments", (Filter("colour", "==", "red"),), NEWEST),
    "a field too many": Query("environments", (PROJECT, SHORT, STATUSES, DUE), NEWEST),
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
