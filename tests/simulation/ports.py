"""The store and the queue of a simulated server: real semantics, and everything that may go wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from shared.errors import AlreadyExists, Conflict, Unavailable
from shared.ports import Create, Delete, Document, Page, Query, Ref, Task, Write
from tests.simulation import chaos, sites
from tests.simulation.world import Crash, InFlight, Server, World

STORMS = (2, 5, 80)
"""How many conflicts follow the first: at most more than fit into the time in which they are retried."""


@dataclass
class _Port:
    """What every call of a port does around itself."""

    world: World
    server: Server | None = field(default=None, kw_only=True)
    """Whose way it is."""

    def _begin(self, port: str) -> str:
        """Time passes, others act, or the server dies; where the call comes from."""
        point = sites.here(port)
        self.world.pass_by(self.world.random.uniform(0.0005, 0.02))
        if self.world.chaos.strikes("stall"):
            self.world.pass_by(self._stall())
        if self.world.meanwhile is not None:
            self.world.meanwhile(False)
        self._die(point, "before")
        return point

    def _stall(self) -> float:
        """Usually seconds; now and then longer than a request lives."""
        is_long = "deadline" in self.world.chaos.kinds and self.world.random.random() < 0.1
        return 26 if is_long else self.world.random.uniform(0.1, 6)

    def _die(self, point: str, when: str) -> None:
        if self.world.chaos.is_fatal(point, when):
            self.world.note(f"  crash {when} {point}")
            raise Crash
        until = None if self.server is None else self.server.busy_until
        if until is not None and self.world.now > until and self.world.chaos.happens("deadline"):
            self.world.note("  ended by its deadline")
            raise Crash

    def _fail(self, kind: str, part: str) -> Unavailable:
        self.world.note(f"  {part}: {kind}")
        return Unavailable(part)


@dataclass(eq=False)
class FaultyStore(_Port):
    """A server's way to the store that all share."""

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        del within
        return self._read("store.get", [ref])[0]

    def get_many(self, refs: Sequence[Ref]) -> list[Document | None]:
        return self._read("store.get_many", refs)

    def _read(self, port: str, refs: Sequence[Ref]) -> list[Document | None]:
        point = self._begin(port)
        if refs:
            self._may_be_down()
        found = self.world.inner.get_many(refs)
        self._die(point, "after")
        return found

    def _may_be_down(self) -> None:
        if fault := self.world.chaos.pick(chaos.READ):
            raise self._fail(fault, "database")

    def find(self, query: Query) -> Page:
        point = self._begin("store.find")
        self._may_be_down()
        page = self.world.inner.find(query)
        self._die(point, "after")
        return page

    def count(self, query: Query) -> int:
        point = self._begin("store.count")
        self._may_be_down()
        number = self.world.inner.count(query)
        self._die(point, "after")
        return number

    def commit(self, *writes: Write) -> None:
        point = self._begin("store.commit")
        if self.world.chaos.storm > 0:
            self.world.chaos.storm -= 1
            raise Conflict("a storm")
        self._carry_out(self.world.chaos.pick(chaos.COMMIT), writes)
        self._die(point, "after")

    def _carry_out(self, fault: str | None, writes: Sequence[Write]) -> None:
        """As the adapters do: what nobody answered is looked for before anything is said."""
        match fault:
            case "conflict" | "storm":
                self.world.chaos.storm = self.world.random.choice(STORMS) if fault == "storm" else 0
                self.world.note(f"  database: {fault}")
                raise Conflict("too many at once")
            case "timeout":
                raise self._fail(fault, "database")
            case "late":
                self._send_off(writes)
                raise self._fail(fault, "database")
        self.world.carry_out(writes)
        match fault:
            case "unknown":
                raise self._fail(fault, "database")
            case "repeated":
                self._send_off(writes)
            case "overwritten":
                self._look_again(writes)
            case "misreported":
                self._misreport(writes)

    def _misreport(self, writes: Sequence[Write]) -> None:
        if isinstance(writes[0], Create):
            self.world.misreported += 1
            self.world.note("  database: misreported")
            raise AlreadyExists("what was just created")
        self.world.chaos.counts["misreported"] -= 1

    def _send_off(self, writes: Sequence[Write]) -> None:
        seconds = self.world.random.choice((0.01, 1, 5, 20)) * self.world.random.random()
        self.world.in_flight.append(InFlight(self.world.now + timedelta(seconds=seconds), writes))

    def _look_again(self, writes: Sequence[Write]) -> None:
        """Others act, then the documents are read: as they were to be, or somebody else's write is there."""
        if self.world.meanwhile is not None:
            self.world.pass_by(self.world.random.uniform(0, 3))
            self.world.meanwhile(True)
        found = self.world.inner.get_many([write.ref for write in writes])
        if all(map(_is_done, writes, found)):
            self.world.chaos.counts["overwritten"] -= 1
            return
        self.world.misreported += 1
        self.world.note("  database: overwritten")
        failed = next(write for write, one in zip(writes, found, strict=True) if not _holds(write, one))
        raise AlreadyExists("it") if isinstance(failed, Create) else Conflict("it")


def _holds(write: Write, document: Document | None) -> bool:
    if isinstance(write, Create):
        return document is None
    return document is not None and document.version == write.if_version


def _is_done(write: Write, document: Document | None) -> bool:
    if isinstance(write, Delete):
        return document is None
    return document is not None and document.data == write.data


@dataclass(eq=False)
class FaultyQueue(_Port):
    """A server's way to the queue that all share."""

    line: "Line"

    @property
    def horizon(self) -> timedelta | None:
        return self.line.horizon

    def enqueue(self, task: Task) -> None:
        point = self._begin("queue.enqueue")
        if self.line.down_until is not None and self.world.now < self.line.down_until:
            self.world.chaos.happens("queue down")
            raise self._fail("queue down", "queue")
        if self.horizon is not None and task.at > self.world.now + self.horizon + timedelta(minutes=1):
            raise self._fail("beyond the horizon", "queue")
        self._accept(self.world.chaos.pick(chaos.ENQUEUE), task)
        self._die(point, "after")

    def _accept(self, fault: str | None, task: Task) -> None:
        at, random = max(task.at, self.world.now), self.world.random
        if fault is not None:
            self.world.note(f"  queue: {fault}")
        match fault:
            case "queue down":
                raise Unavailable("queue")
            case "lost":
                return
            case "early":
                at = self.world.now + (at - self.world.now) * random.random()
            case "reordered":
                at += timedelta(seconds=random.choice((1, 10, 300)) * random.random())
            case "31 days late":
                at += timedelta(days=31)
            case "doubled":
                self.line.put(task, at + timedelta(seconds=random.choice((0, 3)) * random.random()))
        self.line.put(task, at)
        if fault == "queue unknown":
            raise Unavailable("queue")


@dataclass
class Waiting:
    """A task in the queue."""

    at: datetime
    number: int
    task: Task
    attempts: int = 0


@dataclass
class Line:
    """The queue that all servers share."""

    horizon: timedelta | None = None
    down_until: datetime | None = None
    waiting: list[Waiting] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def put(self, task: Task, at: datetime, attempts: int = 0) -> None:
        """Deliver a task at a moment."""
        self.waiting.append(Waiting(at, next(self._numbers), task, attempts))

    def next_at(self) -> datetime | None:
        """When the next delivery is due."""
        return min((one.at for one in self.waiting), default=None)

    def take(self, now: datetime) -> Waiting | None:
        """The task that has been due the longest."""
        due = [one for one in self.waiting if one.at <= now]
        if not due:
            return None
        first = min(due, key=lambda one: (one.at, one.number))
        self.waiting.remove(first)
        return first
