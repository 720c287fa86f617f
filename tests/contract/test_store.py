"""The sentences of `ports.Store`, except those on queries and races."""

from typing import Any

import pytest

from shared.errors import AlreadyExists, Conflict
from shared.ports import Create, Delete, Document, Ref, Store, Update, Write

ONE = Ref("things", "one")
TWO = Ref("things", "two")
THREE = Ref("things", "three")

DATA = {
    "text": "grüße, 世界 \U0001f680 \"quoted\" 'q' \\ \n\t\u0001",
    "number": 42,
    "large": 2**53,
    "real": 0.1,
    "true": True,
    "false": False,
    "null": None,
    "list": [1, "two", None, {"three": [3.5]}],
    "nested": {"deep": {"er": []}, " ": ""},
    "empty": {},
}


def created(store: Store, ref: Ref, data: dict[str, Any] | None = None) -> Document:
    store.commit(Create(ref, data or {}))
    return existing(store, ref)


def existing(store: Store, ref: Ref) -> Document:
    document = store.get(ref)
    assert document
    return document


# get -------------------------------------------------------------------------------------------


def test_a_document_comes_back_as_it_was_created(store: Store) -> None:
    document = created(store, ONE, DATA)
    assert document == Document(ONE, document.version, DATA)


def test_true_and_one_and_one_point_zero_stay_what_they_are(store: Store) -> None:
    data = created(store, ONE, {"values": [True, 1, False, 0, 2.5]}).data
    assert [type(value) for value in data["values"]] == [bool, int, bool, int, float]


def test_a_document_that_nobody_created_is_none(store: Store) -> None:
    assert store.get(ONE) is None


def test_the_same_id_in_another_collection_is_another_document(store: Store) -> None:
    created(store, Ref("others", "one"), {"a": 1})
    assert store.get(ONE) is None


@pytest.mark.parametrize("name", ["a.b", "a-b_c~d", "a b", "a%2Fb", "ä", "'", '"', "A", "0", "x" * 200])
def test_an_id_is_taken_literally(store: Store, name: str) -> None:
    created(store, Ref("things", name), {"name": name})
    created(store, Ref("things", name + "x"), {"name": "another"})
    assert existing(store, Ref("things", name)).data == {"name": name}


def test_what_a_reader_does_to_its_data_changes_no_document(store: Store) -> None:
    document = created(store, ONE, {"list": [1]})
    document.data["list"].append(2)
    assert existing(store, ONE).data == {"list": [1]}


# versions --------------------------------------------------------------------------------------


def test_a_version_stays_while_nobody_writes(store: Store) -> None:
    assert created(store, ONE).version == existing(store, ONE).version


def test_a_version_differs_after_every_write_that_changes_the_data(store: Store) -> None:
    document = created(store, ONE, DATA)
    versions = {document.version}
    for turn in range(5):
        store.commit(Update(ONE, DATA if turn % 2 else {}, document.version))
        document = existing(store, ONE)
        versions.add(document.version)
    assert len(versions) == 6


def test_a_version_does_not_return_when_a_document_is_deleted_and_created_anew(store: Store) -> None:
    first = created(store, ONE, DATA)
    store.commit(Delete(ONE, first.version))
    assert created(store, ONE, DATA).version != first.version
    with pytest.raises(Conflict):
        store.commit(Update(ONE, {}, first.version))


# get_many --------------------------------------------------------------------------------------


def test_many_documents_come_in_the_order_of_the_refs_with_none_for_the_missing(store: Store) -> None:
    one, three = created(store, ONE, {"n": 1}), created(store, THREE, {"n": 3})
    assert store.get_many([THREE, TWO, ONE]) == [three, None, one]


def test_many_documents_may_be_of_several_collections(store: Store) -> None:
    one, other = created(store, ONE, {"n": 1}), created(store, Ref("others", "one"), {"n": 2})
    assert store.get_many([other.ref, one.ref]) == [other, one]


def test_no_refs_give_no_documents(store: Store) -> None:
    assert store.get_many([]) == []


def test_three_hundred_documents_can_be_had_at_once(store: Store) -> None:
    refs = [Ref("things", f"{number:03}") for number in range(300)]
    store.commit(*(Create(ref, {"id": ref.id}) for ref in refs))
    assert [document and document.data["id"] for document in store.get_many(refs)] == [ref.id for ref in refs]


# commit ----------------------------------------------------------------------------------------


def test_an_update_replaces_all_data(store: Store) -> None:
    document = created(store, ONE, {"a": 1, "b": 2})
    store.commit(Update(ONE, {"b": 3}, document.version))
    assert existing(store, ONE).data == {"b": 3}


def test_a_deleted_document_is_none(store: Store) -> None:
    store.commit(Delete(ONE, created(store, ONE).version))
    assert store.get(ONE) is None


def test_every_write_of_a_commit_is_carried_out(store: Store) -> None:
    one, two = created(store, ONE, {"n": 1}), created(store, TWO, {"n": 2})
    store.commit(Create(THREE, {"n": 3}), Update(ONE, {"n": 10}, one.version), Delete(TWO, two.version))
    assert [document and document.data for document in store.get_many([ONE, TWO, THREE])] == [
        {"n": 10},
        None,
        {"n": 3},
    ]


def test_a_commit_of_nothing_is_none_at_all(store: Store) -> None:
    store.commit()


def test_creating_what_exists_is_refused(store: Store) -> None:
    document = created(store, ONE, {"n": 1})
    with pytest.raises(AlreadyExists, match="things/one"):
        store.commit(Create(ONE, {"n": 2}))
    assert store.get(ONE) == document


STALE: list[Write] = [Update(TWO, {"n": 0}, "1"), Delete(TWO, "1")]
MISSING: list[Write] = [Update(THREE, {"n": 0}, "1"), Delete(THREE, "1")]
FOREIGN: list[Write] = [Update(TWO, {"n": 0}, "no version of ours"), Delete(TWO, "")]


@pytest.mark.parametrize("write", [*STALE, *MISSING, *FOREIGN], ids=repr)
def test_a_write_of_another_version_or_a_missing_document_is_a_conflict(store: Store, write: Write) -> None:
    before = created(store, TWO, {"n": 2})
    with pytest.raises(Conflict, match=f"things/{write.ref.id}"):
        store.commit(write)
    assert store.get_many([TWO, THREE]) == [before, None]


def test_an_update_of_the_version_before_the_last_is_a_conflict(store: Store) -> None:
    first = created(store, ONE, {"n": 1})
    store.commit(Update(ONE, {"n": 2}, first.version))
    with pytest.raises(Conflict):
        store.commit(Update(ONE, {"n": 3}, first.version))
    with pytest.raises(Conflict):
        store.commit(Delete(ONE, first.version))
    assert existing(store, ONE).data == {"n": 2}


@pytest.mark.parametrize("failing", [*STALE, *MISSING, Create(TWO, {})], ids=repr)
def test_one_failing_write_undoes_the_whole_commit(store: Store, failing: Write) -> None:
    one, two = created(store, ONE, {"n": 1}), created(store, TWO, {"n": 2})
    new = Create(Ref("things", "new"), {})
    with pytest.raises((AlreadyExists, Conflict)):
        store.commit(new, Update(ONE, {"n": 10}, one.version), failing, Create(Ref("things", "last"), {}))
    refs = [ONE, TWO, THREE, new.ref, Ref("things", "last")]
    assert store.get_many(refs) == [one, two, None, None, None]


def test_a_create_that_comes_first_is_reported_first(store: Store) -> None:
    created(store, ONE)
    created(store, TWO)
    with pytest.raises(AlreadyExists):
        store.commit(Create(ONE, {}), Update(TWO, {}, "1"))


def test_an_update_that_comes_first_is_reported_first(store: Store) -> None:
    created(store, ONE)
    created(store, TWO)
    with pytest.raises(Conflict):
        store.commit(Update(TWO, {}, "1"), Create(ONE, {}))


def test_a_store_is_usable_after_a_failed_commit(store: Store) -> None:
    created(store, ONE)
    with pytest.raises(AlreadyExists):
        store.commit(Create(ONE, {}))
    assert created(store, TWO, {"n": 2}).data == {"n": 2}
