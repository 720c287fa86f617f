"""Turns at the virtual clock: one advance has it to itself.

The document names whose turn it is, and every move is fenced by its version. Who comes meanwhile is
refused; whose turn is over without its noticing (its process stood still) finds that out at its next move.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from shared import ids
from shared.errors import ClockAdvancing, Conflict, Unavailable
from shared.ports import Document, Store, Update
from shared.runtime import Runtime
from shared.virtual_clock import REF, VirtualClock, clock, clock_data

TURN = timedelta(seconds=30)
"""How long a turn lasts at most, in real time: longer than any request."""


def read(store: Store) -> tuple[Document, VirtualClock]:
    """The clock with its document."""
    document = store.get(REF)
    if document is None:  # somebody has emptied the data folder
        raise Unavailable("database")
    return document, clock(document.data)


class Turn:
    """A turn, and where the clock stands in it."""

    def __init__(self, store: Store, name: str, now: datetime) -> None:
        self._store = store
        self.name = name
        self.now = now

    def move(self, to: datetime) -> None:
        """Move the clock, unless it is there or beyond. Raises ClockAdvancing when the turn is over."""
        if to > self.now:
            self._change(lambda found: replace(found, now=to))
            self.now = to

    def end(self) -> None:
        """Leave the clock to others."""
        self._change(lambda found: replace(found, turn=None, turn_ends_at=None))

    def _change(self, decide: Callable[[VirtualClock], VirtualClock]) -> None:
        document, found = read(self._store)
        if found.turn != self.name:
            raise ClockAdvancing
        _commit(self._store, document, decide(found))


@contextmanager
def turn(runtime: Runtime, document: Document) -> Iterator[Turn]:
    """A turn at the clock as it was read. Raises ClockAdvancing when it is somebody else's turn by now."""
    found, now = clock(document.data), runtime.clock()
    if found.turn_ends_at is not None and now < found.turn_ends_at:
        raise ClockAdvancing
    mine = Turn(runtime.store, ids.new_part(), found.now)
    _commit(runtime.store, document, replace(found, turn=mine.name, turn_ends_at=now + TURN))
    try:
        yield mine
    finally:
        with suppress(ClockAdvancing, Unavailable):  # what has been done is done; the turn ends by itself
            mine.end()


def _commit(store: Store, document: Document, changed: VirtualClock) -> None:
    try:
        store.commit(Update(REF, clock_data(changed), document.version))
    except Conflict as lost:
        raise ClockAdvancing from lost
