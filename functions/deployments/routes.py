"""Routes of the deployments function."""

from functions.deployments import use_cases
from functions.deployments.schemas import (
    DeploymentFilters,
    EntryView,
    LogView,
    NewDeployment,
)
from shared.domain import logs
from shared.domain.deployment import CANCELING
from shared.errors import (
    BadPageToken,
    Busy,
    EnvironmentNotRunning,
    NotPossible,
    TimelineFull,
    TooManyUnfinished,
)
from shared.http import pages
from shared.http.routes import Answer, Call, Group
from shared.http.types import Nothing, ShowDeleted
from shared.http.views import DeploymentView, created, show_deployment
from shared.reading import read_deployment
from shared.times import to_text

_VARY = {"Vary": "Accept"}

group = Group("deployments", "Deployments: versions rolled out to an environment, with their logs")


@group.route(
    "POST",
    "/deployments/environments/{environment_id}",
    {201: DeploymentView},
    refusals=(Busy, EnvironmentNotRunning, TooManyUnfinished, TimelineFull),
)
def create_deployment(call: Call, environment_id: str, body: NewDeployment) -> Answer:
    """Roll a version out to a running environment.

    One deployment of an environment runs at a time. While one is unfinished another waits behind all
    others (`queue`), takes the place of those that wait (`latest`), or is refused (`reject`).
    """
    return created(*use_cases.create_deployment(call.runtime, call.caller, environment_id, body))


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
def get_deployment(call: Call, deployment_id: str, query: ShowDeleted) -> Answer:
    """Show a deployment as it is at this moment."""
    seen = read_deployment(call.runtime, call.caller, deployment_id, show_deleted=query.show_deleted)
    return Answer(200, show_deployment(seen.deployment, seen.now))


@group.route(
    "POST",
    "/deployments/{deployment_id}/cancel",
    {200: DeploymentView, 202: DeploymentView},
    refusals=(NotPossible, TimelineFull),
)
def cancel_deployment(call: Call, deployment_id: str, body: Nothing) -> Answer:
    """Cancel a deployment.

    One that waits is canceled at once (200); one that runs is canceling (202) and canceled shortly
    after. A repeat changes nothing (200). What has ended in another way stands (409). The next in the
    queue starts as soon as nothing runs.
    """
    del body
    canceled = use_cases.cancel_deployment(call.runtime, call.caller, deployment_id)
    is_under_way = canceled.deployment.status_at(canceled.now) == CANCELING
    return Answer(
        202 if canceled.is_new and is_under_way else 200, show_deployment(canceled.deployment, canceled.now)
    )


@group.route("GET", "/deployments/{deployment_id}/logs", {200: LogView | str})
def get_logs(call: Call, deployment_id: str, query: ShowDeleted) -> Answer:
    """Show a deployment's log as far as it has come.

    As JSON, or as lines of text for `Accept: text/plain`.
    """
    seen = read_deployment(call.runtime, call.caller, deployment_id, show_deleted=query.show_deleted)
    entries = logs.entries(seen.deployment, seen.now)
    if call.prefers_text:
        return Answer(200, "".join(_line(entry) for entry in entries), _VARY)
    views = [EntryView.model_validate(entry, from_attributes=True) for entry in entries]
    view = LogView(entries=views, complete=logs.is_complete(seen.deployment, seen.now))
    return Answer(200, view, _VARY)


def _line(entry: logs.Entry) -> str:
    return f"{to_text(entry.time)} {entry.level.upper():<7} {entry.step:<9} {entry.message}\n"
