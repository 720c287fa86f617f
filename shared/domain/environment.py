"""An environment: where deployments run, for as long as its lease lasts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.simulation import Simulation, by_chance
from shared.domain.timeline import (
    DEADLINE_EXCEEDED,
    MOST_STEPS,
    Machine,
    Outcome,
    Step,
    Timeline,
    Work,
    history,
    step_at,
)
from shared.errors import TimelineFull


class EnvironmentType(StrEnum):
    """Whether an environment ends by itself."""

    EPHEMERAL = "ephemeral"
    PERSISTENT = "persistent"


class Policy(StrEnum):
    """What becomes of a new deployment while another is unfinished."""

    QUEUE = "queue"
    """It runs after all that were asked for before."""
    LATEST = "latest"
    """It runs after the one that runs, and takes the place of those that wait: they are superseded."""
    REJECT = "reject"
    """It is refused."""


def default_policy(kind: EnvironmentType) -> Policy:
    """The policy of an environment that names none."""
    return Policy.QUEUE if kind == EnvironmentType.PERSISTENT else Policy.LATEST


class EnvironmentStatus(StrEnum):
    """The statuses of an environment, in the order of a life."""

    PROVISIONING = "provisioning"
    RUNNING = "running"
    FAILED = "failed"
    EXPIRED = "expired"
    DELETING = "deleting"
    DELETED = "deleted"


PROVISIONING, RUNNING, FAILED, EXPIRED, DELETING, DELETED = EnvironmentStatus

MACHINE = Machine(
    name="environment",
    initial=PROVISIONING,
    moves={
        PROVISIONING: {RUNNING, FAILED, EXPIRED, DELETING},
        RUNNING: {EXPIRED, DELETING},
        FAILED: {PROVISIONING, EXPIRED, DELETING},
        EXPIRED: {RUNNING, DELETING},
        DELETING: {DELETED},
        DELETED: set(),
    },
    stable={RUNNING, FAILED, DELETED},
)

LIVE = (PROVISIONING, RUNNING, FAILED)
ENDED = (EXPIRED, DELETING, DELETED)
"""Statuses in which no deployment is pending or running."""

_DELETION = 2
"""The steps that a deletion takes."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the simulated steps take, in seconds.

    Fixed at creation: a plan never depends on the settings of the process that makes it again.
    """

    pending: float
    canceling: float
    deleting: float
    grace: float
    """From expiry to deletion."""
    tombstone: float
    """From deleted to purge."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A deployment that has not ended: enough to know, without reading it, when it will have."""

    id: str
    number: int
    ends_at: datetime
    starts_at: datetime | None = None
    """When it runs or is to run; None if it never does."""

    def runs_at(self, now: datetime) -> bool:
        """Whether it is at work at a moment, also if that is being canceled."""
        return self.starts_at is not None and self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True)
class Live:
    """A deployment that is what runs in its environment, from the moment it succeeds to the next one's."""

    id: str
    number: int
    version: str
    at: datetime


class NoteAction(StrEnum):
    """What a note tells."""

    EXTENDED = "extended"
    RESTORED = "restored"
    REPAIRED = "repaired"
    """A wake-up had got lost, and what was due has been carried out late. Readers were told in time."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was done to an environment and that its timeline alone does not tell."""

    at: datetime
    action: NoteAction
    until: datetime | None
    """The end of the lease from then on; None where it stays what it is."""
    steps: int
    """How many of the environment's steps had come by then."""


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment's document. It carries what its readers and its operations need."""

    id: str
    project_id: str
    name: str
    type: EnvironmentType
    on_conflict: Policy
    config: str | None
    """Free JSON, as text."""
    created_at: datetime
    changed_at: datetime
    """When a caller last changed a field or the plan."""
    expires_at: datetime | None
    """The end of the lease; None for a persistent one."""
    work: Work
    """Its provisioning, the latest if there have been several."""
    pace: Pace
    timeline: Timeline
    as_of: datetime
    """The moment of its last commit: everything up to it has been carried out."""
    due_at: datetime | None = None
    """When it must be settled next: its own next step, one of its deployments', or its purge."""
    woken_for: datetime | None = None
    """Its own step for which a wake-up has been asked last."""
    last_number: int = 0
    """The number of its newest deployment."""
    unfinished: tuple[Unfinished, ...] = ()
    live: tuple[Live, ...] = ()
    """The last 10 that were live, and those that will be: in this order, each from its moment on."""
    notes: tuple[Note, ...] = ()
    """The last 100, among them the last 10 repairs."""
    simulation: Simulation | None = None
    """What was asked for of its provisioning; None: that it succeeds."""
    fingerprint: str | None = None
    """Of the request that made it, if that may be repeated."""

    def status_at(self, now: datetime) -> str:
        """Its status at a moment."""
        return step_at(self.timeline, now).status

    def updated_at(self, now: datetime) -> datetime:
        """When what a reader sees last changed."""
        active = self.active_at(now)
        changes = [self.changed_at, step_at(self.timeline, now).at, *([active.at] if active else [])]
        return max(changes)

    def active_at(self, now: datetime) -> Live | None:
        """The deployment that is live at a moment: the last that has succeeded."""
        return self.last_live_at(now)[0]

    def last_live_at(self, now: datetime) -> tuple[Live | None, Live | None]:
        """The one that is live at a moment, and the one that was before it."""
        past = [item for item in self.live if item.at <= now]
        active, before = [*reversed(past), None, None][:2]
        return active, before

    def rollback_target_at(self, now: datetime) -> Live | None:
        """What is gone back to by default: the live one while another runs, else the one before it."""
        active, before = self.last_live_at(now)
        return active if any(item.runs_at(now) for item in self.unfinished) else before

    def has_run(self, now: datetime) -> bool:
        """Whether it has been running at any time so far."""
        return any(step.status == RUNNING for step in history(self.timeline, now))

    def has_failed(self, now: datetime) -> bool:
        """Whether it has failed, and not been running since."""
        last = [step.status for step in history(self.timeline, now) if step.status in {RUNNING, FAILED}]
        return last[-1:] == [FAILED]

    @property
    def purge_at(self) -> datetime | None:
        """When its documents are removed for good; None while no deletion is planned."""
        return purge_at(self.timeline, self.pace)


def purge_at(timeline: Timeline, pace: Pace) -> datetime | None:
    """When what has this timeline is removed for good; None while no deletion is planned."""
    last = timeline[-1]
    return last.at + timedelta(seconds=pace.tombstone) if last.status == DELETED else None


def end_of(timeline: Timeline) -> Step | None:
    """The step that ends what runs in it: its last expiry, or its deletion; None if none is planned.

    An expiry that was followed by a restore is none.
    """
    end = None
    for step in timeline:
        if step.status not in ENDED:
            end = None
        elif end is None:
            end = step
    return end


def provision(environment: Environment, past: Sequence[Step]) -> Environment:
    """It with a history at whose end a provisioning begins, the first one or another."""
    attempt = sum(step.status == PROVISIONING for step in past)
    work = by_chance(environment.work, environment.simulation, environment.id, attempt)
    return replace(environment, timeline=tuple(past), work=work)


def plan(environment: Environment, past: list[Step]) -> Timeline:
    """The timeline that history and intent (work, lease, pace) lead to. `past` has one step at least.

    Raises TimelineFull when it would leave no room for a deletion.
    """
    steps = list(past)
    while (following := _following(environment, steps[-1])) is not None:
        steps.append(following)
    if steps[-1].status != DELETED and len(steps) > MOST_STEPS - _DELETION:
        raise TimelineFull(MACHINE.name, MOST_STEPS)
    return MACHINE.timeline(steps)


def _following(environment: Environment, last: Step) -> Step | None:
    pace = environment.pace
    match last.status:
        case EnvironmentStatus.PROVISIONING:
            return _earlier(_provisioned(environment.work, last), _expiry(environment, last))
        case EnvironmentStatus.RUNNING | EnvironmentStatus.FAILED:
            return _expiry(environment, last)
        case EnvironmentStatus.EXPIRED:
            return Step(last.at + timedelta(seconds=pace.grace), DELETING, "grace_period_over")
        case EnvironmentStatus.DELETING:
            return Step(last.at + timedelta(seconds=pace.deleting), DELETED, last.reason)
    return None


def _provisioned(work: Work, last: Step) -> Step:
    at = last.at + timedelta(seconds=work.seconds)
    match work.outcome:
        case Outcome.SUCCEED:
            return Step(at, RUNNING)
        case Outcome.FAIL:
            return Step(at, FAILED, "provisioning_failed")
        case Outcome.HANG:
            return Step(at, FAILED, DEADLINE_EXCEEDED)


def _expiry(environment: Environment, last: Step) -> Step | None:
    if environment.expires_at is None:
        return None
    return Step(max(environment.expires_at, last.at), EXPIRED, "ttl_expired")


def _earlier(step: Step, other: Step | None) -> Step:
    """The one that comes first; at the same moment the expiry, which is exact."""
    return other if other is not None and other.at <= step.at else step
