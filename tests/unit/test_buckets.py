"""How often something may happen, counted in this process."""

from datetime import UTC, datetime, timedelta

from shared import buckets
from shared.buckets import Buckets

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NONE = timedelta(0)
KEY = ("kind", "key")


def test_a_minutes_worth_at_once_and_then_one_at_a_time() -> None:
    bucket = Buckets()
    for _ in range(60):
        assert bucket.wait(KEY, 60, NOW) == NONE
        bucket.add(KEY, 60, NOW)
    assert bucket.wait(KEY, 60, NOW) == SECOND
    assert bucket.wait(KEY, 60, NOW + 0.5 * SECOND) == 0.5 * SECOND
    assert bucket.wait(KEY, 60, NOW + SECOND) == NONE
    bucket.add(KEY, 60, NOW + SECOND)
    assert bucket.wait(KEY, 60, NOW + SECOND) == SECOND
    assert bucket.wait(("kind", "other"), 60, NOW) == NONE


def test_asking_takes_nothing() -> None:
    bucket = Buckets()
    assert [bucket.wait(KEY, 1, NOW) for _ in range(100)] == [NONE] * 100


def test_a_minute_later_it_is_empty_and_no_emptier() -> None:
    bucket = Buckets()
    for _ in range(3):
        bucket.add(KEY, 3, NOW)
    assert bucket.wait(KEY, 3, NOW) > NONE
    for _ in range(3):
        assert bucket.wait(KEY, 3, NOW + 3_600 * SECOND) == NONE
        bucket.add(KEY, 3, NOW + 3_600 * SECOND)
    assert bucket.wait(KEY, 3, NOW + 3_600 * SECOND) > NONE


def test_of_too_many_keys_of_a_kind_the_oldest_are_forgotten() -> None:
    bucket = Buckets()
    bucket.add(("another kind", "0"), 1, NOW)
    for number in range(buckets.MOST_KEYS + 1):
        bucket.add(("kind", f"{number}"), 1, NOW)
    assert bucket.wait(("kind", "0"), 1, NOW) == NONE
    assert bucket.wait(("kind", "1"), 1, NOW) > NONE
    assert bucket.wait(("kind", f"{buckets.MOST_KEYS}"), 1, NOW) > NONE
    assert bucket.wait(("another kind", "0"), 1, NOW) > NONE


def test_what_is_left_is_said() -> None:
    bucket = Buckets()
    assert bucket.left(KEY, 6, NOW) == (6, NONE)
    bucket.add(KEY, 6, NOW)
    assert bucket.left(KEY, 6, NOW) == (5, 10 * SECOND)
    assert bucket.left(KEY, 6, NOW + 4 * SECOND) == (5, 6 * SECOND)
    assert bucket.left(KEY, 6, NOW + 60 * SECOND) == (6, NONE)
