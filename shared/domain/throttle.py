"""The throttle on guessing one account's password: a delay that grows with every failure, 60 s at most.

It is per account and written on failure only. Whoever fails waits, by address: the owner elsewhere does
not. Only when many addresses fail at once must everybody wait, because then nobody knows who is who.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FREE_FAILURES = 4
"""So many mistakes cost nothing."""
MOST_DELAY = timedelta(seconds=60)
MOST_WAITING = 4
"""As soon as so many addresses wait, all others do too: what many addresses can try is bounded."""
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Throttle:
    """A throttle's document. What has no document has seen no failure."""

    failures: int = 0
    """Since the account last had an hour without one."""
    failed_at: datetime | None = None
    waiting: Mapping[str, datetime] = field(default_factory=dict)
    """Which addresses (their keys, see `shared.keys`) wait, and until when."""


def delay(failures: int) -> timedelta:
    """How long whoever made the latest of so many failures waits."""
    over = failures - FREE_FAILURES
    return timedelta(0) if over <= 0 else min(MOST_DELAY, timedelta(seconds=2 ** min(over - 1, 6)))


def wait(throttle: Throttle, address: str, now: datetime) -> timedelta:
    """How long this address must wait before it may try; zero when it may."""
    waiting = _waiting(throttle, now)
    if address in waiting:
        return waiting[address] - now
    return min(waiting.values()) - now if len(waiting) >= MOST_WAITING else timedelta(0)


def fail(throttle: Throttle, address: str, now: datetime) -> Throttle:
    """The throttle after a failure."""
    is_recent = throttle.failed_at is not None and now < throttle.failed_at + FORGOTTEN_AFTER
    failures = throttle.failures + 1 if is_recent else 1
    waiting = _waiting(throttle, now)
    if until := delay(failures):
        waiting[address] = now + until
    return Throttle(failures, now, waiting)


def _waiting(throttle: Throttle, now: datetime) -> dict[str, datetime]:
    # Not beyond the longest delay, whatever another machine's clock has written.
    return {
        address: min(until, now + MOST_DELAY) for address, until in throttle.waiting.items() if until > now
    }
