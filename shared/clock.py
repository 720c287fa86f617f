"""The time, asked for once per attempt at the edge and handed down from there."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


class SystemClock:
    """The machine's clock in UTC, strictly rising within a process, also when it is set back a little."""

    def __init__(self, read: Clock = lambda: datetime.now(UTC)) -> None:
        self._read = read
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Now; never a moment that was given before."""
        with self._lock:
            self._last = max(self._read(), self._last + timedelta(microseconds=1))
            return self._last


def effective_now(clock_time: datetime, *as_ofs: datetime) -> datetime:
    """The later of the clock and of the moments up to which the documents read have been carried out.

    Machines' clocks differ a little: nothing that one of them committed is ever undone by a reader
    or a writer whose clock is behind.
    """
    return max((clock_time, *as_ofs))
