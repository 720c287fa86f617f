"""Loading modules without looking through them for garbage again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """For loading what stays, as Python's documentation of `gc.freeze` has it.

    Looking through it for garbage costs up to a fifth of the time that loading takes, then its part of
    every full collection, and before a server forks, writes to pages that workers share. Threads that
    load at the same time are none the worse for it: the first to be done turns the collector on again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
