"""An environment with all that was asked of it, and what happened in it, for rules to judge."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.aggregate import Aggregate
from shared.domain.deployment import Deployment
from shared.errors import EnvctlError
from tests.unit.wishes import Ask

OF_DEPLOYMENTS = {"cancel"}
"""Operations that need a deployment."""


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
    canceled: dict[int, datetime] = field(default_factory=dict)
    """When the cancellation of a deployment was first acknowledged, by number."""
    deployments: dict[int, Deployment] = field(default_factory=dict)
    """Every one there ever was, as last committed."""
    repairs: list[datetime] = field(default_factory=list)
    """When the sweep has made up what nobody had carried out."""
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
    earlier: Deployment | None
    """The deployment that it is about, as it was before."""
    moments: tuple[datetime, ...]
    """When somebody read what was stored before, between its commit and this operation."""
    life: Life

    @property
    def as_of(self) -> datetime:
        """The moment of the commit that `after` comes from."""
        return self.after.environment.as_of

    @property
    def added(self) -> Deployment | None:
        """The deployment that the operation added."""
        number = self.after.environment.last_number
        is_new = self.before is not None and number > self.before.environment.last_number
        return self.life.deployments[number] if is_new else None

    @property
    def status(self) -> str:
        """That of what it is about when it was asked, as a word that a table can show."""
        if self.before is None:
            return "-"
        if self.operation == "cancel" and self.earlier is not None:
            return str(self.earlier.status_at(self.now))
        return str(self.before.environment.status_at(self.now))


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


def with_beside(life: Life, *items: Deployment | None) -> Aggregate:
    """What is stored, with deployments that an operation looks at, wherever they stand."""
    known = life.stored.deployments
    return replace(life.stored, beside=tuple(item for item in items if item and item not in known))
