"""Clients that work on one environment at once, each on a server of its own, and what each was answered.

Their requests take turns at every call of the store. Clocks differ; tasks are delivered by one of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from typing import Any

from shared import documents
from shared.ports import Document, Page, Query, Ref, Task, Write
from shared.runtime import Runtime
from tests.simulation.baton import Runner, run_in_turns
from tests.simulation.chaos import Chaos
from tests.simulation.client import Reply, direct
from tests.simulation.plan import SETTINGS
from tests.simulation.world import World, inhabited, new_runtime

V1 = "/api/v1"
CLIENTS = 8
MOST_OPERATIONS = 8
SKEWS = (0, 0, 0, 0.4, -0.4, 2, -2)
WEIGHTS = {"deploy": 6, "cancel": 4, "edit": 2, "read": 4, "read deployment": 3, "settle": 3, "delete": 0.4}


@dataclass
class Operation:
    """Something that a client asked for, when, and what it was answered."""

    name: str
    target: str
    body: Any
    began: int
    ended: int = 0
    touched: int = 0
    """When it called the store last: where it probably took effect."""
    clock: datetime | None = None
    """What its server's clock showed when it looked last."""
    reply: Reply | None = None
    fault: Exception | None = None
    """What it raised, if the product is broken."""


@dataclass
class History:
    """What happened on one environment."""

    world: World
    environment_id: str = ""
    start: dict[str, Any] = field(default_factory=dict)
    """The environment's document before it all."""
    operations: list[Operation] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    """Deployments that somebody has been told of."""
    tasks: list[Task] = field(default_factory=list)
    ticks: "count[int]" = field(default_factory=partial(count, 1))


@dataclass(eq=False)
class Client:
    """One of the clients, and its server's way to the store."""

    history: History
    random: Random
    skew: timedelta
    runner: Runner | None = None
    now: Operation | None = None

    def clock(self) -> datetime:
        moment = self.history.world.now + self.skew
        if self.now is not None:
            self.now.clock = moment
        return moment

    def _step(self) -> None:
        if self.runner is not None:
            self.runner.pause()
        if self.now is not None:
            self.now.touched = next(self.history.ticks)

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        self._step()
        return self.history.world.inner.get(ref, within)

    def get_many(self, refs: Sequence[Ref]) -> list[Document | None]:
        if refs:
            self._step()
        return self.history.world.inner.get_many(refs)

    def find(self, query: Query) -> Page:
        self._step()
        return self.history.world.inner.find(query)

    def count(self, query: Query) -> int:
        self._step()
        return self.history.world.inner.count(query)

    def commit(self, *writes: Write) -> None:
        self._step()
        self.history.world.inner.commit(*writes)

    horizon = None

    def enqueue(self, task: Task) -> None:
        self.history.tasks.append(task)

    def run(self, runtime: Runtime, names: list[str], runner: Runner) -> None:
        """Ask for one thing after the other."""
        self.runner = runner
        for name in names:
            operation = self._wish(name)
            if operation is not None:
                self.history.operations.append(operation)
                self._send(runtime, operation)
            runner.pause()

    def _wish(self, name: str) -> Operation | None:
        target, body = self.history.environment_id, None
        if name in {"cancel", "read deployment"}:
            if not self.history.known:
                return None
            target = self.random.choice(self.history.known[-4:])
        if name == "settle":
            if not self.history.tasks:
                return None
            body = dict(self.random.choice(self.history.tasks[-3:]).payload)
        number = len(self.history.operations)
        if name == "deploy":
            body = {"version": f"v{number}", "on_conflict": self.random.choice(("queue", "latest", "reject"))}
        if name == "edit":
            body = {"name": f"n{number}"}
        return Operation(name, target, body, next(self.history.ticks))

    def _send(self, runtime: Runtime, operation: Operation) -> None:
        self.now = operation
        method, path = _request(operation)
        try:
            operation.reply = direct(runtime, method, path, operation.body)
        except Exception as fault:  # noqa: BLE001 - a broken product raises anything
            operation.fault = fault
        self.now = None
        operation.ended = next(self.history.ticks)
        if operation.name == "deploy" and operation.reply is not None and operation.reply.is_done:
            self.history.known.append(operation.reply.body["id"])


def _request(operation: Operation) -> tuple[str, str]:
    match operation.name:
        case "deploy":
            return "POST", f"{V1}/deployments/environments/{operation.target}"
        case "cancel":
            return "POST", f"{V1}/deployments/{operation.target}/cancel"
        case "read deployment":
            return "GET", f"{V1}/deployments/{operation.target}"
        case "settle":
            return "POST", f"{V1}/tasks/settle"
        case name:
            method = {"read": "GET", "edit": "PATCH", "delete": "DELETE"}[name]
            return method, f"{V1}/environments/{operation.target}"


def make_history(seed: int) -> History:
    """The history of a seed: one of 8 clients with up to 8 operations each."""
    random = Random(seed)
    world = World(seed, random, Chaos(random, 0))
    history = History(world)
    with inhabited(world):
        _open(history)
        acts = [_client(history) for _ in range(CLIENTS)]
        run_in_turns(random, acts, between=lambda: world.pass_by(random.choice((0, 0.002, 0.02, 0.1))))
    return history


def _open(history: History) -> None:
    """An environment that runs."""
    first = Client(history, history.world.random, timedelta(0))
    runtime = _runtime(history, first)
    project = direct(runtime, "POST", f"{V1}/projects", {"name": "p"}).body["id"]
    body = {"name": "e", "type": "persistent"}
    history.environment_id = direct(runtime, "POST", f"{V1}/environments/projects/{project}", body).body["id"]
    history.world.pass_by(3)
    direct(runtime, "POST", f"{V1}/tasks/settle", dict(history.tasks.pop().payload))
    found = history.world.inner.get(documents.environment_ref(history.environment_id))
    assert found is not None
    history.start = dict(found.data)


def _client(history: History) -> Callable[[Runner], None]:
    random = history.world.random
    client = Client(history, random, timedelta(seconds=random.choice(SKEWS)))
    names = random.choices(list(WEIGHTS), list(WEIGHTS.values()), k=random.randint(1, MOST_OPERATIONS))
    return partial(client.run, _runtime(history, client), names)


def _runtime(history: History, client: Client) -> Runtime:
    made = new_runtime(history.world, SETTINGS[0], client, client, client.skew)
    object.__setattr__(made, "clock", client.clock)  # one that remembers what it showed
    return made
