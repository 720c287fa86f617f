"""Commits to Firestore that nobody answered, or that were refused: what is reported is what happened."""

import time
from collections.abc import Callable

import pytest

from shared.errors import AlreadyExists, Conflict, Unavailable
from shared.ports import Create, Delete, Document, Ref, Store, Update, Write
from tests.contract.firestore_proxy import UNKNOWN, Codes, Proxy, late, lost_after, lost_before

pytestmark = pytest.mark.google

NEW, OLD, GONE = Ref("things", "new"), Ref("things", "old"), Ref("things", "gone")


def existing(store: Store, ref: Ref) -> Document:
    document = store.get(ref)
    assert document
    return document


def one_of_each(store: Store) -> tuple[Write, ...]:
    """A create, an update and a delete, in a database that is ready for them."""
    store.commit(Create(OLD, {"n": 0}), Create(GONE, {}))
    old, gone = existing(store, OLD), existing(store, GONE)
    return Create(NEW, {"n": 1}), Update(OLD, {"n": 1}, old.version), Delete(GONE, gone.version)


def state(store: Store) -> list[object]:
    return [document and document.data for document in store.get_many([NEW, OLD, GONE])]


BEFORE, DONE = [None, {"n": 0}, {}], [{"n": 1}, {"n": 1}, None]

# a commit that nobody answered -------------------------------------------------------------------


@pytest.mark.parametrize("code", UNKNOWN, ids=str)
def test_a_commit_whose_answer_was_lost_is_done(
    ours: Store, direct: Store, proxy: Proxy, code: Codes
) -> None:
    writes = one_of_each(direct)
    proxy.commits.append(lost_after(code))
    ours.commit(*writes)
    assert state(direct) == DONE
    assert proxy.methods == ["Commit", "BatchGetDocuments"]


@pytest.mark.parametrize("code", [*UNKNOWN, Codes.RESOURCE_EXHAUSTED], ids=str)
def test_a_commit_that_was_lost_is_sent_again(ours: Store, direct: Store, proxy: Proxy, code: Codes) -> None:
    writes = one_of_each(direct)
    proxy.commits.append(lost_before(code))
    ours.commit(*writes)
    assert state(direct) == DONE
    assert proxy.methods == ["Commit", "BatchGetDocuments", "Commit"]


def test_a_commit_that_arrives_late_is_carried_out_once(ours: Store, direct: Store, proxy: Proxy) -> None:
    writes = one_of_each(direct)
    proxy.commits += late(Codes.UNAVAILABLE)
    ours.commit(*writes)
    assert state(direct) == DONE
    assert proxy.methods == ["Commit", "BatchGetDocuments", "Commit", "BatchGetDocuments"]


def test_an_update_that_arrives_late_bumps_the_version_once(ours: Store, direct: Store, proxy: Proxy) -> None:
    direct.commit(Create(OLD, {"n": 0}))
    proxy.commits += late(Codes.DEADLINE_EXCEEDED)
    ours.commit(Update(OLD, {"n": 1}, existing(direct, OLD).version))
    version = existing(direct, OLD).version
    ours.commit(Update(OLD, {"n": 2}, version))
    assert existing(direct, OLD).data == {"n": 2}


Act = Callable[[Store], None]


def create_ours(store: Store) -> None:
    store.commit(Create(NEW, {"n": "theirs"}))


def update_old(store: Store) -> None:
    store.commit(Update(OLD, {"n": "theirs"}, existing(store, OLD).version))


def delete_old(store: Store) -> None:
    store.commit(Delete(OLD, existing(store, OLD).version))


def update_gone(store: Store) -> None:
    store.commit(Update(GONE, {"n": "theirs"}, existing(store, GONE).version))


@pytest.mark.parametrize(
    ("act", "error", "ref"),
    [
        (create_ours, AlreadyExists, NEW),
        (update_old, Conflict, OLD),
        (delete_old, Conflict, OLD),
        (update_gone, Conflict, GONE),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_who_wrote_while_a_commit_was_lost_has_won(
    ours: Store, direct: Store, proxy: Proxy, act: Act, error: type[Exception], ref: Ref
) -> None:
    writes = one_of_each(direct)
    proxy.commits.append(lost_before(Codes.UNAVAILABLE, lambda: act(direct)))
    with pytest.raises(error, match=f"{ref.collection}/{ref.id}"):
        ours.commit(*writes)
    assert {"n": 1} not in state(direct)


def test_who_wrote_after_a_commit_whose_answer_was_lost_is_a_conflict(
    ours: Store, direct: Store, proxy: Proxy
) -> None:
    """The caller reads again, as after every conflict, and finds what is its own."""
    writes = one_of_each(direct)
    proxy.commits.append(lost_after(Codes.UNAVAILABLE, lambda: update_old(direct)))
    with pytest.raises(AlreadyExists, match="things/new"):
        ours.commit(*writes)
    assert state(direct) == [{"n": 1}, {"n": "theirs"}, None]


def test_true_is_not_taken_for_the_one_that_was_to_be_written(
    ours: Store, direct: Store, proxy: Proxy
) -> None:
    direct.commit(Create(OLD, {"n": True}))
    proxy.commits.append(lost_before(Codes.UNAVAILABLE))
    ours.commit(Update(OLD, {"n": 1}, existing(direct, OLD).version))
    assert existing(direct, OLD).data["n"] is not True


def test_an_update_that_changes_nothing_is_done_either_way(ours: Store, direct: Store, proxy: Proxy) -> None:
    direct.commit(Create(OLD, {"n": 0}))
    version = existing(direct, OLD).version
    proxy.commits.append(lost_before(Codes.UNAVAILABLE))
    ours.commit(Update(OLD, {"n": 0}, version))
    assert existing(direct, OLD).version == version


@pytest.mark.usefixtures("short")
def test_a_commit_that_is_lost_again_and_again_is_unavailable_and_nothing_is_written(
    ours: Store, direct: Store, proxy: Proxy
) -> None:
    writes = one_of_each(direct)
    proxy.commits += [lost_before(Codes.UNAVAILABLE)] * 1_000
    started = time.monotonic()
    with pytest.raises(Unavailable):
        ours.commit(*writes)
    assert time.monotonic() - started < 1
    assert state(direct) == BEFORE


@pytest.mark.usefixtures("short")
def test_an_unknown_outcome_that_can_not_be_looked_up_is_unavailable(
    ours: Store, direct: Store, proxy: Proxy
) -> None:
    writes = one_of_each(direct)
    proxy.commits.append(lost_after(Codes.UNAVAILABLE))
    proxy.reads += [lost_before(Codes.UNAVAILABLE)] * 1_000
    with pytest.raises(Unavailable):
        ours.commit(*writes)
    assert state(direct) == DONE


# a commit that was refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "version",
    ["1", "", "no version of ours", "1.5", "99999999999.999999000", "1795521923.293535001", "٣.000000000"],
)
def test_a_version_that_is_none_of_ours_is_a_conflict(ours: Store, direct: Store, version: str) -> None:
    direct.commit(Create(OLD, {"n": 0}))
    for write in (Update(OLD, {"n": 1}, version), Delete(OLD, version)):
        with pytest.raises(Conflict, match="things/old"):
            ours.commit(write)
    assert existing(direct, OLD).data == {"n": 0}


def test_a_single_write_that_is_refused_takes_one_call(ours: Store, direct: Store, proxy: Proxy) -> None:
    direct.commit(Create(OLD, {"n": 0}))
    version = existing(direct, OLD).version
    update_old(direct)
    for write in (Create(OLD, {}), Update(OLD, {"n": 1}, version), Delete(OLD, version)):
        with pytest.raises((AlreadyExists, Conflict)):
            ours.commit(write)
    assert proxy.methods == ["Commit"] * 3


def test_a_commit_among_too_many_is_a_conflict(ours: Store, proxy: Proxy, direct: Store) -> None:
    writes = one_of_each(direct)
    proxy.commits += [lost_before(Codes.ABORTED)] * 2
    for some in (writes, writes[:1]):
        with pytest.raises(Conflict, match="things/new"):
            ours.commit(*some)
    assert state(direct) == BEFORE


def test_what_firestore_can_not_hold_is_a_mistake_of_the_program(ours: Store) -> None:
    with pytest.raises(ValueError, match="array"):
        ours.commit(Create(NEW, {"list": [[1]]}))
    with pytest.raises(TypeError, match="set is no JSON"):
        ours.commit(Create(NEW, {"set": {1}}))
