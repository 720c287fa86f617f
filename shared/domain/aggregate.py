"""An environment with its unfinished deployments: what every operation reads, replans and commits as one.

Plans follow from intent, never from an earlier plan: an operation (`operations`) keeps history, changes
an intent (a lease, a deletion, a new deployment) and calls `replan`. Settling is `replan` alone.

       history          now            plan
    ---o-----o-----------|------o--------o------>   environment
          ---o-----o-----|---o                      deployment that runs
                  ---o---|---:--o-----o             the next one starts when it has ended
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain import deployment as deployments_
from shared.domain import environment as environments_
from shared.domain.deployment import Deployment, finish
from shared.domain.environment import Environment, Live, Unfinished
from shared.domain.timeline import Step, Timeline, history, next_at

ENVIRONMENT_EXPIRED, ENVIRONMENT_DELETED = "environment_expired", "environment_deleted"
"""Why deployments end with their environment."""

MOST_LIVE = 10
"""How many that were live an environment knows."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An environment and those of its deployments that were unfinished at its last commit, by number."""

    environment: Environment
    deployments: tuple[Deployment, ...] = ()
    beside: tuple[Deployment, ...] = ()
    """Further ones that an operation looks at. They have ended: they are neither planned nor committed."""

    def deployment(self, deployment_id: str) -> Deployment | None:
        """The deployment of this id, if it is known here."""
        found = (item for item in (*self.deployments, *self.beside) if item.id == deployment_id)
        return next(found, None)


def replan(aggregate: Aggregate, now: datetime) -> Aggregate:
    """The same intents from `now` on, with `now` as the moment of the commit.

    Idempotent: what nobody disturbs keeps its plan and reaches its own outcome.
    """
    environment = aggregate.environment
    timeline = environments_.plan(environment, history(environment.timeline, now))
    deployments = _replan_deployments(environment, environments_.end_of(timeline), aggregate.deployments, now)
    own_step_at = next_at(timeline, now) or environments_.purge_at(timeline, environment.pace)
    due_at = _due_at(own_step_at, deployments, now)
    environment = replace(
        environment,
        timeline=timeline,
        as_of=now,
        due_at=due_at,
        woken_for=due_at if due_at == own_step_at else environment.woken_for,
        last_number=max([environment.last_number, *(item.number for item in deployments)]),
        unfinished=tuple(
            Unfinished(d.id, d.number, d.ends_at, d.started_at) for d in deployments if d.ends_at > now
        ),
        live=_live(environment, deployments, now),
    )
    return Aggregate(environment, deployments, aggregate.beside)


def _live(environment: Environment, deployments: tuple[Deployment, ...], now: datetime) -> tuple[Live, ...]:
    """What was live stays so, at most the last 10; what will be follows from the plans."""
    past = [item for item in environment.live if item.at <= now]
    known = {item.id for item in past}
    succeeding = [
        Live(item.id, item.number, item.version, item.ends_at)
        for item in deployments
        if item.timeline[-1].status == deployments_.SUCCEEDED and item.id not in known
    ]
    ordered = sorted((*past, *succeeding), key=lambda item: (item.at, item.number))
    ahead = sum(item.at > now for item in ordered)
    return tuple(ordered[-ahead - MOST_LIVE :])


def _due_at(
    own_step_at: datetime | None, deployments: tuple[Deployment, ...], now: datetime
) -> datetime | None:
    steps = [at for item in deployments if (at := next_at(item.timeline, now)) is not None]
    return min([own_step_at, *steps] if own_step_at else steps, default=None)


def needs_wake(before: Environment, after: Environment) -> bool:
    """Whether a commit must ask for a wake-up: it is due at another moment, and none is asked for yet.

    One that was asked for the environment's own next step, its expiry say, outlasts the deployments
    that come between. A wake-up that gets lost is the sweep's.
    """
    return after.due_at not in {before.due_at, before.woken_for}


def _replan_deployments(
    environment: Environment, end: Step | None, deployments: tuple[Deployment, ...], now: datetime
) -> tuple[Deployment, ...]:
    """One after the other in the order of their numbers; each ends with the environment at the latest."""
    planned: dict[int, Deployment] = {}
    free_at = now
    for item in sorted(deployments, key=lambda d: (d.status_at(now) == deployments_.PENDING, d.number)):
        steps = _plan_deployment(environment, end, item, free_at, now)
        planned[item.number] = item if steps == item.timeline else replace(item, timeline=steps)
        if any(step.status == deployments_.RUNNING for step in steps):
            free_at = max(free_at, steps[-1].at)
    return tuple(planned[number] for number in sorted(planned))


def _plan_deployment(
    environment: Environment, end: Step | None, item: Deployment, free_at: datetime, now: datetime
) -> Timeline:
    steps = history(item.timeline, now)
    while not deployments_.MACHINE.is_terminal(steps[-1].status):
        steps.append(_ended_by(end, steps[-1], _following(environment, item, steps[-1], free_at)))
    return deployments_.MACHINE.timeline(steps)


def _following(environment: Environment, item: Deployment, last: Step, free_at: datetime) -> Step:
    """What comes next if the environment lasts."""
    match last.status:
        case deployments_.DeploymentStatus.PENDING:
            ready_at = item.waits_since + timedelta(seconds=environment.pace.pending)
            return Step(max(ready_at, free_at), deployments_.RUNNING)
        case deployments_.DeploymentStatus.RUNNING:
            return finish(item.work, last.at)
    return Step(last.at + timedelta(seconds=environment.pace.canceling), deployments_.CANCELED, last.reason)


def _ended_by(end: Step | None, last: Step, following: Step) -> Step:
    """The following step, or the environment's end where that comes first.

    At the same moment work that is done stands, and work that would start doesn't.
    """
    if end is None or following.at < end.at:
        return following
    if following.at == end.at and following.status != deployments_.RUNNING:
        return following
    reason = ENVIRONMENT_EXPIRED if end.status == environments_.EXPIRED else ENVIRONMENT_DELETED
    running = last.status == deployments_.RUNNING
    return Step(max(end.at, last.at), deployments_.FAILED if running else deployments_.CANCELED, reason)


def open_environment(environment: Environment) -> Aggregate:
    """A new environment: provisioning from its creation on, its end planned."""
    begun = Step(environment.created_at, environments_.PROVISIONING)
    return replan(Aggregate(environments_.provision(environment, [begun])), environment.created_at)
