"""A deployment: one version being rolled out to an environment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.simulation import PHASES, Simulation
from shared.domain.timeline import DEADLINE_EXCEEDED, Machine, Outcome, Step, Timeline, Work, step_at


class DeploymentStatus(StrEnum):
    """The statuses of a deployment, in the order of a life."""

    PENDING = "pending"
    RUNNING = "running"
    CANCELING = "canceling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    SUPERSEDED = "superseded"


class Kind(StrEnum):
    """What a deployment was asked for as."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"


PENDING, RUNNING, CANCELING, SUCCEEDED, FAILED, CANCELED, SUPERSEDED = DeploymentStatus

MACHINE = Machine(
    name="deployment",
    initial=PENDING,
    moves={
        PENDING: {RUNNING, CANCELED, SUPERSEDED},
        RUNNING: {SUCCEEDED, FAILED, CANCELING},
        CANCELING: {CANCELED},
        SUCCEEDED: set(),
        FAILED: set(),
        CANCELED: set(),
        SUPERSEDED: set(),
    },
    stable={SUCCEEDED, FAILED, CANCELED, SUPERSEDED},
)


@dataclass(frozen=True, slots=True)
class Rollout:
    """What is asked for of a deployment that is to be. The operation that makes it sets the rest."""

    id: str
    work: Work
    version: str = ""
    """A rollback has that of what it repeats."""
    simulation: Simulation | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment's document. It is written together with its environment's only."""

    id: str
    environment_id: str
    project_id: str
    version: str
    number: int
    config: str | None
    """The environment's configuration when it was asked for."""
    work: Work
    created_at: datetime
    timeline: Timeline
    queued_at: datetime | None = None
    """When its place in the queue was taken first, if it took that of others; None: at its creation."""
    kind: Kind = Kind.DEPLOY
    rollback_of: str | None = None
    """The deployment whose version and configuration it has again."""
    simulation: Simulation | None = None
    """What was asked for of its outcome; None: that it succeeds."""
    fingerprint: str | None = None
    """Of the request that made it, if that may be repeated."""

    @property
    def waits_since(self) -> datetime:
        """From when on its time of waiting counts."""
        return self.queued_at or self.created_at

    def status_at(self, now: datetime) -> str:
        """Its status at a moment."""
        return step_at(self.timeline, now).status

    def updated_at(self, now: datetime) -> datetime:
        """When what a reader sees last changed."""
        return step_at(self.timeline, now).at

    @property
    def started_at(self) -> datetime | None:
        """When it starts or started running; None if it never does."""
        return next((step.at for step in self.timeline if step.status == RUNNING), None)

    @property
    def ends_at(self) -> datetime:
        """When it reaches, or has reached, a terminal status."""
        return self.timeline[-1].at


def finish(work: Work, started_at: datetime) -> Step:
    """How and when work that nobody disturbs ends."""
    phase = failing_phase(work)
    if phase is None:
        return Step(started_at + timedelta(seconds=work.seconds), SUCCEEDED)
    if work.outcome == Outcome.HANG:
        return Step(started_at + timedelta(seconds=work.seconds), FAILED, DEADLINE_EXCEEDED)
    return Step(phase_end(work, started_at, phase), FAILED, f"{phase}_failed")


def failing_phase(work: Work) -> str | None:
    """The phase that the work does not get through; None if it succeeds."""
    return None if work.outcome == Outcome.SUCCEED else work.fail_at or list(PHASES)[-1]


def phase_end(work: Work, started_at: datetime, phase: str) -> datetime:
    """When a phase of work that started at a moment is over."""
    names = list(PHASES)
    share = sum(PHASES[name] for name in names[: names.index(phase) + 1])
    return started_at + timedelta(seconds=work.seconds * share)
