"""The clock of an instance with virtual time: one document, which stands still until somebody advances it.

Only lifecycles run on it: `shared.reading.fetch` brings it with whatever else is read. Tokens, and all else
that protects the instance, keep the real time.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.errors import AlreadyExists, Conflict, Unavailable
from shared.ports import Create, Data, Document, Order, Query, Ref, Store, Update
from shared.startup import HomeOfOtherClock
from shared.times import from_text, to_text

REF = Ref("clocks", "virtual")


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """What the clock shows, and who is moving it."""

    now: datetime
    started_at: datetime
    """Where it began: the real time of the data folder's first start."""
    turn: str | None = None
    """The advance that has the clock to itself, None when nobody has."""
    turn_ends_at: datetime | None = None
    """Until when, in real time: an advance whose process died keeps nobody waiting for longer."""


def clock_data(clock: VirtualClock) -> Data:
    """A clock as a document."""
    ends_at = clock.turn_ends_at
    return {
        "now": to_text(clock.now),
        "started_at": to_text(clock.started_at),
        "turn": clock.turn,
        "turn_ends_at": None if ends_at is None else to_text(ends_at),
    }


def clock(data: Mapping[str, Any]) -> VirtualClock:
    """The clock of a document."""
    ends_at = data["turn_ends_at"]
    return VirtualClock(
        now=from_text(data["now"]),
        started_at=from_text(data["started_at"]),
        turn=data["turn"],
        turn_ends_at=None if ends_at is None else from_text(ends_at),
    )


def time_of(document: Document | None) -> datetime:
    """What the clock shows. Raises Unavailable when somebody has emptied the data folder."""
    if document is None:
        raise Unavailable("database")
    return clock(document.data).now


def ensure(store: Store, now: datetime, home: str) -> None:
    """See that there is a clock: a new one begins at this moment.

    Raises HomeOfOtherClock where lifecycles have run on the real time.
    """
    if store.get(REF) is not None:
        return
    if store.find(Query("projects", (), Order("due_at"), 1)).documents:
        raise HomeOfOtherClock(home, is_virtual=False)
    with suppress(AlreadyExists):  # another process starts at the same moment
        store.commit(Create(REF, clock_data(VirtualClock(now, now))))


def end_turn(store: Store) -> None:
    """At a start: an advance that has the clock to itself is one whose process died."""
    document = store.get(REF)
    assert document is not None  # noqa: S101 - it has been ensured
    found = clock(document.data)
    if found.turn is not None:
        with suppress(Conflict):  # that process lives after all
            data = clock_data(replace(found, turn=None, turn_ends_at=None))
            store.commit(Update(REF, data, document.version))


def refuse(store: Store, home: str) -> None:
    """Raise HomeOfOtherClock where lifecycles have run on a virtual clock."""
    if store.get(REF) is not None:
        raise HomeOfOtherClock(home, is_virtual=True)
