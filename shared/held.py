"""Requests that are held until there is something new: so many at most, and not for long.

A held request keeps one of its process's threads and nothing else: no lock, nothing of the store's.

    look ── nothing new ──> sleep until something is planned, a second at most ──> look again
                └── time is up, no place is free, client or server is ending: answer as it is
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

MOST_SECONDS = 20.0
"""How long a request is held at most."""
LOOK_SECONDS = 1.0
"""How long somebody else's change may go unseen."""
LEAST_SECONDS = 0.05
"""The shortest sleep: clocks that differ a little are no reason to look without a pause."""


class HeldRequests:
    """The places of a process. `sleep` and `timer` are seconds of real time, whatever the clock shows.

    Without places, as where nothing happens by itself, everything is answered at once.
    """

    def __init__(
        self,
        most: int = 0,
        sleep: Callable[[float], object] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = threading.Semaphore(most)
        self._sleep = sleep
        self._timer = timer

    @contextmanager
    def hold(self, seconds: float, is_ending: Callable[[], bool]) -> Iterator["Hold"]:
        """Hold a request for as long as the block lasts. `is_ending`: it is to be over early."""
        held = Hold(self._free, self._sleep, self._timer, min(seconds, MOST_SECONDS), is_ending)
        try:
            yield held
        finally:
            held.end()


class Hold:
    """One request. It takes a place when it sleeps first: what can be answered at once needs none."""

    def __init__(
        self,
        free: threading.Semaphore,
        sleep: Callable[[float], object],
        timer: Callable[[], float],
        most: float,
        is_ending: Callable[[], bool],
    ) -> None:
        self._free = free
        self._sleep = sleep
        self._timer = timer
        self._began = timer()
        self._most = most
        self._is_ending = is_ending
        self._has_place = False

    @property
    def seconds(self) -> float:
        """How long it has been held."""
        return self._timer() - self._began

    def sleep(self, now: datetime, due_at: datetime | None) -> bool:
        """Sleep until it is worth looking again: by the plan something happens at `due_at`.

        False, at once, when the request is to be answered as it is.
        """
        left = self._most - self.seconds
        if left <= 0 or self._is_ending() or not self._take_place():
            return False
        planned = LOOK_SECONDS if due_at is None else (due_at - now).total_seconds()
        self._sleep(min(left, LOOK_SECONDS, max(planned, LEAST_SECONDS)))
        return True

    def _take_place(self) -> bool:
        self._has_place = self._has_place or self._free.acquire(blocking=False)
        return self._has_place

    def end(self) -> None:
        """Give the place back."""
        if self._has_place:
            self._has_place = False
            self._free.release()
