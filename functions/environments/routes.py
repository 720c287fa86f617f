"""Routes of the environments function."""

from datetime import datetime
from functools import partial

from functions.environments import history, lists, use_cases
from functions.environments.schemas import (
    ActiveView,
    EnvironmentChanges,
    EnvironmentFilters,
    EnvironmentView,
    EnvironmentWait,
    HistoryView,
    NewEnvironment,
    NewLease,
    NewRollback,
    TimelineParameters,
)
from shared.changing import Changed, Matching
from shared.domain.actions import environment_actions
from shared.domain.environment import MACHINE, Environment
from shared.domain.history import Entry
from shared.domain.timeline import step_at
from shared.errors import (
    BadPageToken,
    EnvironmentEnding,
    EnvironmentNotRunning,
    FailedBefore,
    NoLease,
    NothingToRollBackTo,
    NotPossible,
    QuotaExceeded,
    TimelineFull,
)
from shared.http import pages
from shared.http.answers import represent, text_of
from shared.http.routes import Answer, Call, Group, Representation
from shared.http.types import Nothing
from shared.http.views import DeploymentView, created, deployed
from shared.http.waiting import wait
from shared.reading import read_environment

group = Group("environments", "Environments: ephemeral ones with a TTL, or persistent ones")


def _view(call: Call, environment: Environment, now: datetime, *, is_past: bool = False) -> Representation:
    step = step_at(environment.timeline, now)
    active = environment.active_at(now)
    host = f"{environment.id}.{call.runtime.settings.environment_domain}"
    return represent(
        EnvironmentView,
        id=environment.id,
        project_id=environment.project_id,
        name=environment.name,
        type=environment.type,
        status=step.status,
        status_reason=step.reason,
        on_conflict=environment.on_conflict,
        active_deployment=active and ActiveView(id=active.id, version=active.version, number=active.number),
        config=text_of(environment.config),
        simulation=environment.simulation,
        base_url=f"https://{host}" if environment.has_run(now) else None,
        created_at=environment.created_at,
        updated_at=environment.updated_at(now),
        expires_at=environment.expires_at,
        allowed_actions=[] if is_past else environment_actions(environment, now),
        timeline=environment.timeline,
    )


def _must_match(call: Call) -> Matching:
    return lambda aggregate, now: call.require_match(lambda: _view(call, aggregate.environment, now))


def _changed(call: Call, changed: Changed) -> Representation:
    return _view(call, changed.aggregate.environment, changed.now)


@group.route(
    "POST",
    "/environments/projects/{project_id}",
    {201: EnvironmentView},
    refusals=(QuotaExceeded,),
    repeatable=True,
)
def open_environment(call: Call, project_id: str, body: NewEnvironment) -> Answer:
    """Open an environment in a project.

    An ephemeral one expires when its TTL is over, to the moment, whether or not it has run by then;
    after a grace period it is deleted.
    """
    intent = call.intent("environment", body)
    changed = use_cases.open_environment(call.runtime, call.caller, project_id, intent, body)
    path = f"/environments/{changed.aggregate.environment.id}"
    return created(_changed(call, changed), path, is_repeat=changed.is_repeat)


@group.route(
    "GET", "/environments/projects/{project_id}", {200: list[EnvironmentView]}, refusals=(BadPageToken,)
)
def list_environments(call: Call, project_id: str, query: EnvironmentFilters) -> Answer:
    """List a project's environments, newest first.

    Filters see the status at this moment. A page may be short; there is more as long as there is a Link.
    """
    after = pages.start(call, query)
    listed = lists.list_environments(call.runtime, call.caller, project_id, query, after)
    return pages.page(call, [_view(call, *item) for item in listed.environments], listed.next)


@group.route("GET", "/environments/{environment_id}", {200: EnvironmentView})
def get_environment(call: Call, environment_id: str, query: EnvironmentWait) -> Answer:
    """Show an environment as it is at this moment, or as it was at an earlier one.

    With `wait_for`, as it is when it has that status, or when it is clear that it won't come to have it
    by itself, or when the time is up: the status says which. `wait_for=deleted` shows a deleted one. With
    `at`, with its status, steps, address and active deployment of then; other fields are as they are now.
    """
    seen = wait(call, query, MACHINE, partial(read_environment, call.runtime, call.caller, environment_id))
    if query.at is not None:
        was = history.environment_then(call.runtime, seen, query.at)
        return Answer(200, _view(call, was, query.at, is_past=True))
    return Answer(200, _view(call, seen.environment, seen.now))


@group.route(
    "GET", "/environments/{environment_id}/timeline", {200: list[HistoryView]}, refusals=(BadPageToken,)
)
def get_timeline(call: Call, environment_id: str, query: TimelineParameters) -> Answer:
    """Show what happened to an environment and its deployments, and what is planned, oldest first.

    Their steps, with what was done to the environment between them: its last 100 extensions, restores and
    repairs. What comes at one moment stands in the order of cause and effect: first the environment, an
    expiry with what ends with it, then its deployments by number, then those that a newer one supersedes,
    last a deletion with all that it ends.
    """
    told = history.tell(call.runtime, call.caller, environment_id, query, pages.start(call, query))
    return pages.page(call, [_told(entry, told.now) for entry in told.entries], told.next)


def _told(entry: Entry, now: datetime) -> HistoryView:
    step, note = entry.step, entry.note
    return HistoryView.model_validate(
        {
            "at": entry.at,
            "planned": entry.at > now,
            "object": "environment" if entry.number is None else "deployment",
            "id": entry.id,
            "number": entry.number,
            "status": step and step.status,
            "reason": step and step.reason,
            "action": note and note.action,
            "until": note and note.until,
        }
    )


@group.route(
    "PATCH",
    "/environments/{environment_id}",
    {200: EnvironmentView},
    refusals=(EnvironmentEnding, TimelineFull),
    conditional=True,
)
def edit_environment(call: Call, environment_id: str, body: EnvironmentChanges) -> Answer:
    """Change an environment's name or configuration.

    A new configuration holds for the deployments that follow.
    """
    changes = body.model_dump(exclude_unset=True)
    changed = use_cases.edit_environment(
        call.runtime, call.caller, environment_id, changes, _must_match(call)
    )
    return Answer(200, _changed(call, changed))


@group.route(
    "DELETE",
    "/environments/{environment_id}",
    {202: EnvironmentView},
    refusals=(TimelineFull,),
    conditional=True,
)
def delete_environment(call: Call, environment_id: str) -> Answer:
    """Delete an environment.

    It is deleting at once, and deleted shortly after; its deployments end with it. A repeat changes
    nothing; once it is deleted, a repeat is 404.
    """
    changed = use_cases.delete_environment(call.runtime, call.caller, environment_id, _must_match(call))
    return Answer(202, _changed(call, changed))


@group.route(
    "POST",
    "/environments/{environment_id}/extend",
    {200: EnvironmentView},
    refusals=(NoLease, NotPossible, TimelineFull),
    conditional=True,
)
def extend_environment(call: Call, environment_id: str, body: NewLease) -> Answer:
    """Let an ephemeral environment expire later, or sooner.

    So many hours from now, or at a moment; not beyond its longest lifetime, which counts from its
    creation. Possible until it expires.
    """
    changed = use_cases.extend_environment(call.runtime, call.caller, environment_id, body, _must_match(call))
    return Answer(200, _changed(call, changed))


@group.route(
    "POST",
    "/environments/{environment_id}/restore",
    {200: EnvironmentView},
    refusals=(NotPossible, FailedBefore, TimelineFull),
    conditional=True,
)
def restore_environment(call: Call, environment_id: str, body: NewLease) -> Answer:
    """Bring an expired environment back, for a new lease.

    Possible within its grace period. It runs again at once; deployments that ended with it stay ended.
    """
    changed = use_cases.restore_environment(
        call.runtime, call.caller, environment_id, body, _must_match(call)
    )
    return Answer(200, _changed(call, changed))


@group.route(
    "POST",
    "/environments/{environment_id}/retry",
    {200: EnvironmentView},
    refusals=(NotPossible, TimelineFull),
    conditional=True,
)
def retry_environment(call: Call, environment_id: str, body: Nothing) -> Answer:
    """Provision a failed environment once more."""
    del body
    changed = use_cases.retry_environment(call.runtime, call.caller, environment_id, _must_match(call))
    return Answer(200, _changed(call, changed))


@group.route(
    "POST",
    "/environments/{environment_id}/rollback",
    {201: DeploymentView},
    refusals=(EnvironmentNotRunning, NothingToRollBackTo, TimelineFull),
    repeatable=True,
    conditional=True,
)
def roll_back_environment(call: Call, environment_id: str, body: NewRollback) -> Answer:
    """Go back to a deployment that succeeded.

    A new deployment with the version and the configuration of that one; the environment's own
    configuration stays as it is. It takes the place of those that wait, and waits for the one that runs.
    """
    intent, matching = call.intent("deployment", body), _must_match(call)
    return deployed(use_cases.roll_back(call.runtime, call.caller, environment_id, intent, body, matching))
