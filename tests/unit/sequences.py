"""Random lives: one project with a few environments, moved by operations as several servers would.

A sequence follows from its seed alone. What happens in it is a list of events, for `rules` to judge.
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
from shared.domain.project import LOOK_AGAIN, Project, Remains, Role
from shared.domain.timeline import Work
from shared.errors import EnvctlError
from tests.unit.wishes import TICK, Ask, random_ask, random_deployment, random_environment

BIRTH = datetime(2026, 1, 31, 12, tzinfo=UTC)
OPEN, DEPLOY, EDIT, END, SETTLE, PROJECT_END = "open", "deploy", "edit", "end", "settle", "project end"
EXTEND, RESTORE = "extend", "restore"
# How likely each operation is; a flood of deployments fills the queue of a persistent environment.
COMMON = {DEPLOY: 8, EDIT: 2, END: 2, SETTLE: 4, PROJECT_END: 1.2, OPEN: 1, EXTEND: 3, RESTORE: 3}
FLOOD = {DEPLOY: 40, EDIT: 1, END: 0.3, SETTLE: 1}


@dataclass(frozen=True)
class Wish:
    """Something that was asked of an environment, and done."""

    at: datetime
    status: str | None = None
    """What the environment is from then on, if that is another one."""
    reason: str | None = None
    lease: datetime | None = None
    """When it expires from then on, if that is another moment."""


@dataclass
class Life:
    """An environment as its store holds it, and what was asked of it."""

    stored: Aggregate
    """The environment and those deployments that were unfinished at its last commit."""
    lease: datetime | None
    """When it was to expire at first."""
    wishes: list[Wish] = field(default_factory=list)
    """What was asked of it since, in order."""
    superseding: set[int] = field(default_factory=set)
    """The deployments that were to take the place of those that wait."""
    deployments: dict[int, Deployment] = field(default_factory=dict)
    """Every one there ever was, as last committed."""
    end_asked: tuple[datetime, str] | None = None
    """When, and why, its deletion was first acknowledged."""
    seen: list[tuple[int, datetime, str]] = field(default_factory=list)
    """What readers were told before a later operation: number (0 for the environment), moment, status."""
    asked: set[datetime | None] = field(default_factory=set)
    """The moments for which wake-ups were asked."""


@dataclass(frozen=True)
class Event:
    """An operation on an environment, done or refused."""

    operation: str
    now: datetime
    before: Aggregate | None
    after: Aggregate
    refusal: EnvctlError | None
    ask: Ask | None
    moments: tuple[datetime, ...]
    """When somebody read what was stored before, between its commit and this operation."""
    life: Life

    @property
    def as_of(self) -> datetime:
        """The moment of the commit that `after` comes from."""
        return self.after.environment.as_of

    @property
    def status(self) -> str:
        """The environment's status when it was asked, as a word that a table can show."""
        return str(self.before.environment.status_at(self.now)) if self.before else "-"


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
        self.flood = flood = self.random.random() < 0.02
        weights = FLOOD if flood else COMMON
        names = self.random.choices(list(weights), list(weights.values()), k=30 if flood else 7)
        yield self._open()
        for name in names:
            self._wait(0.03 if flood else 0.7)
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
            yield self._operate(self.random.choice(live or self.lives), name)

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
            yield self._operate(life, SETTLE, due)

    def _open(self) -> Event:
        now = self._moment(self.project.as_of)
        environment = random_environment(self.random, now, f"env-{len(self.lives)}")
        if self.flood:  # one that takes deployments at once, and lasts
            lasting = replace(environment, type=EnvironmentType.PERSISTENT, expires_at=None, work=Work(0))
            environment = replace(lasting, on_conflict=Policy.QUEUE)
        opened = open_environment(environment)
        life = Life(kept(opened), environment.expires_at, asked={opened.environment.due_at})
        self.lives.append(life)
        self.trace.append(
            f"{now - BIRTH} open {environment.on_conflict} {environment.work} {environment.pace}"
        )
        self.trace.append(f"  until {environment.expires_at and environment.expires_at - BIRTH}")
        return Event(OPEN, now, None, opened, None, None, (), life)

    def _operate(self, life: Life, name: str, at: datetime | None = None) -> Event:
        before = life.stored
        now = at or self._moment(max(before.environment.as_of, self.project.as_of))
        self.trace.append(f"{now - BIRTH} {name} {before.environment.id} {before.environment.status_at(now)}")
        refusal, after = None, before
        ask = random_ask(self.random, before.environment, now)
        ask = replace(ask, policy=None) if self.flood else ask
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
        return Event(name, now, before, after, refusal, ask, moments, life)

    def _apply(self, life: Life, name: str, now: datetime, ask: Ask) -> Aggregate:
        before, random = life.stored, self.random
        match name:
            case "deploy":
                return self._deploy(life, now, ask.policy)
            case "extend" | "restore":
                return self._lease(life, name, now, ask)
            case "edit":
                return operations.edit(
                    before, now, name=random.choice("ab"), config=random.choice([None, "{}"])
                )
            case "settle":
                return replan(before, now)
        reason = "deleted_by_user" if name == END else "project_deleted"
        if before.environment.status_at(now) not in {DELETING, DELETED}:
            life.end_asked = (now, reason)
            life.wishes.append(Wish(now, "deleting", reason))
        return operations.end_environment(before, now, reason)

    def _deploy(self, life: Life, now: datetime, policy: Policy | None) -> Aggregate:
        new = random_deployment(self.random, life.stored.environment)
        self.trace.append(f"  {new.work} {policy}")
        after = operations.deploy(life.stored, new, now, policy)
        if (policy or life.stored.environment.on_conflict) == Policy.LATEST:
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


def status(life: Life, now: datetime) -> str:
    """An environment's status for a reader whose clock shows `now`: never before the last commit."""
    environment = life.stored.environment
    return environment.status_at(max(now, environment.as_of))


def see(life: Life, stored: Aggregate, moments: tuple[datetime, ...]) -> None:
    """Remember what somebody is told who reads what is stored at these moments."""
    for moment in moments:
        life.seen.append((0, moment, stored.environment.status_at(moment)))
        life.seen += [(item.number, moment, item.status_at(moment)) for item in stored.deployments]


def kept(aggregate: Aggregate) -> Aggregate:
    """What the next operation reads: the environment and the deployments that its document names."""
    named = {item.number for item in aggregate.environment.unfinished}
    return replace(aggregate, deployments=tuple(d for d in aggregate.deployments if d.number in named))
