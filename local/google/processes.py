"""Programs, started so that nothing of them is left behind.

this process ── pipe ──> guard ┐ one group: a signal to it reaches the program's own children too
                       program ┘ the pipe breaks when this process ends, killed or not: the guard ends all
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

STOP_SECONDS = 5

_GUARDED = (
    "exec 3<&0 </dev/null; "
    f"(trap '' TERM; read -r _ <&3; kill -TERM 0; sleep {STOP_SECONDS}; kill -KILL 0) & "
    'exec "$@" 3<&-'
)
"""For sh: the guard in the background, then the program in sh's own place."""


def guarded(command: Sequence[str]) -> list[str]:
    """The command that runs another one beside its guard.

    To be started in a session of its own, with a pipe as its standard input.
    """
    return ["/bin/sh", "-c", _GUARDED, "sh", *command]


@contextmanager
def started(command: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A program whose output is thrown away. It ends with the block, with all that it started."""
    with subprocess.Popen(  # noqa: S603 - what is run is the callers' business
        guarded(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    # The guard outlives the program, so the group's number is nobody else's until the last signal.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
