"""What the environments function does."""

from datetime import datetime
from typing import Any

from functions.environments import leases
from functions.environments.schemas import NewEnvironment, NewLease, NewRollback
from shared import documents, durations, ids, quotas
from shared.access import Caller
from shared.changing import (
    Added,
    Changed,
    Matching,
    Reading,
    add_deployment,
    change_environment,
    create,
    nothing_beside,
)
from shared.clock import effective_now
from shared.domain import aggregate as aggregates
from shared.domain import operations
from shared.domain.aggregate import Aggregate
from shared.domain.environment import Environment, default_policy
from shared.domain.lease import Lease
from shared.http.simulations import asked, rollout
from shared.http.types import config_text
from shared.idempotency import Intent
from shared.ports import Data
from shared.reading import ProjectSeen, read_project
from shared.runtime import Runtime
from shared.waking import wake


def open_environment(
    runtime: Runtime, caller: Caller, project_id: str, intent: Intent, new: NewEnvironment
) -> Changed:
    """A new environment, provisioning from now on, or the intent's as it is now.

    Raises InvalidInput for a TTL or a simulation that can't be, or KeyReused.
    """
    lease = leases.first(runtime, new)
    environment_id = ids.new_environment_id(project_id, intent.part)
    ref = documents.environment_ref(environment_id)
    seen = read_project(runtime, caller, project_id, [ref] if intent.is_repeatable else [])
    earlier = seen.beside.get(ref)
    if earlier is not None:
        return _opened_before(intent, earlier.data, seen.now)
    quotas.refuse_another_environment(runtime)
    opened = _new_environment(runtime, seen, new, environment_id, lease, intent)
    data = documents.environment_data(opened.environment)
    made = create(runtime, ref, data, f"Environment {environment_id}")
    if made.data != data:
        return _opened_before(intent, made.data, seen.now)
    wake(runtime, ref, opened.environment.due_at, seen.now)
    return Changed(opened, seen.now, is_repeat=intent.is_repeatable and not made.is_new)


def _opened_before(intent: Intent, data: Data, clock_time: datetime) -> Changed:
    """What an earlier request with the same key has made, as it is now."""
    environment = documents.environment(data)
    intent.refuse_another(environment.fingerprint)
    now = effective_now(clock_time, environment.as_of)
    return Changed(Aggregate(environment), now, is_repeat=True)


def _new_environment(
    runtime: Runtime,
    seen: ProjectSeen,
    new: NewEnvironment,
    environment_id: str,
    lease: Lease | None,
    intent: Intent,
) -> Aggregate:
    simulation = asked(runtime.settings, new.simulation, has_steps=False)
    return aggregates.open_environment(
        Environment(
            id=environment_id,
            project_id=seen.project.id,
            name=new.name,
            type=new.type,
            on_conflict=new.on_conflict or default_policy(new.type),
            config=None if new.config is None else config_text(new.config),
            created_at=seen.now,
            changed_at=seen.now,
            expires_at=None if lease is None else lease.ends_at(seen.now, seen.now),
            work=durations.provisioning(runtime.settings, simulation),
            pace=durations.pace(runtime.settings),
            timeline=(),
            as_of=seen.now,
            fingerprint=intent.fingerprint,
            simulation=simulation,
        )
    )


def edit_environment(
    runtime: Runtime, caller: Caller, environment_id: str, changes: dict[str, Any], matching: Matching
) -> Changed:
    """The environment with changed fields. Raises EnvironmentEnding while it is deleted.

    Here as below `matching` is asked first, at every attempt, and raises for what is not as believed.
    """
    fields = dict(changes)
    if fields.get("config") is not None:
        fields["config"] = config_text(fields["config"])

    def decide(aggregate: Aggregate, now: datetime) -> Aggregate:
        before = aggregate.environment
        return operations.edit(aggregate, now, **{"name": before.name, "config": before.config, **fields})

    return change_environment(runtime, caller, environment_id, decide, Reading(matching=matching))


def delete_environment(runtime: Runtime, caller: Caller, environment_id: str, matching: Matching) -> Changed:
    """The environment on its way out. A repeat changes nothing."""
    return change_environment(
        runtime,
        caller,
        environment_id,
        lambda aggregate, now: operations.end_environment(aggregate, now, "delete_requested"),
        Reading(matching=matching),
    )


def extend_environment(
    runtime: Runtime, caller: Caller, environment_id: str, new: NewLease, matching: Matching
) -> Changed:
    """The environment with another end of its lease.

    Raises InvalidInput, NoLease for a persistent one, NotPossible once it has expired.
    """
    lease = leases.another(runtime, new)
    return change_environment(
        runtime,
        caller,
        environment_id,
        lambda aggregate, now: operations.extend(aggregate, now, lease),
        Reading(matching=matching),
    )


def restore_environment(
    runtime: Runtime, caller: Caller, environment_id: str, new: NewLease, matching: Matching
) -> Changed:
    """The environment running again after its expiry, for a new lease.

    Raises InvalidInput, NotPossible unless it has expired, FailedBefore.
    """
    lease = leases.another(runtime, new)
    return change_environment(
        runtime,
        caller,
        environment_id,
        lambda aggregate, now: operations.restore(aggregate, now, lease),
        Reading(matching=matching),
    )


def retry_environment(runtime: Runtime, caller: Caller, environment_id: str, matching: Matching) -> Changed:
    """The environment provisioning once more. Raises NotPossible unless it has failed."""
    return change_environment(runtime, caller, environment_id, operations.retry, Reading(matching=matching))


def roll_back(
    runtime: Runtime,
    caller: Caller,
    environment_id: str,
    intent: Intent,
    wanted: NewRollback,
    matching: Matching,
) -> Added:
    """A new deployment of what succeeded before.

    Raises EnvironmentNotRunning, NothingToRollBackTo, KeyReused, or InvalidInput for a target or a
    simulation that can't be one.
    """
    target = wanted.to
    known = target is not None and ids.is_id("dep", target) and ids.environment_of(target) == environment_id

    def ask(aggregate: Aggregate, deployment_id: str, now: datetime) -> Aggregate:
        new = rollout(runtime.settings, deployment_id, intent, wanted.simulation)
        return operations.rollback(aggregate, new, now, target)

    reading = Reading(
        expecting=[documents.deployment_ref(target)] if target is not None and known else [],
        beside=_default_targets if target is None else nothing_beside,
        matching=matching,
    )
    return add_deployment(runtime, caller, environment_id, intent, ask, reading)


def _default_targets(environment: Environment, now: datetime) -> list[str]:
    """What may be gone back to by default: the active one only if something may be running."""
    active, before = environment.last_live_at(now)
    is_busy = any(item.ends_at > now for item in environment.unfinished)
    return [item.id for item in (active if is_busy else None, before) if item is not None]
