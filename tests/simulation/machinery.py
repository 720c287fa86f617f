"""The platform of a world at work: servers that answer, a queue that delivers, the sweep, and time."""

import traceback
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.times import from_text
from tests.simulation.chaos import DELIVERY
from tests.simulation.client import Driver, Reply
from tests.simulation.plan import Plan
from tests.simulation.ports import Waiting
from tests.simulation.world import DEADLINE, Crash, Server

SWEEP_EVERY = timedelta(seconds=300)
OVERDUE = timedelta(seconds=60)
SECOND = timedelta(seconds=1)
LATENCY = 0.2
"""How long the queue takes to deliver what is due, in seconds, at most."""
MOST_ATTEMPTS = 8
"""How often the queue delivers a task that nobody acknowledges."""
MOST_EVENTS = 4_000


class Endless(Exception):
    """Events beget events."""


@dataclass
class Platform:
    """What moves a world on."""

    plan: Plan
    driver: Driver
    violations: list[str] = field(default_factory=list)
    swept_at: datetime | None = None
    events: int = 0
    served: int = 0
    """How many requests were sent to a server, tasks included."""

    def __post_init__(self) -> None:
        self.world, self.line, self.random = self.plan.world, self.plan.line, self.plan.world.random

    def serve(
        self,
        method: str,
        target: str,
        body: Any = None,  # noqa: ANN401 - any JSON value
        key: str | None = None,
    ) -> Reply | None:
        """What one of the free servers answers; None when it dies before it does, or none is free."""
        free = [server for server in self.world.servers if server.busy_until is None]
        if not free:
            return None
        server = self.random.choice(free)
        server.busy_until = self.world.now + DEADLINE
        self.served += 1
        self.world.note(f"{server.name} {method} {target} {body} {key}")
        try:
            reply = self._answer(server, method, target, body, key)
        finally:
            server.busy_until = None
        self.world.note(f"{server.name} = {'nothing' if reply is None else (reply.status, reply.code)}")
        return reply

    def _answer(self, server: Server, method: str, target: str, *more: Any) -> Reply | None:  # noqa: ANN401
        try:
            reply = self.driver(server.runtime, method, target, *more)
        except Crash:
            return None
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is a violation
            self.violations.append(f"{method} {target}: {''.join(traceback.format_exception(fault))}")
            return Reply(500)
        if reply.status == 500 or (self.plan.is_calm and reply.code == "unavailable"):
            self.violations.append(f"{method} {target}: {reply}")
        return reply

    # Time ---------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let time pass, and do what falls due meanwhile."""
        until = self.world.now + timedelta(seconds=seconds)
        while (at := self._next_at()) is not None and at <= until:
            self._happen(at)
        self.world.pass_by(max(0.0, (until - self.world.now).total_seconds()))

    def wait_for_rest(self) -> None:
        """Let time pass until nothing is due any more, and no task is left."""
        while (at := self._next_at()) is not None:
            self._happen(at)

    def _next_at(self) -> datetime | None:
        moments = [at for at in (self.line.next_at(), self._sweep_at()) if at is not None]
        return min(moments, default=None)

    def _happen(self, at: datetime) -> None:
        self.events += 1
        if self.events > MOST_EVENTS:
            raise Endless
        self.world.pass_by(max(0.0, (at - self.world.now).total_seconds()))
        if not self.deliver():
            self.sweep()

    def _sweep_at(self) -> datetime | None:
        """When the sweep, which runs all the time, finds something next."""
        earliest = None if self.swept_at is None else self.swept_at + SWEEP_EVERY
        moments = []
        for due_at in self._due():
            moments.append(due_at + OVERDUE + 6 * SECOND)
            if self.line.horizon is not None:
                comes_into_range = due_at - self.line.horizon + 6 * SECOND
                if self.swept_at is None or comes_into_range > self.swept_at:
                    moments.append(comes_into_range)
        first = min(moments, default=None)
        return first if first is None or earliest is None else max(first, earliest)

    def _due(self) -> list[datetime]:
        stored = [*self.world.documents("environments"), *self.world.documents("projects")]
        return [from_text(due) for one in stored if (due := one.data["due_at"]) is not None]

    # What the platform does by itself -------------------------------------------------------------

    def sweep(self) -> None:
        """Call the sweep. In a calm world it finds nothing to repair."""
        self.swept_at = self.world.now
        reply = self.serve("POST", "/api/v1/tasks/sweep", {"overdue_seconds": OVERDUE.total_seconds()})
        if self.plan.is_calm and reply is not None and reply.is_done and reply.body["woken"]:
            self.violations.append(f"the sweep had to repair something in a calm world: {reply.body}")

    def deliver(self) -> bool:
        """Deliver the task that has been due the longest; False if none is."""
        waiting = self.line.take(self.world.now)
        if waiting is None:
            return False
        self.world.pass_by(self.random.uniform(0.01, LATENCY))
        reply = self.serve("POST", waiting.task.path, dict(waiting.task.payload))
        if reply is not None and reply.is_done:
            if self.world.chaos.pick(DELIVERY):
                self.line.put(waiting.task, self.world.now + 10 * SECOND)
        else:
            self._retry(waiting, reply)
        return True

    def _retry(self, waiting: Waiting, reply: Reply | None) -> None:
        if reply is not None and reply.status != 503:
            self.violations.append(f"a task was answered {reply}: {waiting.task}")
        elif waiting.attempts + 1 < MOST_ATTEMPTS:
            at = self.world.now + SECOND * 2**waiting.attempts
            self.line.put(waiting.task, at, waiting.attempts + 1)

    def recover(self) -> None:
        """From now on nothing goes wrong. What is on its way lands, and the sweep has its time."""
        self.world.note("the faults stop")
        self.world.chaos.is_on = False
        self.world.chaos.storm = 0
        self.world.meanwhile = None
        self.line.down_until = None
        self.world.pass_by(25)
        self.wait(3 * SWEEP_EVERY.total_seconds())
