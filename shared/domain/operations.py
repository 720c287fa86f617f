"""What may be done with an environment and its deployments: each operation keeps history and replans.

An operation raises an error that says why it is not possible, or gives back the aggregate to commit:
the very object that it got where there is nothing to commit.
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.actions import (
    CANCEL,
    DELETE,
    DEPLOY,
    EDIT,
    ENVIRONMENT_ACTIONS,
    EXTEND,
    RESTORE,
    RETRY,
    ROLLBACK,
    EnvironmentAction,
    require,
    require_of_deployment,
)
from shared.domain.aggregate import Aggregate, replan
from shared.domain.deployment import (
    CANCELED,
    CANCELING,
    PENDING,
    SUCCEEDED,
    SUPERSEDED,
    Deployment,
    Kind,
    Rollout,
)
from shared.domain.environment import (
    DELETING,
    PROVISIONING,
    RUNNING,
    Environment,
    Note,
    NoteAction,
    Policy,
    provision,
)
from shared.domain.lease import Lease
from shared.domain.simulation import by_chance
from shared.domain.timeline import Step, history
from shared.errors import (
    Busy,
    EnvironmentEnding,
    EnvironmentNotRunning,
    FailedBefore,
    Fault,
    InvalidInput,
    NoLease,
    NotFound,
    NothingToRollBackTo,
    TooManyUnfinished,
)

MOST_UNFINISHED = 20
"""How many deployments of one environment may be waiting or running."""
MOST_NOTES = 100
MOST_REPAIRS = 10
"""Among the notes: a queue that stands still for a month would leave no room for anything else."""


def deploy(aggregate: Aggregate, new: Rollout, now: datetime, on_conflict: Policy | None = None) -> Aggregate:
    """Ask for another deployment, under the environment's policy or another one.

    Raises EnvironmentNotRunning, Busy under the policy `reject`, or TooManyUnfinished when 20 are waiting
    or running.
    """
    environment = aggregate.environment
    _require_running(DEPLOY, environment, now)
    match on_conflict or environment.on_conflict:
        case Policy.LATEST:
            return _take_over(aggregate, new, now)
        case Policy.REJECT:
            _refuse_busy(aggregate, now)
    _refuse_full(aggregate, now)
    return _add(aggregate, new, now)


def _require_running(action: EnvironmentAction, environment: Environment, now: datetime) -> None:
    status = environment.status_at(now)
    if status not in ENVIRONMENT_ACTIONS[action]:
        raise EnvironmentNotRunning(environment.id, status)


def _refuse_busy(aggregate: Aggregate, now: datetime) -> None:
    for item in aggregate.deployments:
        if item.ends_at > now:
            raise Busy(aggregate.environment.id, item.number, item.status_at(now))


def _refuse_full(aggregate: Aggregate, now: datetime) -> None:
    ends = [item.ends_at for item in aggregate.deployments if item.ends_at > now]
    if len(ends) >= MOST_UNFINISHED:
        raise TooManyUnfinished(aggregate.environment.id, MOST_UNFINISHED, min(ends) - now)


def _take_over(
    aggregate: Aggregate, new: Rollout, now: datetime, repeated: Deployment | None = None
) -> Aggregate:
    """Add it in the place of those that wait, which are superseded.

    It waits no longer than they would have: however often somebody deploys, something runs.
    """
    pending = [item for item in aggregate.deployments if item.status_at(now) == PENDING]
    queued_at = min((item.waits_since for item in pending), default=None)
    kept = tuple(
        _ended(item, now, SUPERSEDED, "newer_deployment") if item in pending else item
        for item in aggregate.deployments
    )
    return _add(Aggregate(aggregate.environment, kept), new, now, queued_at, repeated)


def _add(
    aggregate: Aggregate,
    new: Rollout,
    now: datetime,
    queued_at: datetime | None = None,
    repeated: Deployment | None = None,
) -> Aggregate:
    """Add what is asked for, or once more what has been rolled out before: its number follows the last."""
    environment = aggregate.environment
    number = environment.last_number + 1
    added = Deployment(
        id=new.id,
        environment_id=environment.id,
        project_id=environment.project_id,
        version=repeated.version if repeated else new.version,
        number=number,
        config=repeated.config if repeated else environment.config,
        work=by_chance(new.work, new.simulation, new.id, number),
        created_at=now,
        timeline=(Step(now, PENDING),),
        queued_at=queued_at,
        kind=Kind.ROLLBACK if repeated else Kind.DEPLOY,
        rollback_of=repeated.id if repeated else None,
        simulation=new.simulation,
        fingerprint=new.fingerprint,
    )
    return replan(Aggregate(environment, (*aggregate.deployments, added)), now)


def _ended(item: Deployment, now: datetime, status: str, reason: str) -> Deployment:
    return replace(item, timeline=(*history(item.timeline, now), Step(now, status, reason)))


def rollback(aggregate: Aggregate, new: Rollout, now: datetime, to: str | None = None) -> Aggregate:
    """Deploy once more what has succeeded before, in the place of what waits.

    By default that is what is live while something runs, else what was live before it. Raises
    EnvironmentNotRunning, NothingToRollBackTo, or InvalidInput for a target that has not succeeded here.
    """
    environment = aggregate.environment
    _require_running(ROLLBACK, environment, now)
    target = _default_target(aggregate, now) if to is None else aggregate.deployment(to)
    if to is None and target is None:
        raise NothingToRollBackTo(environment.id)
    if target is None or target.environment_id != environment.id:
        raise InvalidInput([Fault("/to", "must be a deployment of this environment")])
    if target.status_at(now) != SUCCEEDED:
        raise InvalidInput([Fault("/to", f"must be one that succeeded; it is {target.status_at(now)}")])
    return _take_over(aggregate, new, now, target)


def _default_target(aggregate: Aggregate, now: datetime) -> Deployment | None:
    target = aggregate.environment.rollback_target_at(now)
    return None if target is None else aggregate.deployment(target.id)


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
    status = environment.status_at(now)
    if status not in ENVIRONMENT_ACTIONS[EDIT]:
        raise EnvironmentEnding(environment.id, status)
    if (name, config) == (environment.name, environment.config):
        return aggregate
    return replan(
        replace(aggregate, environment=replace(environment, name=name, config=config, changed_at=now)), now
    )


def end_environment(aggregate: Aggregate, now: datetime, reason: str) -> Aggregate:
    """Delete it, from now on; its deployments end with it. Once it is on its way, nothing changes."""
    environment = aggregate.environment
    if environment.status_at(now) not in ENVIRONMENT_ACTIONS[DELETE]:
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
    return _leased(aggregate, now, lease, NoteAction.EXTENDED)


def restore(aggregate: Aggregate, now: datetime, lease: Lease) -> Aggregate:
    """Run again after the expiry, for a new lease. Deployments that ended with the old one stay ended.

    Raises NotPossible unless it has expired and is not deleted, FailedBefore when it had failed, or
    InvalidInput.
    """
    environment = aggregate.environment
    require(RESTORE, environment, now)
    if environment.has_failed(now):
        raise FailedBefore(environment.id)
    return _leased(aggregate, now, lease, NoteAction.RESTORED, Step(now, RUNNING, "restore_requested"))


def retry(aggregate: Aggregate, now: datetime) -> Aggregate:
    """Provision once more what has failed. Raises NotPossible in another status."""
    environment = aggregate.environment
    require(RETRY, environment, now)
    past = (*history(environment.timeline, now), Step(now, PROVISIONING, "retry_requested"))
    again = provision(replace(environment, changed_at=now), past)
    return replan(replace(aggregate, environment=again), now)


def _leased(aggregate: Aggregate, now: datetime, lease: Lease, action: NoteAction, *steps: Step) -> Aggregate:
    environment = aggregate.environment
    ends_at = lease.ends_at(environment.created_at, now)
    noted = _note(environment, now, action, ends_at)
    past = (*history(environment.timeline, now), *steps)
    changed = replace(noted, timeline=past, expires_at=ends_at, changed_at=now)
    return replan(replace(aggregate, environment=changed), now)


def repair(aggregate: Aggregate, now: datetime) -> Aggregate:
    """Settle what a wake-up that got lost has left to do, and note it. Nothing where nothing has come due."""
    environment = aggregate.environment
    if environment.due_at is None or environment.due_at > now or environment.due_at == environment.purge_at:
        return aggregate
    return replan(replace(aggregate, environment=_note(environment, now, NoteAction.REPAIRED)), now)


def _note(
    environment: Environment, now: datetime, action: NoteAction, until: datetime | None = None
) -> Environment:
    """The environment with a note more. Repairs never crowd out what callers did."""
    note = Note(now, action, until, steps=len(history(environment.timeline, now)))
    notes = (*environment.notes, note)
    repairs = [item for item in notes if item.action == NoteAction.REPAIRED]
    dropped = repairs[:-MOST_REPAIRS]
    return replace(environment, notes=tuple(item for item in notes if item not in dropped)[-MOST_NOTES:])
