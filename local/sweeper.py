"""The sweep's timer: what Cloud Scheduler is in the cloud."""

from collections.abc import Mapping
from typing import Any

from local.callbacks import NoAnswer, Send
from local.dispatcher import Pause
from shared import log
from shared.waking import SWEEP_PATH

FIRST_SECONDS = 0.5
"""From the start to the first sweep: time for the tasks that are there to be done, not made again."""
INTERVAL_SECONDS = 30.0

_EVERYTHING: Mapping[str, Any] = {"overdue_seconds": 0, "at_start": True}
"""The first sweep's: nobody else is at work on what fell due while the machine was down."""


def sweep_regularly(
    send: Send,
    pause: Pause,
    interval_seconds: float = INTERVAL_SECONDS,
    later: Mapping[str, Any] | None = None,
) -> None:
    """Sweep soon, then regularly, until `pause` says to stop. One that fails is repeated at its turn.

    `later` is what the sweeps after the first one are asked for: nothing, and they take the rule's 60 s.
    """
    payload, seconds = _EVERYTHING, FIRST_SECONDS
    while not pause(seconds):
        seconds = interval_seconds
        if _sweep(send, payload, pause):
            payload = later or {}


def _sweep(send: Send, payload: Mapping[str, Any], pause: Pause) -> bool:
    try:
        status = send(SWEEP_PATH, payload, {})
    except NoAnswer as fault:
        if not pause(0):  # at the end the call under way is cut off: nothing is wrong
            log.write("WARNING", "sweep failed", reason=str(fault))
        return False
    if status != 200:
        reason = "the database or the queue did not answer" if status == 503 else None
        log.write("WARNING", "sweep failed", status=status, reason=reason)
    return status == 200
