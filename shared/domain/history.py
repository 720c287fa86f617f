"""An environment's life told as one: its steps, its deployments' steps, and what was done to it, in order.

At one moment the cause comes before what follows from it:

    environment    expired │ (restored) │ running       notes stand where they were made
    deployments    1 succeeded │ 2 running │ 3 pending │ 4 pending
    superseded     3                                     by 4
    environment    deleting
    deployments    2 failed │ 4 canceled                 because of that
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from shared.domain.aggregate import ENVIRONMENT_DELETED
from shared.domain.deployment import SUPERSEDED, Deployment
from shared.domain.environment import DELETED, DELETING, Environment, Note
from shared.domain.timeline import Step, history
from shared.errors import Fault, InvalidInput, NotFound


class Place(NamedTuple):
    """Where an entry stands, and always will: it follows from the entry and what came before it."""

    at: datetime
    rank: int
    """Among what comes at that moment: causes before effects."""
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
    entries = [
        Entry(Place(step.at, _rank(step), 0, steps, True, 0), environment.id, step)
        for steps, step in enumerate(environment.timeline)
    ]
    nth: dict[tuple[datetime, int], int] = {}
    for note in environment.notes:
        spot = (note.at, note.steps)
        nth[spot] = nth.get(spot, -1) + 1
        entries.append(Entry(Place(note.at, 0, 0, note.steps, False, nth[spot]), environment.id, note=note))
    return entries


def of_deployment(deployment: Deployment) -> list[Entry]:
    """Its steps, past and planned."""
    return [
        Entry(
            Place(step.at, _rank_of_deployment(step), deployment.number, steps, True, 0), deployment.id, step
        )
        for steps, step in enumerate(deployment.timeline)
    ]


def _rank(step: Step) -> int:
    """Nothing follows a deletion but what it ends."""
    return 3 if step.status in {DELETING, DELETED} else 0


def _rank_of_deployment(step: Step) -> int:
    if step.reason == ENVIRONMENT_DELETED:
        return 4
    return 2 if step.status == SUPERSEDED else 1


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
