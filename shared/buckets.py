"""How often something may happen, per key and process: approximate, and free of any store.

Instances come and go, and each counts for itself: what is counted here is coarse by design.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta

MOST_KEYS = 10_000
"""How many keys are remembered; the ones not seen for the longest are forgotten."""
_MINUTE = timedelta(minutes=1)


class Buckets:
    """A bucket per key that holds a minute's worth, and leaks as it fills: GCRA, a moment per key."""

    def __init__(self) -> None:
        self._empty_at: OrderedDict[Hashable, datetime] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: Hashable, per_minute: int, now: datetime) -> timedelta:
        """How long until the key's bucket has room for one more; zero when it has."""
        with self._lock:
            fill = self._empty_at.get(key, now) - now + _MINUTE / per_minute
        return max(timedelta(0), fill - _MINUTE)

    def left(self, key: Hashable, per_minute: int, now: datetime) -> tuple[int, timedelta]:
        """How many more the key's bucket has room for, and how long until it is empty."""
        with self._lock:
            full = max(timedelta(0), self._empty_at.get(key, now) - now)
        return max(0, int((_MINUTE - full) / (_MINUTE / per_minute))), full

    def add(self, key: Hashable, per_minute: int, now: datetime) -> None:
        """One more has happened."""
        with self._lock:
            self._empty_at[key] = max(self._empty_at.get(key, now), now) + _MINUTE / per_minute
            self._empty_at.move_to_end(key)
            if len(self._empty_at) > MOST_KEYS:
                self._empty_at.popitem(last=False)
