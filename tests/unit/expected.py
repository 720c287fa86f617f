"""What must become of an environment and its deployments, in closed form, from what was asked of them.

This is the domain said a second time, without plans, replanning or history: one pass over the
wishes. `rules` compares the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from shared.domain.aggregate import Aggregate
from shared.domain.deployment import Deployment, finish
from shared.domain.environment import Environment
from shared.domain.simulation import Simulation
from shared.domain.timeline import Step, Timeline
from shared.errors import (
    Busy,
    EnvctlError,
    EnvironmentEnding,
    EnvironmentNotRunning,
    FailedBefore,
    InvalidInput,
    NoLease,
    NothingToRollBackTo,
    NotPossible,
    TooManyUnfinished,
)
from tests.unit.lives import Event, Life
from tests.unit.wishes import LONGEST, TICK, Ask

FOREVER = datetime.max.replace(tzinfo=UTC)
DEPLOYMENT = {"pending", "running", "canceling", "succeeded", "failed", "canceled", "superseded"}
ALL = {"provisioning", "running", "failed", "expired", "deleting", "deleted"}
LEGAL = {
    "deploy": {"running"},
    "edit": ALL - {"deleting", "deleted"},
    "extend": {"provisioning", "running", "failed"},
    "restore": {"expired"},
    "retry": {"failed"},
    "rollback": {"running"},
    "cancel": {"pending", "running", "canceling", "canceled"},
    "end": ALL,
    "settle": ALL,
    "repair": ALL,
    "project end": ALL,
    "open": {"-"},
}
"""Which operation is possible in which status of what it is about."""
REFUSALS = {
    "deploy": EnvironmentNotRunning,
    "edit": EnvironmentEnding,
    "extend": NotPossible,
    "restore": NotPossible,
    "retry": NotPossible,
    "cancel": NotPossible,
    "rollback": EnvironmentNotRunning,
}
"""What is said in the others."""
PROVISIONED = {
    "succeed": ("running", None),
    "fail": ("failed", "provisioning_failed"),
    "hang": ("failed", "deadline_exceeded"),
}
"""What an environment is after its provisioning, and why."""


@dataclass(frozen=True)
class End:
    """What ends the deployments of an environment."""

    at: datetime
    reason: str
    planned: bool
    """An end that was known before wins over a start at the same moment; one that is asked for doesn't."""


def environment_steps(life: Life) -> list[Step]:
    """The environment's whole life: what was asked, and what comes by itself between."""
    environment, lease = life.stored.environment, life.lease
    steps = [Step(environment.created_at, "provisioning")]
    for wish in life.wishes:
        steps += _until(environment, steps, lease, wish.at)
        lease = wish.lease or lease
        if wish.status is not None:
            steps.append(Step(wish.at, wish.status, wish.reason))
    return [*steps, *_until(environment, steps, lease, FOREVER)]


def _until(
    environment: Environment, steps: list[Step], lease: datetime | None, until: datetime
) -> Iterator[Step]:
    """What comes by itself after some steps, as far as a moment."""
    last, attempt = steps[-1], [step.status for step in steps].count("provisioning")
    while (step := _by_itself(environment, last, lease, attempt)) is not None and step.at <= until:
        yield step
        last = step


def outcome_of(environment: Environment, attempt: int) -> str:
    """How a provisioning ends that nobody disturbs: by its seed and its number if it is flaky."""
    return flaky_outcome(environment.simulation, attempt) or environment.work.outcome


def flaky_outcome(simulation: Simulation | None, attempt: int) -> str | None:
    """None for what is not flaky."""
    if simulation is None:
        return None
    return "fail" if sha256(f"{simulation.seed} {attempt}".encode()).digest()[0] % 2 else "succeed"


def _by_itself(environment: Environment, last: Step, lease: datetime | None, attempt: int) -> Step | None:
    pace = environment.pace
    expired = None if lease is None else Step(lease, "expired", "ttl_expired")
    match last.status:
        case "provisioning":
            done = PROVISIONED[outcome_of(environment, attempt)]
            over = Step(last.at + _seconds(environment.work.seconds), *done)
            return expired if expired and expired.at <= over.at else over
        case "running" | "failed":
            return expired
        case "expired":
            return Step(last.at + _seconds(pace.grace), "deleting", "grace_period_over")
        case "deleting":
            return Step(last.at + _seconds(pace.deleting), "deleted", last.reason)
    return None


def deployment_steps(life: Life) -> dict[int, list[Step]]:
    """The whole lives of its deployments, by number: the later ones wait for the earlier ones."""
    environment, ends = life.stored.environment, list(_ends(life))
    lives: dict[int, list[Step]] = {}
    queued: dict[int, datetime] = {}
    free_at = environment.created_at
    for number, item in sorted(life.deployments.items()):
        end = next((end for end in ends if end.at >= item.created_at + end.planned * TICK), None)
        since = min(queued.get(number, item.created_at), item.created_at)
        start = max(since + _seconds(environment.pace.pending), free_at)
        begun = Step(item.created_at, "pending")
        canceled = life.canceled.get(number)
        newer = _superseding(life, number, start, end)
        if canceled is not None and canceled < start:
            lives[number] = [begun, Step(canceled, "canceled", "cancel_requested")]
        elif newer is not None:
            lives[number] = [begun, Step(newer.created_at, "superseded", "newer_deployment")]
            queued[newer.number] = min(queued.get(newer.number, since), since)
        elif end and (end.at < start or (end.at == start and end.planned)):
            lives[number] = [begun, Step(end.at, "canceled", end.reason)]
        else:
            *_, last = lives[number] = [begun, Step(start, "running"), *_run(life, item, start, end)]
            cut = end is not None and not end.planned and (last.at, last.reason) == (end.at, end.reason)
            free_at = last.at + TICK if cut else last.at  # what waits doesn't start where the other is ended
    return lives


def _superseding(life: Life, number: int, start: datetime, end: End | None) -> Deployment | None:
    """The one that takes its place while it waits."""
    for later in sorted(life.superseding):
        newer = life.deployments[later]
        ended = end and (end.at < newer.created_at or (end.at == newer.created_at and end.planned))
        if later > number:
            return newer if newer.created_at < start and not ended else None
    return None


def _run(life: Life, item: Deployment, start: datetime, end: End | None) -> list[Step]:
    """From its start on: its own end, a cancellation, or its environment's end, whichever comes first."""
    begun: list[Step] = []
    own, cut = finish(item.work, start), "failed"
    canceled = life.canceled.get(item.number)
    if canceled is not None:
        begun = [Step(canceled, "canceling", "cancel_requested")]
        own, cut = Step(canceled + _seconds(1), "canceled", "cancel_requested"), "canceled"
    return [*begun, Step(end.at, cut, end.reason) if end and end.at < own.at else own]


def refusal(event: Event) -> type[EnvctlError] | None:
    """Why an operation is not possible; None if it is."""
    if event.status not in LEGAL[event.operation]:
        never = event.operation == "extend" and event.life.lease is None
        return NoLease if never else REFUSALS[event.operation]
    if event.before is None or event.ask is None:
        return None
    if event.operation == "deploy":
        return _why_not_deploy(event.before, event.ask, event.now)
    if event.operation == "rollback":
        return _why_not_rollback(event, event.ask)
    return _why_not_lease(event, event.before, event.ask)


def _why_not_rollback(event: Event, ask: Ask) -> type[EnvctlError] | None:
    if ask.target is None:
        return None if default_target(event) else NothingToRollBackTo
    is_known = event.earlier is not None and event.earlier.id == ask.target
    return None if is_known and _status(event.earlier, event.now) == "succeeded" else InvalidInput


def default_target(event: Event) -> int | None:
    """The number of what is gone back to by default: what is live while something runs, else what was."""
    earlier = [item for item in event.life.deployments.values() if item.created_at <= event.now]
    earlier = [item for item in earlier if item is not event.added]
    runs = any(_status(item, event.now) in {"running", "canceling"} for item in earlier)
    succeeded = [item for item in earlier if _status(item, event.now) == "succeeded"]
    succeeded.sort(key=lambda item: (item.timeline[-1].at, item.number))
    wanted = 1 if runs else 2
    return succeeded[-wanted].number if len(succeeded) >= wanted else None


def _status(item: Deployment | None, now: datetime) -> str:
    return [step.status for step in item.timeline if step.at <= now][-1] if item else ""


def _why_not_lease(event: Event, before: Aggregate, ask: Ask) -> type[EnvctlError] | None:
    match event.operation:
        case "extend" if event.life.lease is None:
            return NoLease
        case "restore" if _has_failed(before.environment.timeline, event.now):
            return FailedBefore
        case "extend" | "restore" if not _can_last(event.life, ask.until(event.now), event.now):
            return InvalidInput
    return None


def _why_not_deploy(before: Aggregate, ask: Ask, now: datetime) -> type[EnvctlError] | None:
    """`latest` makes room for itself; nothing else does."""
    unfinished = [item for item in before.deployments if item.timeline[-1].at > now]
    match ask.policy or before.environment.on_conflict:
        case "reject":
            return Busy if unfinished else None
        case "queue":
            return TooManyUnfinished if len(unfinished) == 20 else None
    return None


def _has_failed(timeline: Timeline, now: datetime) -> bool:
    """Whether it has failed and not been running since."""
    statuses = "".join(
        {"failed": "f", "running": "r"}.get(step.status, "") for step in timeline if step.at <= now
    )
    return statuses.endswith("f")


def _can_last(life: Life, until: datetime, now: datetime) -> bool:
    return now < until <= life.stored.environment.created_at + LONGEST


def _ends(life: Life) -> Iterator[End]:
    """The ends of its deployments: each time it expires, or its deletion before that."""
    lasts = True
    for step in environment_steps(life):
        if step.status == "expired":
            yield End(step.at, "environment_expired", planned=True)
        elif step.status == "deleting" and lasts:
            yield End(step.at, "environment_deleted", planned=False)
        lasts = step.status in {"provisioning", "running", "failed"}


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
