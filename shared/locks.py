"""What threads of a process share: locks by name, for as long as somebody holds or awaits them; places."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from shared.errors import EnvctlError


class _Lock:
    """A lock that can be referred to weakly."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class NamedLocks:
    """One lock per name within a process.

    It only spares writers of one environment their conflicts with each other: what is written is
    fenced by versions, with or without it.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, _Lock] = WeakValueDictionary()
        self._guard = threading.Lock()

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold the lock of this name."""
        with self._guard:
            lock = self._locks.setdefault(name, _Lock())
        with lock.lock:
            yield


class Places:
    """So many may be inside at once. Whoever finds no place free is turned away, at once."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def take(self, full: type[EnvctlError]) -> Iterator[None]:
        """Be inside. Raises an error of this class when there is no place."""
        if not self._free.acquire(blocking=False):
            raise full
        try:
            yield
        finally:
            self._free.release()
