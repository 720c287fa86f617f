"""Threads of which one runs at a time, in an order that a seed decides: they hand a baton on at each call."""

import threading
from collections.abc import Callable
from random import Random


class Runner:
    """Something that runs until it pauses, and goes on when it is told to."""

    def __init__(self, act: Callable[["Runner"], None]) -> None:
        self._go_on = threading.Semaphore(0)
        self._paused = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(act,), daemon=True)
        self.is_done = False
        self._thread.start()

    def _run(self, act: Callable[["Runner"], None]) -> None:
        self._go_on.acquire()
        try:
            act(self)
        finally:
            self.is_done = True
            self._paused.release()

    def pause(self) -> None:
        """Let somebody else run. Called by what runs."""
        self._paused.release()
        self._go_on.acquire()

    def step(self) -> None:
        """Run until the next pause, or the end."""
        self._go_on.release()
        self._paused.acquire()
        if self.is_done:
            self._thread.join()


def run_in_turns(random: Random, acts: list[Callable[[Runner], None]], between: Callable[[], None]) -> None:
    """Run them all to their ends, in random turns; `between` is called before each."""
    runners = [Runner(act) for act in acts]
    while waiting := [one for one in runners if not one.is_done]:
        between()
        random.choice(waiting).step()
