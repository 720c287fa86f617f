"""Routes of the docs function: what the API and the instance are. Most need no token, at the root."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from functions.docs import assets
from functions.docs.audit import AuditFilters, EventView, list_events
from functions.docs.schemas import MachineView, QuotasView, QuotaView, StateMachinesView
from shared import quotas
from shared.domain import deployment, environment
from shared.domain.actions import DEPLOYMENT_ACTIONS, ENVIRONMENT_ACTIONS
from shared.domain.timeline import Machine
from shared.errors import BadPageToken, Forbidden, NotFound
from shared.http import pages
from shared.http.routes import Answer, Call, File, Group
from shared.request_errors import UnknownPath

group = Group("docs", "The API's description")

A = TypeVar("A", bound=str)

_CACHED = {"Cache-Control": "public, no-cache"}
"""Kept by browsers, and asked for again (304): after an upgrade nobody sees yesterday's page."""
_POLICY = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; worker-src blob:; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


@group.route("GET", "/", {307: None}, public=True, documented=False)
def get_root(call: Call) -> Answer:
    """Show the way to the documentation."""
    del call
    return Answer(307, headers={"Location": "/docs"})


@group.route("GET", "/openapi.json", {200: dict}, public=True, documented=False)
def get_openapi(call: Call) -> Answer:
    """Serve the OpenAPI document."""
    del call
    return Answer(200, assets.openapi(), _CACHED)


@group.route("GET", "/docs", {200: str}, public=True, documented=False)
def get_swagger_ui(call: Call) -> Answer:
    """Serve Swagger UI."""
    del call
    return Answer(200, assets.asset("swagger.html"), {**_CACHED, **_POLICY})


@group.route("GET", "/redoc", {200: str}, public=True, documented=False)
def get_redoc(call: Call) -> Answer:
    """Serve ReDoc."""
    del call
    return Answer(200, assets.asset("redoc.html"), {**_CACHED, **_POLICY})


@group.route("GET", "/assets/{name}", {200: File}, public=True, documented=False)
def get_asset(call: Call, name: str) -> Answer:
    """Serve a file that the pages need."""
    found = assets.asset(name)
    if found is None:
        raise UnknownPath(call.path)
    return Answer(200, found, _CACHED)


@group.route("GET", "/meta/state-machines", {200: StateMachinesView}, public=True)
def get_state_machines(call: Call) -> Answer:
    """Show the lifecycles as data.

    Which statuses there are, which may follow which, and what may be done in each.
    """
    del call
    view = StateMachinesView(
        environment=_machine(environment.MACHINE, ENVIRONMENT_ACTIONS),
        deployment=_machine(deployment.MACHINE, DEPLOYMENT_ACTIONS),
    )
    return Answer(200, view, _CACHED)


@group.route("GET", "/quotas", {200: QuotasView})
def get_quotas(call: Call) -> Answer:
    """Show the instance's quotas.

    Over a quota a create is 409 (`quota_exceeded`). They are soft: several creates at once may all get the
    last place.
    """
    projects, environments = quotas.projects(call.runtime), quotas.environments(call.runtime)
    view = QuotasView(
        projects=QuotaView(limit=projects.limit, used=projects.used),
        environments=QuotaView(limit=environments.limit, used=environments.used),
    )
    return Answer(200, view)


@group.route("GET", "/audit", {200: list[EventView]}, refusals=(BadPageToken, Forbidden, NotFound))
def list_audit(call: Call, query: AuditFilters) -> Answer:
    """List who did what, newest first: the caller anywhere, or anybody in a project that the caller owns.

    Every request that changed something is there, with the change itself. Those that were denied or failed
    are there as far as possible: not more than 60 a minute of each caller. A page may be short; there is
    more as long as there is a Link.
    """
    events, following = list_events(call.runtime, call.caller, query, pages.start(call, query))
    return pages.page(call, [EventView.model_validate(one) for one in events], following)


def _machine(machine: Machine, actions: Mapping[A, Sequence[str]]) -> MachineView:
    return MachineView(
        initial=machine.initial,
        statuses=machine.statuses,
        moves={status: machine.following(status) for status in machine.statuses},
        transient=machine.transient,
        terminal=machine.terminal,
        actions={str(action): list(statuses) for action, statuses in actions.items()},
    )
