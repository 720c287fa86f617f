"""A simulated installation: servers with clocks of their own over one store and one queue.

One thread, no real time: whatever waits moves the world's clock. All that is random comes from one seed.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch

from shared import changing, ids, log
from shared.callbacks import SecretCheck
from shared.clock import SystemClock
from shared.config import Settings
from shared.errors import AlreadyExists, Conflict
from shared.keys import Keys
from shared.ports import Document, Ref, Store, TaskQueue, Write
from shared.runtime import Runtime
from tests.simulation.chaos import Chaos
from tests.simulation.memory_store import MemoryStore

BIRTH = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECRET = "the-callback-secret-of-the-simulation-0123456789"
KEYS = Keys({"k1": b"s" * 32}, b"i" * 32)
DEADLINE = timedelta(seconds=25)
"""How long a request lives at most: a function's time-out."""


class Crash(BaseException):
    """The server of a request dies: nothing of it goes on, and nobody answers."""


@dataclass
class InFlight:
    """Writes that are on their way though nobody waits for them any more."""

    lands_at: datetime
    writes: Sequence[Write]


@dataclass
class Change:
    """A commit that was carried out: when, and what the documents were from then on."""

    at: datetime
    documents: dict[Ref, dict[str, Any] | None]


@dataclass
class Server:
    """A process that serves requests, one at a time."""

    name: str
    skew: timedelta
    runtime: Runtime
    busy_until: datetime | None = None
    """When the request that it serves is ended; None: it serves none."""


@dataclass
class World:
    """Everything there is in one simulated lifecycle."""

    seed: int
    random: Random
    chaos: Chaos
    inner: MemoryStore = field(default_factory=MemoryStore)
    now: datetime = BIRTH
    servers: list[Server] = field(default_factory=list)
    in_flight: list[InFlight] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    meanwhile: Callable[[bool], None] | None = None
    """What others do while a request waits for its store: now and then, or for certain."""
    misreported: int = 0
    """How many commits were carried out although they reported otherwise."""

    def note(self, text: str) -> None:
        """Say what happens, for whoever has to understand a violation."""
        self.trace.append(f"{(self.now - BIRTH).total_seconds():.6f} {text}")

    def pass_by(self, seconds: float) -> None:
        """Let time pass. What is on its way lands when it has come."""
        self.now += timedelta(microseconds=round(seconds * 1_000_000))
        for flight in [one for one in self.in_flight if one.lands_at <= self.now]:
            self.in_flight.remove(flight)
            try:
                self.carry_out(flight.writes)
                self.note("a late commit landed")
            except (Conflict, AlreadyExists):
                self.note("a late commit met another version")

    def carry_out(self, writes: Sequence[Write]) -> None:
        """Commit, and remember what was changed."""
        self.inner.commit(*writes)
        self.changes.append(Change(self.now, {one.ref: _left_by(one) for one in writes}))

    def documents(self, collection: str) -> list[Document]:
        """Every document of a collection, in an order that follows from the seed."""
        return [one for ref, one in self.inner.all().items() if ref.collection == collection]

    def digest(self) -> str:
        """A code of everything that happened."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]

    def time(self) -> float:
        """Seconds, as a server counts them while it waits."""
        return (self.now - BIRTH).total_seconds()


def _left_by(write: Write) -> dict[str, Any] | None:
    data = getattr(write, "data", None)
    return None if data is None else dict(data)


def new_runtime(world: World, settings: Settings, store: Store, queue: TaskQueue, skew: timedelta) -> Runtime:
    """What a server whose clock differs so much works with."""
    clock = SystemClock(partial(_read_clock, world, skew))
    return Runtime(settings, KEYS, store, queue, SecretCheck(settings.callback_secret), clock)


def _read_clock(world: World, skew: timedelta) -> datetime:
    return world.now + skew


@dataclass
class _Time:
    """In the place of the module `time` where the product waits."""

    world: World

    def monotonic(self) -> float:
        return self.world.time()

    def sleep(self, seconds: float) -> None:
        self.world.pass_by(seconds)


@dataclass
class _Secrets:
    """In the place of the module `secrets` where ids are made."""

    world: World

    def token_bytes(self, count: int) -> bytes:
        return self.world.random.randbytes(count)


@contextmanager
def inhabited(world: World) -> Iterator[World]:
    """The product's waiting, chance and ids are this world's meanwhile, and it logs nothing."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(changing, "time", _Time(world)))
        stack.enter_context(patch.object(changing, "random", world.random))
        stack.enter_context(patch.object(ids, "secrets", _Secrets(world)))
        stack.enter_context(patch.object(log, "_written", set[str]()))
        yield world
