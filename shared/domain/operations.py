"""What may be done with an environment and its deployments: each operation keeps history and replans.

An operation raises an error that says why it is not possible, or gives back the aggregate to commit:
the very object that it got where there is nothing to commit.
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.actions import EXTEND, RESTORE, require
from shared.domain.aggregate import Aggregate, replan
from shared.domain.deployment import PENDING, SUPERSEDED, Deployment
from shared.domain.environment import DELETED, DELETING, RUNNING, EnvironmentType, Note
from shared.domain.lease import Lease
from shared.domain.timeline import Step, history
from shared.errors import (
    EnvironmentEnding,
    EnvironmentNotRunning,
    FailedBefore,
    NoLease,
    TooManyUnfinished,
)

MOST_UNFINISHED = 20
"""How many deployments of one environment may be waiting or running."""
MOST_NOTES = 100


def deploy(aggregate: Aggregate, new: Deployment, now: datetime) -> Aggregate:
    """Ask for another deployment. Its number, configuration and timeline are set here.

    On an ephemeral environment the newest pending one wins: it takes the place of older ones, which
    are superseded, and waits no longer than they would have: however often somebody deploys, something
    runs. On a persistent one they run in the order of their numbers. Raises EnvironmentNotRunning,
    or TooManyUnfinished when 20 are waiting or running.
    """
    environment = aggregate.environment
    status = environment.status_at(now)
    if status != RUNNING:
        raise EnvironmentNotRunning(environment.id, status)
    waiting = tuple(item for item in aggregate.deployments if item.ends_at > now)
    queued_at = None
    if environment.type == EnvironmentType.EPHEMERAL:
        kept = tuple(_superseded(item, now) for item in aggregate.deployments)
        pending = [item for item in waiting if item.status_at(now) == PENDING]
        queued_at = min((item.waits_since for item in pending), default=None)
    elif len(waiting) >= MOST_UNFINISHED:
        first_end = min(item.ends_at for item in waiting)
        raise TooManyUnfinished(environment.id, MOST_UNFINISHED, first_end - now)
    else:
        kept = aggregate.deployments
    number = environment.last_number + 1
    begun = (Step(now, PENDING),)
    added = replace(
        new,
        number=number,
        config=environment.config,
        created_at=now,
        queued_at=queued_at,
        timeline=begun,
    )
    return replan(Aggregate(replace(environment, last_number=number), (*kept, added)), now)


def _superseded(item: Deployment, now: datetime) -> Deployment:
    if item.status_at(now) != PENDING:
        return item
    past = history(item.timeline, now)
    return replace(item, timeline=(*past, Step(now, SUPERSEDED, "newer_deployment")))


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
