"""Removes what means nothing any more, hourly: what a TTL policy does in the cloud."""

from collections.abc import Callable

from local.dispatcher import Pause
from shared import log
from shared.errors import Unavailable

FIRST_SECONDS = 60.0
"""From the start to the first turn: there is no hurry."""
INTERVAL_SECONDS = 3_600.0


def expire_regularly(
    remove_expired: Callable[[], int], pause: Pause, interval_seconds: float = INTERVAL_SECONDS
) -> None:
    """Remove soon, then regularly, until `pause` says to stop. What can't be removed is, at the next turn."""
    seconds = FIRST_SECONDS
    while not pause(seconds):
        seconds = interval_seconds
        try:
            removed = remove_expired()
        except Unavailable as fault:
            log.write("WARNING", "expired documents could not be removed", fault=str(fault))
        else:
            log.write("INFO", "expired documents removed", documents=removed)
