"""An environment's life told as one: its steps, its deployments' steps, and what was done to it, in order."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from shared.domain.aggregate import ENVIRONMENT_DELETED, ENVIRONMENT_EXPIRED
from shared.domain.deployment import SUPERSEDED, Deployment
from shared.domain.environment import DELETED, DELETING, EXPIRED, Environment, Note
from shared.domain.timeline import Step, Timeline, history
from shared.errors import Fault, InvalidInput, NotFound


class Rank(IntEnum):
    """What comes first at one moment: causes before effects."""

    ENVIRONMENT = 0
    EXPIRED_WITH = 1
    """Deployments that end because the environment has expired."""
    RESTORED = 2
    """The environment, from a restore at the moment of its expiry on."""
    DEPLOYMENT = 3
    SUPERSEDED = 4
    """After the one that supersedes it."""
    DELETION = 5
    """Of the environment: nothing follows but what it ends."""
    DELETED_WITH = 6


class Place(NamedTuple):
    """Where an entry stands, and always will: it follows from the entry and what came before it."""

    at: datetime
    rank: int
    """A Rank."""
    number: int
    """The deployment's; 0 for the environment."""
    steps: int
    """How many steps of the object came before it."""
    is_step: bool
    """Notes stand before the step that follows them."""
    nth: int
    """Of the notes that were made there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A step of an environment or of a deployment, or a note."""

    place: Place
    id: str
    """The object's."""
    step: Step | None = None
    note: Note | None = None
    """One of the two."""

    @property
    def at(self) -> datetime:
        """When it comes."""
        return self.place.at

    @property
    def number(self) -> int | None:
        """The deployment's number; None for the environment."""
        return self.place.number or None


def of_environment(environment: Environment) -> list[Entry]:
    """Its steps and its notes, past and planned, in no order."""
    ranks, timeline = _ranks(environment.timeline), environment.timeline
    entries = [
        Entry(Place(step.at, ranks[steps], 0, steps, True, 0), environment.id, step)
        for steps, step in enumerate(timeline)
    ]
    nth: dict[tuple[datetime, int], int] = {}
    for note in environment.notes:
        spot = (note.at, note.steps)
        nth[spot] = nth.get(spot, -1) + 1
        rank = _rank_after(timeline, ranks, *spot)
        entries.append(
            Entry(Place(note.at, rank, 0, note.steps, False, nth[spot]), environment.id, note=note)
        )
    return entries


def _ranks(timeline: Timeline) -> list[Rank]:
    ranks: list[Rank] = []
    for steps, step in enumerate(timeline):
        is_deletion = step.status in {DELETING, DELETED}
        ranks.append(Rank.DELETION if is_deletion else _rank_after(timeline, ranks, step.at, steps))
    return ranks


def _rank_after(timeline: Timeline, ranks: list[Rank], at: datetime, steps: int) -> Rank:
    """Of what the environment goes through at a moment when so many steps have come."""
    last = timeline[steps - 1] if steps else None
    if last is None or last.at != at:
        return Rank.ENVIRONMENT
    return Rank.RESTORED if last.status == EXPIRED else ranks[steps - 1]


def of_deployment(deployment: Deployment) -> list[Entry]:
    """Its steps, past and planned."""
    return [
        Entry(Place(step.at, _rank(step), deployment.number, steps, True, 0), deployment.id, step)
        for steps, step in enumerate(deployment.timeline)
    ]


def _rank(step: Step) -> Rank:
    if step.status == SUPERSEDED:
        return Rank.SUPERSEDED
    ends = {ENVIRONMENT_EXPIRED: Rank.EXPIRED_WITH, ENVIRONMENT_DELETED: Rank.DELETED_WITH}
    return ends.get(step.reason or "", Rank.DEPLOYMENT)


def merged(
    environment: Environment, deployments: Iterable[Deployment], after: Place | None = None
) -> list[Entry]:
    """Everything beyond a place, in order."""
    entries = [*of_environment(environment), *(e for item in deployments for e in of_deployment(item))]
    beyond = [entry for entry in entries if after is None or entry.place > after]
    return sorted(beyond, key=lambda entry: entry.place)


# as of then ----------------------------------------------------------------------------------


def environment_as_of(environment: Environment, then: datetime, now: datetime) -> Environment:
    """What it was at a moment, as far as that is history: its steps, and what was live.

    Plans and fields are replaced without a trace: the steps end there, the fields are today's. What was
    live is known for the last ten. Raises NotFound before its creation, InvalidInput later than now.
    """
    _require_history("environment", environment.id, environment.created_at, then, now)
    return replace(
        environment,
        timeline=tuple(history(environment.timeline, then)),
        live=tuple(item for item in environment.live if item.at <= then),
        changed_at=environment.created_at,
    )


def deployment_as_of(deployment: Deployment, then: datetime, now: datetime) -> Deployment:
    """Likewise."""
    _require_history("deployment", deployment.id, deployment.created_at, then, now)
    return replace(deployment, timeline=tuple(history(deployment.timeline, then)))


def _require_history(kind: str, object_id: str, created_at: datetime, then: datetime, now: datetime) -> None:
    if then > now:
        raise InvalidInput(
            [Fault("at", "must not be later than now: what is planned may change", in_body=False)]
        )
    if then < created_at:
        raise NotFound(kind, object_id)
