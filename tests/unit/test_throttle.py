"""The throttle on guessing: who guesses waits, a minute at most; who doesn't guess waits seldom."""

from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest

from shared.domain.throttle import FORGOTTEN_AFTER, MOST_DELAY, MOST_WAITING, Throttle, delay, fail, wait

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NONE = timedelta(0)
SECOND = timedelta(seconds=1)


def _guess(addresses: list[str], seconds: float, pause: float) -> tuple[Throttle, list[float], list[float]]:
    """Guess for so long, an attempt each pause: the throttle, when a guess was taken, when one was not."""
    throttle, taken, refused = Throttle(), [], []
    turns = cycle(addresses)
    at = 0.0
    while at < seconds:
        address, now = next(turns), NOW + timedelta(seconds=at)
        if wait(throttle, address, now):
            refused.append(at)
        else:
            taken.append(at)
            throttle = fail(throttle, address, now)
        at += pause
    return throttle, taken, refused


def test_four_failures_are_free_then_the_delay_doubles_up_to_a_minute() -> None:
    seconds = [delay(failures).total_seconds() for failures in range(14)]
    assert seconds == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert delay(10**9) == MOST_DELAY


@pytest.mark.parametrize("addresses", [1, 2, 3, 4, 5, 1_000])
def test_guessing_one_account_is_refused_within_ten_failures_however_many_addresses(addresses: int) -> None:
    _, taken, refused = _guess([f"address {number}" for number in range(addresses)], 10, 0.02)
    assert sum(at < refused[0] for at in taken) < 10


@pytest.mark.parametrize(("addresses", "most"), [(1, 40), (4, 130), (1_000, 130)])
def test_half_an_hour_of_guessing_tries_few_passwords(addresses: int, most: int) -> None:
    names = [f"address {number}" for number in range(addresses)]
    _, taken, refused = _guess(names, 1_800, 0.5)
    assert 30 <= len(taken) <= most
    assert len(refused) > 3_000


@pytest.mark.parametrize("addresses", [1, 2, MOST_WAITING - 1])
def test_while_few_addresses_guess_the_owner_elsewhere_need_not_wait(addresses: int) -> None:
    throttle, _, _ = _guess([f"address {number}" for number in range(addresses)], 600, 0.1)
    after = NOW + timedelta(seconds=600)
    assert max(wait(throttle, f"address {number}", after) for number in range(addresses)) > NONE
    assert wait(throttle, "the owner's", after) == NONE
    mistaken = fail(throttle, "the owner's", after)
    assert NONE < wait(mistaken, "the owner's", after) <= MOST_DELAY, "a mistake costs a minute at most"


def test_while_many_addresses_guess_everybody_waits_a_minute_at_most() -> None:
    throttle, _, _ = _guess([f"address {number}" for number in range(50)], 600, 0.1)
    waits = wait(throttle, "the owner's", NOW + timedelta(seconds=600))
    assert NONE < waits <= MOST_DELAY


def test_an_attempt_that_was_refused_prolongs_nothing() -> None:
    throttle = Throttle()
    for _ in range(11):
        throttle = fail(throttle, "guesser", NOW)
    assert wait(throttle, "guesser", NOW) == MOST_DELAY
    assert wait(throttle, "guesser", NOW + 59 * SECOND) == SECOND
    assert wait(throttle, "guesser", NOW + MOST_DELAY) == NONE


def test_an_hour_without_a_failure_and_all_is_forgotten() -> None:
    throttle = Throttle()
    for _ in range(20):
        throttle = fail(throttle, "guesser", NOW)
    assert fail(throttle, "guesser", NOW + FORGOTTEN_AFTER - SECOND).failures == 21
    assert fail(throttle, "guesser", NOW + FORGOTTEN_AFTER) == Throttle(1, NOW + FORGOTTEN_AFTER, {})


def test_what_a_clock_far_ahead_has_written_costs_a_minute_at_most() -> None:
    throttle = Throttle(20, NOW, {"guesser": NOW + timedelta(days=365)})
    assert wait(throttle, "guesser", NOW) == MOST_DELAY


def test_its_document_stays_small() -> None:
    throttle, _, _ = _guess([f"address {number}" for number in range(1_000)], 3_600, 0.05)
    assert len(throttle.waiting) <= MOST_WAITING
