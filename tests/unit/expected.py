"""What must become of an environment and its deployments, in closed form, from what was asked of them.

This is the domain said a second time, without plans, replanning or history: one pass over the
wishes. `rules` compares the two.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.deployment import Deployment, finish
from shared.domain.environment import Environment, EnvironmentType
from shared.domain.timeline import Outcome, Step
from tests.unit.sequences import TICK, Event, Life

ALL = {"provisioning", "running", "failed", "expired", "deleting", "deleted"}
LEGAL = {
    "deploy": {"running"},
    "edit": ALL - {"deleting", "deleted"},
    "end": ALL,
    "settle": ALL,
    "project end": ALL,
    "open": {"-"},
}
"""Which operation is possible in which status of the environment."""


@dataclass(frozen=True)
class End:
    """What ends the deployments of an environment."""

    at: datetime
    reason: str
    planned: bool
    """An end that was known before wins over a start at the same moment; one that is asked for doesn't."""


def environment_steps(life: Life) -> list[Step]:
    """The environment's whole life."""
    environment = life.stored.environment
    steps = _undisturbed(environment)
    if life.end_asked is not None:
        asked_at, reason = life.end_asked
        steps = [step for step in steps if step.at <= asked_at]
        steps.append(Step(asked_at, "deleting", reason))
    elif steps[-1].status == "expired":
        steps.append(Step(steps[-1].at + _seconds(environment.pace.grace), "deleting", "grace_period_over"))
    if steps[-1].status == "deleting":
        steps.append(Step(steps[-1].at + _seconds(environment.pace.deleting), "deleted", steps[-1].reason))
    return steps


def _undisturbed(environment: Environment) -> list[Step]:
    """Up to its expiry."""
    ready_at = environment.created_at + _seconds(environment.work.seconds)
    steps = [Step(environment.created_at, "provisioning")]
    if environment.expires_at is None or ready_at < environment.expires_at:
        ready = environment.work.outcome == Outcome.SUCCEED
        steps.append(Step(ready_at, "running") if ready else Step(ready_at, "failed", "provisioning_failed"))
    if environment.expires_at is not None:
        steps.append(Step(environment.expires_at, "expired", "ttl_expired"))
    return steps


def deployment_steps(life: Life) -> dict[int, list[Step]]:
    """The whole lives of its deployments, by number: the later ones wait for the earlier ones."""
    environment, end = life.stored.environment, _end(life)
    lives: dict[int, list[Step]] = {}
    free_at = environment.created_at
    since: datetime | None = None
    for number, item in sorted(life.deployments.items()):
        start = max((since or item.created_at) + _seconds(environment.pace.pending), free_at)
        newer = life.deployments.get(number + 1)
        begun = Step(item.created_at, "pending")
        if environment.type == EnvironmentType.EPHEMERAL and newer and newer.created_at < start:
            lives[number] = [begun, Step(newer.created_at, "superseded", "newer_deployment")]
            since = since or item.created_at
            continue
        since = None
        if end and (end.at < start or (end.at == start and end.planned)):
            lives[number] = [begun, Step(end.at, "canceled", end.reason)]
        else:
            last = _last(item, start, end)
            lives[number] = [begun, Step(start, "running"), last]
            cut = end is not None and last == Step(end.at, "failed", end.reason)
            free_at = last.at + TICK if cut else last.at  # what waits doesn't start where the other is ended
    return lives


def _last(item: Deployment, start: datetime, end: End | None) -> Step:
    own = finish(item.work, start)
    return Step(end.at, "failed", end.reason) if end and end.at < own.at else own


def is_full(event: Event) -> bool:
    """Whether a persistent environment has 20 deployments that haven't ended."""
    if event.before is None or event.before.environment.type == EnvironmentType.EPHEMERAL:
        return False
    return sum(item.timeline[-1].at > event.now for item in event.before.deployments) == 20


def _end(life: Life) -> End | None:
    for step in environment_steps(life):
        if step.status == "expired":
            return End(step.at, "environment_expired", planned=True)
        if step.status == "deleting":
            return End(step.at, "environment_deleted", planned=False)
    return None


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
