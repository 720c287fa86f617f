"""How often something may happen, per key and process: approximate, and free of any store.

Instances come and go, and each counts for itself: what is counted here is coarse by design.
"""

import threading
from collections import OrderedDict, defaultdict
from datetime import datetime, timedelta

MOST_KEYS = 10_000
"""How many keys of a kind are remembered; the ones not seen for the longest are forgotten."""
_MINUTE = timedelta(minutes=1)

Key = tuple[str, str | None]
"""The kind of what happens, and whose it is. Whoever comes with ever new keys pushes out others of that kind:
not, with forged tokens, the count of wrong passwords."""


class Buckets:
    """A bucket per key that holds a minute's worth, and leaks as it fills: GCRA, a moment per key."""

    def __init__(self) -> None:
        self._empty_at: defaultdict[str, OrderedDict[Key, datetime]] = defaultdict(OrderedDict)
        self._lock = threading.Lock()

    def wait(self, key: Key, per_minute: int, now: datetime) -> timedelta:
        """How long until the key's bucket has room for one more; zero when it has."""
        with self._lock:
            fill = self._empty_at[key[0]].get(key, now) - now + _MINUTE / per_minute
        return max(timedelta(0), fill - _MINUTE)

    def left(self, key: Key, per_minute: int, now: datetime) -> tuple[int, timedelta]:
        """How many more the key's bucket has room for, and how long until it is empty."""
        with self._lock:
            full = max(timedelta(0), self._empty_at[key[0]].get(key, now) - now)
        return max(0, int((_MINUTE - full) / (_MINUTE / per_minute))), full

    def add(self, key: Key, per_minute: int, now: datetime) -> None:
        """One more has happened."""
        with self._lock:
            same_kind = self._empty_at[key[0]]
            same_kind[key] = max(same_kind.get(key, now), now) + _MINUTE / per_minute
            same_kind.move_to_end(key)
            if len(same_kind) > MOST_KEYS:
                same_kind.popitem(last=False)
