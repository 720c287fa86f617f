"""The deployed platform on this machine from start to end, in the foreground."""

import signal
import sys
import time
from contextlib import closing

from local.google.firestore_emulator import firestore_emulator
from local.google.stack import Stack, Sweep, running, sweeping
from local.http_server import HOST, listen
from local.signals import ENDING, Signals
from local.welcome import welcome
from shared import config, log
from shared.startup import StartupError

START_SECONDS = 90.0
"""How long all the parts may take until they answer."""
LOOK_SECONDS = 1.0
"""How often it is seen whether everything is still at work."""


class NotStarted(StartupError):
    """Not every part has answered in time."""

    def __init__(self) -> None:
        super().__init__(f"Not every part has answered within {START_SECONDS:g} s.")


def main() -> int:
    """Serve until it is told to end. Returns the exit code."""
    signals = Signals(*ENDING, signal.SIGCHLD)
    try:
        _serve(signals)
    except StartupError as fault:
        sys.stderr.write(f"envctl: {fault}\n")
        return 1
    return 0


def _serve(signals: Signals) -> None:
    config.refuse_google()  # all of that is set here
    settings, port = config.load(), config.port()
    config.refuse_virtual_time(settings)
    level = settings.log_level if "log_level" in settings.model_fields_set else "WARNING"
    log.write_from(level)
    listener = listen(port)
    with (
        closing(listener),
        firestore_emulator() as emulator,
        running(listener, settings.home, emulator, ENVCTL_LOG_LEVEL=level) as stack,
    ):
        if not _has_started(stack, signals):
            return
        places = {
            "data folder": f"{settings.home} (keys only)",
            "Firestore": emulator.source,
            "Cloud Tasks": stack.peer_endpoint,
            **{f"  {name}": f"http://{HOST}:{at}" for name, at in stack.functions.ports.items()},
        }
        sys.stdout.write(welcome(f"http://{HOST}:{port}", places))
        sys.stdout.flush()
        with sweeping(stack, Sweep()):
            while not _is_to_end(signals.next(LOOK_SECONDS)):
                stack.refuse_ended()
                stack.functions.mend()


def _has_started(stack: Stack, signals: Signals) -> bool:
    """Wait until everything answers. False when it is to end before that."""
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        if stack.is_ready():
            return True
        if _is_to_end(signals.next(0.1)):
            return False
    raise NotStarted


def _is_to_end(number: int | None) -> bool:
    return number in ENDING
