"""What has passed its moment is removed from the file, as a TTL policy does it in Firestore."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters import sqlite_expiry
from shared.adapters.firestore_values import EXPIRING
from shared.adapters.indexes import INDEXES, policies
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_expiry import remove_expired
from shared.adapters.sqlite_store import SqliteStore
from shared.ports import Create, Ref, Update
from shared.times import to_text

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def _create(store: SqliteStore, collection: str, name: str, ttl_at: object) -> Ref:
    ref = Ref(collection, name)
    store.commit(Create(ref, {"ttl_at": ttl_at}))
    return ref


def test_the_policies_are_those_that_firestore_is_given() -> None:
    declared = set(policies(json.loads(INDEXES.read_text(encoding="utf-8"))))
    assert declared >= {("environments", "ttl_at"), ("sessions", "ttl_at"), ("throttles", "ttl_at")}
    assert {field for _, field in declared} == {EXPIRING}, (
        "Firestore's adapter makes a moment of this one only"
    )


def test_what_has_passed_its_moment_goes_and_nothing_else(database: Database) -> None:
    store = SqliteStore(database)
    gone = [_create(store, "sessions", f"gone {number}", to_text(NOW - number * TICK)) for number in range(3)]
    kept = [
        _create(store, "sessions", "later", to_text(NOW + TICK)),
        _create(store, "sessions", "never", None),
        _create(store, "sessionsandmore", "another collection", to_text(NOW)),
        _create(store, "users", "no policy", to_text(NOW)),
    ]
    store.commit(Create(Ref("sessions", "without"), {}))
    assert remove_expired(database, NOW) == 3
    assert store.get_many(gone) == [None] * 3
    assert None not in store.get_many([*kept, Ref("sessions", "without")])
    assert remove_expired(database, NOW) == 0


def test_a_collection_whose_time_is_another_one_is_spared(database: Database) -> None:
    store = SqliteStore(database)
    spared = _create(store, "environments", "virtual", to_text(NOW - TICK))
    _create(store, "sessions", "real", to_text(NOW - TICK))
    assert remove_expired(database, NOW, ["environments"]) == 1
    assert store.get(spared) is not None


def test_more_than_a_batch_goes_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_expiry, "BATCH", 3)
    store = SqliteStore(database)
    for number in range(10):
        _create(store, "throttles", str(number), to_text(NOW))
        _create(store, "throttles", f"{number} kept", to_text(NOW + TICK))
    assert remove_expired(database, NOW) == 10
    assert store.get(Ref("throttles", "9 kept")) is not None


def test_what_is_prolonged_meanwhile_stays(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(database)
    ref = _create(store, "sessions", "one", to_text(NOW))
    write = database.write

    def prolonged_first(work: object) -> object:
        monkeypatch.undo()
        found = store.get(ref)
        assert found is not None
        store.commit(Update(ref, {"ttl_at": to_text(NOW + TICK)}, found.version))
        return write(work)  # type: ignore[arg-type]  # whatever it is

    monkeypatch.setattr(database, "write", prolonged_first)
    assert remove_expired(database, NOW) == 0
    assert store.get(ref) is not None
