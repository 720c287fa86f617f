"""An object once something has come about: `wait_for` and `timeout`."""

from datetime import datetime
from typing import Protocol, TypeVar

from shared.domain.environment import DELETED
from shared.domain.timeline import Machine, Timeline, next_at, step_at
from shared.held import MOST_SECONDS
from shared.http.routes import Call
from shared.http.types import Wait


class Seen(Protocol):
    """An object with a lifecycle at a moment."""

    @property
    def timeline(self) -> Timeline:
        """Its steps."""

    @property
    def now(self) -> datetime:
        """The moment."""


S_co = TypeVar("S_co", bound=Seen, covariant=True)


class Read(Protocol[S_co]):
    """Reads the object as the caller sees it at this moment. Raises NotFound."""

    def __call__(self, *, show_deleted: bool) -> S_co:
        """A deleted one only if asked for."""


def wait(call: Call, query: Wait, machine: Machine, read: Read[S_co]) -> S_co:
    """The object as it is when what is waited for has come about, or can't any more, or the time is up.

    Once it has been seen it is answered, also if it is deleted meanwhile. Who waits for it to be deleted
    sees it deleted, also if it has been for long.
    """
    target = query.wait_for
    seen = read(show_deleted=query.show_deleted or target == DELETED)
    if target is None:
        return seen
    seconds = MOST_SECONDS if query.timeout is None else query.timeout
    with call.runtime.held.hold(seconds, call.is_ending) as held:
        while machine.is_ahead(target, step_at(seen.timeline, seen.now).status):
            if not held.sleep(seen.now, next_at(seen.timeline, seen.now)):
                break
            seen = read(show_deleted=True)
    return seen
