"""Routes of the deployments function."""

from datetime import datetime
from functools import partial

from functions.deployments import use_cases
from functions.deployments.schemas import (
    DeploymentFilters,
    DeploymentWait,
    LogHeaders,
    LogParameters,
    LogView,
    NewDeployment,
)
from functions.deployments.streams import entry_view, follow
from shared.domain import logs
from shared.domain.deployment import CANCELING, MACHINE, Deployment
from shared.domain.history import deployment_as_of
from shared.errors import (
    BadPageToken,
    Busy,
    EnvironmentNotRunning,
    NotPossible,
    TimelineFull,
    TooManyUnfinished,
)
from shared.http import pages
from shared.http.routes import EVENT_STREAM, JSON, TEXT, Answer, Call, EventStream, Group
from shared.http.types import Nothing
from shared.http.views import DeploymentView, deployed, show_deployment
from shared.http.waiting import wait
from shared.reading import read_deployment
from shared.times import to_text

_VARY = {"Vary": "Accept"}

group = Group("deployments", "Deployments: versions rolled out to an environment, with their logs")


@group.route(
    "POST",
    "/deployments/environments/{environment_id}",
    {201: DeploymentView},
    refusals=(Busy, EnvironmentNotRunning, TooManyUnfinished, TimelineFull),
    repeatable=True,
)
def create_deployment(call: Call, environment_id: str, body: NewDeployment) -> Answer:
    """Roll a version out to a running environment.

    One deployment of an environment runs at a time. While one is unfinished another waits behind all
    others (`queue`), takes the place of those that wait (`latest`), or is refused (`reject`).
    """
    intent = call.intent("deployment", body)
    return deployed(use_cases.create_deployment(call.runtime, call.caller, environment_id, intent, body))


@group.route(
    "GET", "/deployments/environments/{environment_id}", {200: list[DeploymentView]}, refusals=(BadPageToken,)
)
def list_deployments(call: Call, environment_id: str, query: DeploymentFilters) -> Answer:
    """List an environment's deployments, newest first.

    Filters see the status at this moment. A page may be short; there is more as long as there is a Link.
    """
    after = pages.start(call, query)
    listed = use_cases.list_deployments(call.runtime, call.caller, environment_id, query, after)
    return pages.page(call, [show_deployment(item, listed.now) for item in listed.deployments], listed.next)


@group.route("GET", "/deployments/{deployment_id}", {200: DeploymentView})
def get_deployment(call: Call, deployment_id: str, query: DeploymentWait) -> Answer:
    """Show a deployment as it is at this moment, or as it was at an earlier one.

    With `wait_for`, as it is when it has that status, or when it is clear that it won't come to have it, or
    when the time is up: the status says which. With `at`, with its status and steps of then.
    """
    seen = wait(call, query, MACHINE, partial(read_deployment, call.runtime, call.caller, deployment_id))
    if query.at is not None:
        was = deployment_as_of(seen.deployment, query.at, seen.now)
        return Answer(200, show_deployment(was, query.at, is_past=True))
    return Answer(200, show_deployment(seen.deployment, seen.now))


@group.route(
    "POST",
    "/deployments/{deployment_id}/cancel",
    {200: DeploymentView, 202: DeploymentView},
    refusals=(NotPossible, TimelineFull),
    conditional=True,
)
def cancel_deployment(call: Call, deployment_id: str, body: Nothing) -> Answer:
    """Cancel a deployment.

    One that waits is canceled at once (200); one that runs is canceling (202) and canceled shortly
    after. A repeat changes nothing (200). What has ended in another way stands (409). The next in the
    queue starts as soon as nothing runs.
    """
    del body

    def require_match(item: Deployment, now: datetime) -> None:
        call.require_match(lambda: show_deployment(item, now))

    canceled = use_cases.cancel_deployment(call.runtime, call.caller, deployment_id, require_match)
    is_under_way = canceled.deployment.status_at(canceled.now) == CANCELING
    return Answer(
        202 if canceled.is_new and is_under_way else 200, show_deployment(canceled.deployment, canceled.now)
    )


@group.route("GET", "/deployments/{deployment_id}/logs", {200: LogView | str | EventStream})
def get_logs(call: Call, deployment_id: str, query: LogParameters, headers: LogHeaders) -> Answer:
    """Show a deployment's log as far as it has come, or follow it.

    As JSON, as lines of text for `Accept: text/plain`, or as server-sent events for
    `Accept: text/event-stream`: an event has the entry's `seq` as its id and the entry as its data. The last
    one is an `end` with the final status. A stream that closes without it goes on after the event in
    `Last-Event-ID`.
    """
    read = partial(read_deployment, call.runtime, call.caller, deployment_id)
    seen = read(show_deleted=query.show_deleted)
    media_type = call.preferred(JSON, TEXT, EVENT_STREAM)
    if media_type == EVENT_STREAM:
        after = query.after if headers.last_event_id is None else headers.last_event_id
        return Answer(200, EventStream(follow(call, seen, read, after, query.level)), _VARY)
    page = logs.page(seen.deployment, seen.now, query.after, query.level, query.limit)
    if media_type == TEXT:
        return Answer(200, "".join(_line(entry) for entry in page.entries), _VARY)
    entries = [entry_view(entry) for entry in page.entries]
    return Answer(200, LogView(entries=entries, next_after=page.next_after, complete=page.is_last), _VARY)


def _line(entry: logs.Entry) -> str:
    return f"{to_text(entry.time)} {entry.level.upper():<7} {entry.step:<9} {entry.message}\n"
