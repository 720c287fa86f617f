"""Held requests: so many at most, for so long at most, and never without a pause."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from shared.held import LEAST_SECONDS, LOOK_SECONDS, MOST_SECONDS, HeldRequests, Hold

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def timer(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def held_requests(time: Time, most: int = 4) -> HeldRequests:
    return HeldRequests(most, time.sleep, time.timer)


@contextmanager
def hold(requests: HeldRequests, seconds: float = MOST_SECONDS, *, is_ending: bool = False) -> Iterator[Hold]:
    with requests.hold(seconds, lambda: is_ending) as held:
        yield held


def sleep(held: Hold, planned: float | None = None) -> bool:
    return held.sleep(NOW, None if planned is None else NOW + timedelta(seconds=planned))


@pytest.mark.parametrize(
    ("planned", "slept"),
    [
        (None, LOOK_SECONDS),
        (100, LOOK_SECONDS),
        (1, LOOK_SECONDS),
        (0.3, 0.3),
        (0.000_001, LEAST_SECONDS),
        (0, LEAST_SECONDS),
        (-5, LEAST_SECONDS),
    ],
)
def test_it_sleeps_until_something_is_planned_and_not_for_longer_than_a_change_may_go_unseen(
    time: Time, planned: float | None, slept: float
) -> None:
    with hold(held_requests(time)) as held:
        assert sleep(held, planned)
    assert time.slept == [slept]


@pytest.mark.parametrize(("asked", "most"), [(0, 0), (0.25, 0.25), (2.5, 2.5), (20, 20), (50, 20)])
def test_it_is_held_for_as_long_as_is_asked_for_and_20_seconds_at_most(
    time: Time, asked: float, most: float
) -> None:
    with hold(held_requests(time), asked) as held:
        while sleep(held):
            pass
        assert held.seconds == most
    assert time.now == most
    assert len(time.slept) == -(-most // LOOK_SECONDS)


def test_no_more_are_held_than_there_are_places(time: Time) -> None:
    requests = held_requests(time, 2)
    with ExitStack() as holds:
        first, second, third = (holds.enter_context(hold(requests)) for _ in range(3))
        assert [sleep(first), sleep(second), sleep(third)] == [True, True, False]
        assert [sleep(first), sleep(second)] == [True, True], "who has a place keeps it"
        first.end()
        assert [sleep(third), sleep(second)] == [True, True]
    with ExitStack() as holds:
        again = [holds.enter_context(hold(requests)) for _ in range(3)]
        assert [sleep(one) for one in again] == [True, True, False], "each has given back what it had"


def test_who_does_not_sleep_takes_no_place(time: Time) -> None:
    requests = held_requests(time, 1)
    with hold(requests), hold(requests) as other:
        assert sleep(other)


def test_a_place_is_given_back_once_however_often_it_ends(time: Time) -> None:
    requests = held_requests(time, 1)
    with hold(requests) as one:
        sleep(one)
        one.end()
    with hold(requests) as one, hold(requests) as other:
        assert [sleep(one), sleep(other)] == [True, False]


def test_a_fault_gives_the_place_back(time: Time) -> None:
    requests = held_requests(time, 1)

    def fail() -> None:
        with hold(requests) as one:
            sleep(one)
            raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            fail()
    assert time.slept == [LOOK_SECONDS] * 3


def test_nobody_is_held_without_places_and_nobody_whose_connection_is_ending(time: Time) -> None:
    with hold(held_requests(time, 0)) as none, hold(held_requests(time), is_ending=True) as ending:
        assert [sleep(none), sleep(ending)] == [False, False]
    assert time.slept == []


def test_by_default_nothing_is_held() -> None:
    with hold(HeldRequests()) as held:
        assert not sleep(held)
