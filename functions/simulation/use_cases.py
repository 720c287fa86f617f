"""What the simulation function does."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from functions.simulation.events import Event, settle_next
from functions.simulation.schemas import NewAdvance
from functions.simulation.turns import read, turn
from shared.access import Caller, permit_beyond_projects
from shared.errors import ClockIsReal, Fault, InvalidInput
from shared.reading import prove
from shared.runtime import Runtime
from shared.times import to_text
from shared.virtual_clock import VirtualClock

MOST = timedelta(days=366)
"""How far one request advances."""
MOST_SETTLEMENTS = 1_000
"""How many documents one request settles; the next one goes on."""
MOST_SECONDS = 10.0
"""How long one request goes on settling, in real time."""
LAST = datetime(9000, 1, 1, tzinfo=UTC)
"""Beyond, there would be no room for plans among the times that there are."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """What an advance did."""

    began_at: datetime
    target: datetime
    now: datetime
    complete: bool
    """Whether the clock has arrived at the target, everything settled."""
    events: list[Event]
    """In order, those that the caller may see."""


def read_clock(runtime: Runtime) -> VirtualClock:
    """The virtual clock. Raises ClockIsReal where there is none."""
    _refuse_real(runtime)
    return read(runtime.store)[1]


def _refuse_real(runtime: Runtime) -> None:
    """Raise ClockIsReal unless the clock is virtual."""
    if not runtime.settings.is_time_virtual:
        raise ClockIsReal


def advance_clock(runtime: Runtime, caller: Caller, wanted: NewAdvance) -> Advanced:
    """Move the clock from one due moment to the next, everything settled at its own.

        now ──> due ── settle ──> due ── settle ──> … ──> target

    The clock is moved first, so that what is settled is settled as of its own moment. A process that
    dies in between leaves something unsettled at the moment that the clock shows, where readers see it
    as it is and the next advance begins; never at an earlier one.

    Raises ClockIsReal, ClockAdvancing, InvalidInput for a target that can't be, or Forbidden for an API
    token of a single project.
    """
    _refuse_real(runtime)
    prove(runtime, caller)
    permit_beyond_projects(caller)
    document, before = read(runtime.store)
    target = _target(wanted, before.now)
    with turn(runtime, document) as mine:
        give_up_at = time.monotonic() + MOST_SECONDS
        events: list[Event] = []
        complete = False
        for _ in range(MOST_SETTLEMENTS):
            happened = settle_next(runtime, caller, mine, target)
            if happened is None:
                mine.move(target)
                complete = True
                break
            events += happened
            if time.monotonic() > give_up_at:
                break
    return Advanced(before.now, target, mine.now, complete, events)


def _target(wanted: NewAdvance, now: datetime) -> datetime:
    """Where to advance to. Raises InvalidInput."""
    if wanted.by is not None and wanted.to is not None:
        raise InvalidInput([Fault("/to", "must be left out where by is given")])
    if wanted.to is not None:
        where, by = "/to", wanted.to - now
    elif wanted.by is not None:
        where, by = "/by", wanted.by
    else:
        raise InvalidInput([Fault("/by", "is required, or to")])
    if by < timedelta(0):
        raise InvalidInput([Fault(where, f"is past: the clock shows {to_text(now)}, and never goes back")])
    if by > MOST:
        raise InvalidInput([Fault(where, f"must be at most {MOST.days} days ahead")])
    if now + by > LAST:
        raise InvalidInput([Fault(where, f"must not be beyond {to_text(LAST)}")])
    return now + by
