"""The timer by which the database's log is worked in before a request has to wait for that."""

from collections.abc import Callable

from local.dispatcher import Pause
from shared import log
from shared.errors import Unavailable

INTERVAL_SECONDS = 0.1
"""A look costs microseconds. A machine that does nothing but write adds a thousand pages meanwhile."""


def checkpoint_regularly(look: Callable[[], object], pause: Pause) -> None:
    """Look again and again, until `pause` says to stop. What can't be done is done at a later look."""
    while not pause(INTERVAL_SECONDS):
        try:
            look()
        except Unavailable as fault:
            log.write("WARNING", "the database's log could not be worked in", fault=str(fault))
