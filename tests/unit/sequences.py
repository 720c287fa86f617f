"""Random lives: one project with a few environments, moved by operations as several servers would.

A sequence follows from its seed alone.
Clocks are skewed: an operation's moment is the later of its server's clock and what it has read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from shared.domain import operations
from shared.domain import project as projects
from shared.domain.aggregate import Aggregate, needs_wake, open_environment, replan
from shared.domain.deployment import Deployment
from shared.domain.environment import DELETED, DELETING, EnvironmentType, Policy
from shared.domain.project import LOOK_AGAIN, Project, Remains
from shared.domain.roles import Role
from shared.domain.timeline import Work
from shared.errors import EnvctlError
from tests.unit.lives import OF_DEPLOYMENTS, Event, Life, Wish, kept, see, status, with_beside
from tests.unit.wishes import TICK, Ask, random_ask, random_environment

BIRTH = datetime(2026, 1, 31, 12, tzinfo=UTC)
OPEN, DEPLOY, EDIT, END, SETTLE, PROJECT_END = "open", "deploy", "edit", "end", "settle", "project end"
EXTEND, RESTORE, RETRY, CANCEL, ROLLBACK = "extend", "restore", "retry", "cancel", "rollback"
REPAIR = "repair"
# How likely each operation is: usually, and on a persistent environment that runs at once, where a flood
# of deployments fills the queue, or one after the other succeeds.
COMMON = {DEPLOY: 8, EDIT: 2, END: 2, SETTLE: 3, PROJECT_END: 1.2, OPEN: 1, EXTEND: 5, RESTORE: 3}
COMMON |= {CANCEL: 8, ROLLBACK: 4, RETRY: 2, REPAIR: 1}
FLOOD = {DEPLOY: 40, EDIT: 1, END: 0.3, SETTLE: 1, CANCEL: 1}
MODES = ((False, False), (True, False), (False, True))
SHUTTLE = {DEPLOY: 8, EDIT: 1, SETTLE: 2, CANCEL: 1, ROLLBACK: 8}
# What to ask for, now and then, where something is in a status; and what to ask about, if there is any.
APT = {"failed": RETRY, "expired": RESTORE}
APT_DEPLOYMENTS = {"canceling": CANCEL, "superseded": CANCEL, "pending": DEPLOY}
RARE = ("canceling", "superseded")


@dataclass
class World:
    """A project, its environments, and the moment that most clocks show."""

    random: Random
    clock: datetime = BIRTH
    project: Project = field(
        default_factory=lambda: Project("prj-a", "p", None, None, {"u": Role.OWNER}, BIRTH, BIRTH, BIRTH)
    )
    lives: list[Life] = field(default_factory=list)
    looks: list[tuple[Project, datetime, Remains, Project | None]] = field(default_factory=list)
    """What settling made of the project after its end: before, when, what it found, after."""
    flood: bool = False
    """Whether many deployments come at once, under the environment's policy."""
    trace: list[str] = field(default_factory=list)
    """What happened, for whoever has to understand a broken rule."""

    def run(self) -> Iterator[Event]:
        """A random sequence, to where the project's end is done and one environment is at rest."""
        self.flood, shuttles = self.random.choices(MODES, (0.84, 0.02, 0.14))[0]
        weights = FLOOD if self.flood else SHUTTLE if shuttles else COMMON
        names = self.random.choices(list(weights), list(weights.values()), k=30 if self.flood else 8)
        yield self._open(lasts=self.flood or shuttles)
        for name in names:
            self._wait(0.03 if self.flood else 0.6)
            yield from self._carry_on(until=self.clock)
            yield from self._do(name)
        yield from self._carry_on()
        yield from self._settle_to_rest(self.random.choice(self.lives))

    def _do(self, name: str) -> Iterator[Event]:
        ended_at = self.project.ended_at
        live = [life for life in self.lives if status(life, self.clock) != DELETED]
        if name == PROJECT_END:
            yield from self._end_project()
        elif name == OPEN or (not live and self.random.random() < 0.4):
            # After the project's end only a create that raced with it.
            if ended_at is None or self.clock < ended_at + LOOK_AGAIN / 2:
                yield self._open()
        else:
            yield from self._ask_for(name, live or self.lives)

    def _ask_for(self, name: str, lives: list[Life]) -> Iterator[Event]:
        """The operation on one of the lives that it makes sense for, or another that is apt there."""
        some = [life for life in lives if life.deployments] if name in OF_DEPLOYMENTS else lives
        for life in some and [self.random.choice(some)]:
            statuses = {item.status_at(self.clock) for item in life.deployments.values()}
            apt = [operation for of, operation in APT_DEPLOYMENTS.items() if of in statuses]
            apt += [operation for of, operation in APT.items() if of == status(life, self.clock)]
            is_apt = bool(apt) and self.random.random() < 0.5
            yield self._operate(life, apt[0] if is_apt else name)

    def _end_project(self) -> Iterator[Event]:
        """The project at once, its environments one after the other, as settling gets to them."""
        if self.project.ended_at is None:
            now = self._moment(self.project.as_of)
            self.project = projects.end(self.project, now)
            self.trace.append(f"{now - BIRTH} project ended")
            for life in list(self.lives):
                yield self._operate(life, PROJECT_END)
                self.clock += timedelta(seconds=self.random.choice((0, 0, 0.5)))

    def _carry_on(self, until: datetime | None = None) -> Iterator[Event]:
        """Look at the ended project whenever it asks for it; each look ends one environment at most."""
        while (due := self.project.due_at) and (until is None or due <= until) and len(self.looks) < 100:
            live = [life for life in self.lives if status(life, due) not in {DELETING, DELETED}]
            for life in live[:1]:
                yield self._operate(life, PROJECT_END, max(due, life.stored.environment.as_of))
            purges = [life.stored.environment.purge_at for life in self.lives]
            remains = Remains(len(live) > 1, any(purge is None or purge > due for purge in purges))
            after = projects.carry_on(self.project, due, remains, timedelta(days=7))
            self.looks.append((self.project, due, remains, after))
            self.project = after or replace(self.project, due_at=None)

    def _settle_to_rest(self, life: Life) -> Iterator[Event]:
        """At each moment that the document names, until it names none or one that has come (the purge)."""
        while (due := life.stored.environment.due_at) is not None and due > life.stored.environment.as_of:
            yield self._operate(life, self.random.choices((SETTLE, REPAIR), (7, 1))[0], due)

    def _open(self, *, lasts: bool = False) -> Event:
        now = self._moment(self.project.as_of)
        environment = random_environment(self.random, now, f"env-{len(self.lives)}")
        if lasts:  # one that takes deployments at once, and lasts
            lasting = replace(environment, type=EnvironmentType.PERSISTENT, expires_at=None, work=Work(0))
            environment = replace(lasting, on_conflict=Policy.QUEUE, simulation=None)
        opened = open_environment(environment)
        life = Life(kept(opened), environment.expires_at, asked={opened.environment.due_at})
        self.lives.append(life)
        self.trace.append(
            f"{now - BIRTH} open {environment.on_conflict} {environment.work} {environment.simulation} "
            f"{environment.pace}"
        )
        self.trace.append(f"  until {environment.expires_at and environment.expires_at - BIRTH}")
        return Event(OPEN, now, None, opened, None, None, None, (), life)

    def _operate(self, life: Life, name: str, at: datetime | None = None) -> Event:
        before = life.stored
        now = at or self._moment(max(before.environment.as_of, self.project.as_of))
        self.trace.append(f"{now - BIRTH} {name} {before.environment.id} {before.environment.status_at(now)}")
        refusal, after = None, before
        ask = random_ask(self.random, before.environment, now)
        ask = replace(ask, policy=None) if self.flood else ask
        number = self._some_number(life, now)
        earlier = life.deployments.get(number or 0)
        target = self.random.choice((None, None, earlier.id if earlier else None, "dep-of-another"))
        ask = replace(ask, number=number, target=target)
        try:
            after = self._apply(life, name, now, ask)
        except EnvctlError as error:
            refusal = error
        moments = self._moments_between(before, now)
        if after is not before:
            # Only commits bind: a reader whose clock is ahead of the next commit's may see what doesn't come.
            see(life, before, moments)
            if needs_wake(before.environment, after.environment):
                life.asked.add(after.environment.due_at)
        life.stored = kept(after)
        life.deployments |= {item.number: item for item in after.deployments}
        return Event(name, now, before, after, refusal, ask, earlier, moments, life)

    def _apply(self, life: Life, name: str, now: datetime, ask: Ask) -> Aggregate:
        before, random = life.stored, self.random
        match name:
            case "deploy" | "cancel" | "rollback":
                return self._apply_to_deployments(life, name, now, ask)
            case "extend" | "restore":
                return self._lease(life, name, now, ask)
            case "edit":
                return operations.edit(
                    before, now, name=random.choice("ab"), config=random.choice([None, "{}"])
                )
            case "settle" | "repair":
                return self._settle(life, now, is_repair=name == REPAIR)
            case "retry":
                after = operations.retry(before, now)
                life.wishes.append(Wish(now, "provisioning", "retry_requested"))
                return after
        reason = "deleted_by_user" if name == END else "project_deleted"
        if before.environment.status_at(now) not in {DELETING, DELETED}:
            life.end_asked = (now, reason)
            life.wishes.append(Wish(now, "deleting", reason))
        return operations.end_environment(before, now, reason)

    def _settle(self, life: Life, now: datetime, *, is_repair: bool) -> Aggregate:
        after = operations.repair(life.stored, now) if is_repair else replan(life.stored, now)
        if is_repair and after is not life.stored:
            life.repairs.append(now)
        return after

    def _apply_to_deployments(self, life: Life, name: str, now: datetime, ask: Ask) -> Aggregate:
        if name == CANCEL:
            return self._cancel(life, now, life.deployments[ask.number or 0])
        return self._roll_back(life, now, ask) if name == ROLLBACK else self._deploy(life, now, ask)

    def _some_number(self, life: Life, now: datetime) -> int | None:
        """The newest in a status at random."""
        numbers = {item.status_at(now): number for number, item in life.deployments.items()}
        rare = [numbers[name] for name in RARE if name in numbers]
        if rare and self.random.random() < 0.8:
            return rare[0]
        return self.random.choice(list(numbers.values())) if numbers else None

    def _cancel(self, life: Life, now: datetime, item: Deployment) -> Aggregate:
        self.trace.append(f"  number {item.number}")
        before = with_beside(life, item)
        after = operations.cancel(before, now, item.id)
        if after is before:
            return life.stored
        life.canceled[item.number] = now
        return after

    def _roll_back(self, life: Life, now: datetime, ask: Ask) -> Aggregate:
        """To one that is named, or to the default, of which the operation finds all that it may look at."""
        self.trace.append(f"  {ask.new.work} {ask.new.simulation} to {ask.target}")
        live = [life.deployments[item.number] for item in life.stored.environment.live]
        named = life.deployments.get(ask.number or 0)
        before = with_beside(life, *(live if ask.target is None else [named]))
        after = operations.rollback(before, ask.new, now, ask.target)
        life.superseding.add(after.environment.last_number)
        return after

    def _deploy(self, life: Life, now: datetime, ask: Ask) -> Aggregate:
        self.trace.append(f"  {ask.new.work} {ask.new.simulation} {ask.policy}")
        after = operations.deploy(life.stored, ask.new, now, ask.policy)
        if (ask.policy or life.stored.environment.on_conflict) == Policy.LATEST:
            life.superseding.add(after.environment.last_number)
        return after

    def _lease(self, life: Life, name: str, now: datetime, ask: Ask) -> Aggregate:
        until = ask.until(now)
        self.trace.append(f"  until {until - BIRTH}")
        if name == EXTEND:
            after = operations.extend(life.stored, now, ask.lease)
            life.wishes.append(Wish(now, lease=until))
        else:
            after = operations.restore(life.stored, now, ask.lease)
            life.wishes.append(Wish(now, "running", "restore_requested", until))
        return after

    def _moment(self, read: datetime) -> datetime:
        skew = self.random.choice((0, 0, 0, 0, -2, -0.5, 0.5, 2))
        return max(self.clock + timedelta(seconds=skew), read)

    def _wait(self, likely: float) -> None:
        """Not at all, for round times (so that moments coincide), or to the brink of something planned."""
        random = self.random
        if random.random() > likely:
            return
        target = self.clock + timedelta(
            seconds=random.choice((0.5, 0.5, 1, 1.5, 2, random.uniform(0, 9), 4000))
        )
        planned = self._planned(random.choice(self.lives).stored)
        if planned and random.random() < 0.6:
            target = random.choice(planned) + random.choice((-TICK, timedelta(0), TICK))
        self.clock = max(self.clock, target)

    def _planned(self, stored: Aggregate) -> list[datetime]:
        environment = stored.environment
        steps = [step for item in stored.deployments for step in item.timeline[1:]] + list(
            environment.timeline
        )
        moments = [*(step.at for step in steps), environment.expires_at, environment.purge_at]
        return [moment for moment in moments if moment and moment > self.clock]

    def _moments_between(self, stored: Aggregate, now: datetime) -> tuple[datetime, ...]:
        """A moment at random and the brink of a step, from the last commit to just before this operation."""
        since = stored.environment.as_of
        if now <= since:
            return ()
        timelines = (stored.environment.timeline, *(item.timeline for item in stored.deployments))
        steps = [step.at for timeline in timelines for step in timeline if since < step.at < now]
        some = [since + (now - since) * self.random.random()]
        if steps:
            some.append(self.random.choice(steps) - self.random.choice((timedelta(0), TICK)))
        return tuple(moment for moment in some if since <= moment < now)
