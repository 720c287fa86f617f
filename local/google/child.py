"""A program of ours in a process of its own, which can be ended and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from local.google.processes import guarded

_ROOT = Path(__file__).parents[2]


class Child:
    """A module's program, with whatever processes it starts itself: one group, that ends as one."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.started_at = 0.0
        """By the clock of `time.monotonic`."""
        self._command = guarded([sys.executable, "-m", *command])
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self._started.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._started.poll()

    def start(self) -> None:
        """Start it; what is left of an earlier time is killed."""
        if self._process is not None:
            self.kill()
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            self._command,
            cwd=_ROOT,
            env=dict(self._environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def terminate(self) -> None:
        """Ask it to end."""
        self._started.terminate()

    def kill(self) -> None:
        """End the whole group at once, and what there is of it after its first process has ended."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._started.wait()
        assert self._started.stdin  # noqa: S101 - a pipe was asked for
        self._started.stdin.close()

    def wait(self, seconds: float) -> None:
        """Wait for its end, so long at most."""
        with suppress(subprocess.TimeoutExpired):
            self._started.wait(max(0.0, seconds))

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        assert self._process is not None  # noqa: S101 - nobody asks before the start
        return self._process


def end(children: Iterable[Child], seconds: float) -> None:
    """End them together; who takes longer than so many seconds is killed."""
    ending = list(children)
    for child in ending:
        child.terminate()
    give_up_at = time.monotonic() + seconds
    for child in ending:
        child.wait(give_up_at - time.monotonic())
        child.kill()
