"""What may be done with an environment and its deployments: each operation keeps history and replans.

An operation raises an error that says why it is not possible, or gives back the aggregate to commit:
the very object that it got where there is nothing to commit.
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.actions import (
    CANCEL,
    DEPLOY,
    ENVIRONMENT_ACTIONS,
    EXTEND,
    RESTORE,
    require,
    require_of_deployment,
)
from shared.domain.aggregate import Aggregate, replan
from shared.domain.deployment import CANCELED, CANCELING, PENDING, SUPERSEDED, Deployment
from shared.domain.environment import DELETED, DELETING, RUNNING, Environment, Note, Policy
from shared.domain.lease import Lease
from shared.domain.timeline import Step, history
from shared.errors import (
    Busy,
    EnvironmentEnding,
    EnvironmentNotRunning,
    FailedBefore,
    NoLease,
    NotFound,
    TooManyUnfinished,
)

MOST_UNFINISHED = 20
"""How many deployments of one environment may be waiting or running."""
MOST_NOTES = 100


def deploy(
    aggregate: Aggregate, new: Deployment, now: datetime, on_conflict: Policy | None = None
) -> Aggregate:
    """Ask for another deployment, under the environment's policy or another one.

    Its number, configuration and timeline are set here. Raises EnvironmentNotRunning, Busy under the
    policy `reject`, or TooManyUnfinished when 20 are waiting or running.
    """
    environment = aggregate.environment
    _require_running(environment, now)
    match on_conflict or environment.on_conflict:
        case Policy.LATEST:
            return _take_over(aggregate, replace(new, config=environment.config), now)
        case Policy.REJECT:
            _refuse_busy(aggregate, now)
    _refuse_full(aggregate, now)
    return _add(aggregate, replace(new, config=environment.config), now)


def _require_running(environment: Environment, now: datetime) -> None:
    status = environment.status_at(now)
    if status not in ENVIRONMENT_ACTIONS[DEPLOY]:
        raise EnvironmentNotRunning(environment.id, status)


def _refuse_busy(aggregate: Aggregate, now: datetime) -> None:
    for item in aggregate.deployments:
        if item.ends_at > now:
            raise Busy(aggregate.environment.id, item.number, item.status_at(now))


def _refuse_full(aggregate: Aggregate, now: datetime) -> None:
    ends = [item.ends_at for item in aggregate.deployments if item.ends_at > now]
    if len(ends) >= MOST_UNFINISHED:
        raise TooManyUnfinished(aggregate.environment.id, MOST_UNFINISHED, min(ends) - now)


def _take_over(aggregate: Aggregate, new: Deployment, now: datetime) -> Aggregate:
    """Add it in the place of those that wait, which are superseded.

    It waits no longer than they would have: however often somebody deploys, something runs.
    """
    pending = [item for item in aggregate.deployments if item.status_at(now) == PENDING]
    queued_at = min((item.waits_since for item in pending), default=None)
    kept = tuple(
        _ended(item, now, SUPERSEDED, "newer_deployment") if item in pending else item
        for item in aggregate.deployments
    )
    return _add(replace(aggregate, deployments=kept), replace(new, queued_at=queued_at), now)


def _add(aggregate: Aggregate, new: Deployment, now: datetime) -> Aggregate:
    environment = aggregate.environment
    number = environment.last_number + 1
    added = replace(new, number=number, created_at=now, timeline=(Step(now, PENDING),))
    return replan(
        Aggregate(replace(environment, last_number=number), (*aggregate.deployments, added)),
        now,
    )


def _ended(item: Deployment, now: datetime, status: str, reason: str) -> Deployment:
    return replace(item, timeline=(*history(item.timeline, now), Step(now, status, reason)))


def cancel(aggregate: Aggregate, now: datetime, deployment_id: str) -> Aggregate:
    """Stop a deployment: one that waits at once, one that runs shortly. A repeat changes nothing.

    Raises NotFound, or NotPossible when it has ended in another way: what is done stands.
    """
    item = aggregate.deployment(deployment_id)
    if item is None:
        raise NotFound("deployment", deployment_id)
    status = item.status_at(now)
    if status in {CANCELING, CANCELED}:
        return aggregate
    require_of_deployment(CANCEL, item, now)
    stopped = _ended(item, now, CANCELED if status == PENDING else CANCELING, "cancel_requested")
    kept = tuple(stopped if other is item else other for other in aggregate.deployments)
    return replan(replace(aggregate, deployments=kept), now)


def edit(aggregate: Aggregate, now: datetime, *, name: str, config: str | None) -> Aggregate:
    """Change the fields that a caller may change. Raises EnvironmentEnding while it is deleted."""
    environment = aggregate.environment
    if environment.status_at(now) in {DELETING, DELETED}:
        raise EnvironmentEnding(environment.id, environment.status_at(now))
    if (name, config) == (environment.name, environment.config):
        return aggregate
    return replan(
        replace(aggregate, environment=replace(environment, name=name, config=config, changed_at=now)), now
    )


def end_environment(aggregate: Aggregate, now: datetime, reason: str) -> Aggregate:
    """Delete it, from now on; its deployments end with it. Once it is on its way, nothing changes."""
    environment = aggregate.environment
    if environment.status_at(now) in {DELETING, DELETED}:
        return aggregate
    past = (*history(environment.timeline, now), Step(now, DELETING, reason))
    return replan(replace(aggregate, environment=replace(environment, timeline=past, changed_at=now)), now)


def extend(aggregate: Aggregate, now: datetime, lease: Lease) -> Aggregate:
    """Another end of the lease; what was to end with the old one goes on.

    Raises NoLease for a persistent one, NotPossible once it has expired or is deleted, or InvalidInput.
    """
    environment = aggregate.environment
    if environment.expires_at is None:
        raise NoLease(environment.id)
    require(EXTEND, environment, now)
    return _leased(aggregate, now, lease, "extended")


def restore(aggregate: Aggregate, now: datetime, lease: Lease) -> Aggregate:
    """Run again after the expiry, for a new lease. Deployments that ended with the old one stay ended.

    Raises NotPossible unless it has expired and is not deleted, FailedBefore when it had failed, or
    InvalidInput.
    """
    environment = aggregate.environment
    require(RESTORE, environment, now)
    if environment.has_failed(now):
        raise FailedBefore(environment.id)
    past = (*history(environment.timeline, now), Step(now, RUNNING, "restore_requested"))
    return _leased(
        replace(aggregate, environment=replace(environment, timeline=past)), now, lease, "restored"
    )


def _leased(aggregate: Aggregate, now: datetime, lease: Lease, action: str) -> Aggregate:
    environment = aggregate.environment
    ends_at = lease.ends_at(environment.created_at, now)
    notes = (*environment.notes, Note(now, action, ends_at))[-MOST_NOTES:]
    changed = replace(environment, expires_at=ends_at, notes=notes, changed_at=now)
    return replan(replace(aggregate, environment=changed), now)
