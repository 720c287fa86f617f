"""Signals, asked for instead of interrupting: nothing of ours runs inside a handler."""

import os
import select
import signal

ENDING = tuple(
    number
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    # nohup has it ignored: what is started so is to outlive its terminal.
    if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
)
"""Those that ask a server to end: kill's, Ctrl-C's, and that of a terminal that is closed."""


class Signals:
    """From its making on these signals do nothing but wait here, in the order of their arrival."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self._arrived, write = os.pipe()
        os.set_blocking(write, False)
        for number in numbers:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(write)

    def next(self, seconds: float | None = None) -> int | None:
        """The next signal's number; None when none came within so many seconds."""
        readable, _, _ = select.select([self._arrived], [], [], seconds)
        return os.read(self._arrived, 1)[0] if readable else None
