"""One lifecycle: a client's operations on a project and what is in it, while everything goes wrong.

Then the faults stop, the sweep runs, time passes, and it is looked at what became of it.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from shared.ports import Data
from shared.times import from_text, to_text
from tests.simulation import checks
from tests.simulation.asking import wish_for
from tests.simulation.client import Driver
from tests.simulation.ledger import Ledger, Request, Wish
from tests.simulation.machinery import Endless, Platform
from tests.simulation.plan import Plan

WAITS = (0, 0, 0.1, 0.5, 1, 2, 2.5, 3, 5, 70)
WEIGHTS = {
    "deploy": 9,
    "cancel": 5,
    "rollback": 4,
    "extend": 4,
    "restore": 3,
    "retry": 2,
    "edit": 3,
    "edit project": 1,
    "delete": 2.5,
    "end project": 1.2,
    "open": 1.5,
    "create project": 0.5,
    "look": 4,
    "look back": 2,
    "list": 2,
}
APT: dict[str, dict[str, tuple[str, ...]]] = {
    "environments": {
        "failed": ("retry",),
        "expired": ("restore",),
        "running": ("deploy", "deploy", "rollback", "extend", "edit"),
    },
    "deployments": {"pending": ("cancel",), "running": ("cancel",)},
}
"""What to ask for, now and then, of something in a status."""
ACTS = ("ask", "ask", "deliver", "sweep")
OUTAGES = (timedelta(seconds=3), timedelta(seconds=100))
MOST_ACTS = 50
"""How much others do meanwhile, in a whole lifecycle."""
DEEPEST = 2
"""How many requests may wait for others that are carried out meanwhile."""


@dataclass
class Story:
    """What happens in a world, from its seed to its verdict."""

    plan: Plan
    driver: Driver
    ledger: Ledger = field(default_factory=Ledger)
    done: Counter[str] = field(default_factory=Counter)
    """Operations that were accepted, by kind."""

    def __post_init__(self) -> None:
        self.world, self.random = self.plan.world, self.plan.world.random
        self.platform = Platform(self.plan, self.driver)
        self._depth = 0
        self._acts = 0
        self._labels = 0

    @property
    def violations(self) -> list[str]:
        """What is wrong with it."""
        return self.platform.violations

    def run(self) -> None:
        """Everything."""
        self.world.meanwhile = self._others_act
        try:
            self._live()
            self.platform.recover()
            self.violations.extend(checks.after_recovery(self.world, self.ledger))
            self.platform.wait_for_rest()
            self.violations.extend(checks.at_rest(self.world, self.ledger))
        except Endless:
            self.violations.append("events beget events without an end")

    def _live(self) -> None:
        self._ask("create project")
        self._ask("open")
        if self.plan.is_cramped:  # so that a walk has more than one page
            self._ask("open")
        self.platform.wait(self.random.choice((0, 2.1, 2.1, 2.1, 3)))
        for _ in range(self.random.randint(5, 13)):
            self._ask(self._choose())
            self.platform.wait(self._pause())
            self._fail_the_queue()

    def _pause(self) -> float:
        """Usually short; now and then to where an environment expires, or beyond everything."""
        expiries = [at for one in self._environments() if (at := one["expires_at"])]
        if expiries and self.random.random() < 0.15:
            left = (from_text(self.random.choice(expiries)) - self.world.now).total_seconds()
            return max(0.0, left + self.random.choice((-0.01, 0, 0.5, 3)))
        if self.random.random() < 0.01:
            return 32 * 86_400.0
        return self.random.choice(WAITS)

    def _fail_the_queue(self) -> None:
        if self.world.chaos.strikes("purge", 0.5):
            self.world.note("the queue is purged")
            self.plan.line.waiting.clear()
        if self.world.chaos.strikes("outage", 0.5):
            self.world.note("the queue goes down")
            self.plan.line.down_until = self.world.now + self.random.choice(OUTAGES)

    def _choose(self) -> str:
        apt = [
            name
            for collection, names in APT.items()
            for one in self.world.documents(collection)
            for name in names.get(self._status(one.data), ())
        ]
        if apt and self.random.random() < 0.5:
            return self.random.choice(apt)
        return self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

    def _environments(self) -> list[Data]:
        return [document.data for document in self.world.documents("environments")]

    def _status(self, data: Data) -> str:
        now, steps = to_text(self.world.now), data["timeline"]
        return str(([step for step in steps if step["at"] <= now] or steps)[-1]["status"])

    def _ask(self, name: str) -> None:
        """An operation, and again if nobody answers and its client is a patient one."""
        self._labels += 1
        wish = wish_for(name, self.world, self.ledger, self._labels)
        if wish is None:
            return
        for _ in range(self.random.choice((1, 2, 4))):
            if not self._send(wish).is_unknown:
                return
            self.world.pass_by(self.random.uniform(0.01, 2))

    def _send(self, wish: Wish) -> Request:
        request = self.ledger.begin(wish)
        misreported = self.world.misreported
        request.reply = self.platform.serve(wish.method, wish.path, wish.body, wish.key)
        request.is_misreported = self.world.misreported > misreported
        request.ended = self.ledger.tick()
        if request.is_acknowledged:
            self.done[wish.name] += 1
        return request

    def _others_act(self, for_certain: bool) -> None:  # noqa: FBT001 - as the world asks
        """While a request waits for its store, others are served, and time goes on."""
        if self._depth >= DEEPEST or self._acts >= MOST_ACTS:
            return
        if not for_certain and self.random.random() >= self.plan.traffic:
            return
        self._depth += 1
        try:
            self._act("ask" if for_certain else self.random.choice(ACTS))
            for _ in range(self.random.choice((0, 0, 0, 1, 2))):
                self._act(self.random.choice(ACTS))
        finally:
            self._depth -= 1

    def _act(self, name: str) -> None:
        self._acts += 1
        match name:
            case "ask":
                self._ask("end project" if self.random.random() < 0.1 else self._choose())
            case "deliver":
                self._deliver_early()
            case "sweep":
                self.platform.sweep()

    def _deliver_early(self) -> None:
        """A task that is due, or, if none is, one that will be."""
        waiting = self.plan.line.waiting
        if not self.platform.deliver() and waiting and self.world.chaos.happens("early"):
            first = min(waiting, key=lambda one: (one.at, one.number))
            first.at = self.world.now
            self.platform.deliver()
