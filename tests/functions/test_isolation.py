"""Who may call what: every route of every function, with every kind of wrong credential.

Made from the route table: a route that has no case here fails, so a new one can't be forgotten.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from shared import groups
from shared.callbacks import SecretCheck
from shared.http import health
from shared.http.routes import Route
from tests.functions.api import ENVIRONMENT, PASSWORD, SECRET, Api

ROUTES = {
    f"{route.method} {route.path}": route for name in groups.names() for route in groups.load(name).routes
}
ROUTES |= {f"{route.method} {route.path}": route for route in health.group.routes}
TASK = {"collection": "environments", "id": "x", "due_at": "2026-01-01T00:00:00.000000Z"}
FIRST = "person-0@example.com"
ACCOUNT = {"email": "isolation@example.com", "password": "secret123"}


@dataclass(frozen=True)
class Case:
    """A request that succeeds with the right credential: its body, and as what."""

    status: int
    body: Any = None
    form: Any = None
    stranger: int = 404
    """What another user's token is answered."""


CASES = {
    "POST /auth/register": Case(201, ACCOUNT, stranger=201),
    "POST /auth/login": Case(200, form={"username": FIRST, "password": PASSWORD}, stranger=200),
    "POST /auth/refresh": Case(401, {"refresh_token": "x"}, stranger=401),
    "POST /auth/logout": Case(204, {"refresh_token": "x"}, stranger=204),
    "POST /auth/logout-everywhere": Case(204, stranger=204),
    "GET /auth/sessions": Case(200, stranger=200),
    "DELETE /auth/sessions/{session_id}": Case(204),
    "POST /auth/password": Case(
        204, {"current_password": PASSWORD, "new_password": "another one"}, stranger=204
    ),
    "POST /auth/me/delete": Case(409, {"password": PASSWORD}, stranger=204),
    "GET /auth/me": Case(200, stranger=200),
    "POST /auth/tokens": Case(201, {"name": "ci", "scopes": ["read"]}, stranger=201),
    "GET /auth/tokens": Case(200, stranger=200),
    "GET /auth/tokens/{token_id}": Case(200),
    "DELETE /auth/tokens/{token_id}": Case(204),
    "POST /projects": Case(201, {"name": "x"}, stranger=201),
    "GET /projects": Case(200, stranger=200),
    "GET /projects/{project_id}": Case(200),
    "PATCH /projects/{project_id}": Case(200, {"name": "y"}),
    "DELETE /projects/{project_id}": Case(409),
    "POST /projects/{project_id}/members": Case(201, {"email": "new@example.com", "role": "viewer"}),
    "GET /projects/{project_id}/members": Case(200),
    "GET /projects/{project_id}/members/{user_id}": Case(200),
    "PATCH /projects/{project_id}/members/{user_id}": Case(409, {"role": "viewer"}),
    "DELETE /projects/{project_id}/members/{user_id}": Case(409),
    "POST /environments/projects/{project_id}": Case(201, ENVIRONMENT),
    "GET /environments/projects/{project_id}": Case(200),
    "GET /environments/{environment_id}": Case(200),
    "GET /environments/{environment_id}/timeline": Case(200),
    "PATCH /environments/{environment_id}": Case(200, {"name": "y"}),
    "DELETE /environments/{environment_id}": Case(202),
    "POST /environments/{environment_id}/extend": Case(200, {"hours": 1}),
    "POST /environments/{environment_id}/restore": Case(409, {"hours": 1}),
    "POST /environments/{environment_id}/retry": Case(409),
    "POST /environments/{environment_id}/rollback": Case(409),
    "POST /deployments/environments/{environment_id}": Case(201, {"version": "v2"}),
    "GET /deployments/environments/{environment_id}": Case(200),
    "GET /deployments/{deployment_id}": Case(200),
    "GET /deployments/{deployment_id}/logs": Case(200),
    "POST /deployments/{deployment_id}/cancel": Case(200),
    "GET /simulation/scenarios": Case(200, stranger=200),
    "GET /simulation/clock": Case(409, stranger=409),
    "POST /simulation/clock/advance": Case(409, {"by": "PT1S"}, stranger=409),
    "POST /tasks/settle": Case(200, TASK),
    "POST /tasks/sweep": Case(200, {}),
    "GET /": Case(307, stranger=307),
    "GET /health": Case(200, stranger=200),
    "GET /openapi.json": Case(200, stranger=200),
    "GET /docs": Case(200, stranger=200),
    "GET /meta/state-machines": Case(200, stranger=200),
    "GET /quotas": Case(200, stranger=200),
    "GET /audit": Case(200, stranger=200),
    "GET /redoc": Case(200, stranger=200),
    "GET /assets/{name}": Case(200, stranger=200),
}


def test_every_route_has_a_case_and_every_case_a_route() -> None:
    assert set(CASES) == set(ROUTES)


@cache
def objects(api: Api) -> dict[str, str]:
    """Objects of the first account, one of each kind."""
    project_id = api.project()
    environment_id = api.running(project_id=project_id)
    form = {"username": FIRST, "password": PASSWORD}
    logged_in = api.post("/api/v1/auth/login", token=None, data=form)
    assert logged_in.status == 200
    api.join("new@example.com")
    return {
        "user_id": api.get("/api/v1/auth/me")["id"],
        "session_id": str(api.all("/api/v1/auth/sessions")[0]["id"]),
        "project_id": project_id,
        "environment_id": environment_id,
        "deployment_id": api.deploy(environment_id),
        "name": "icon.svg",
        "token_id": api.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["read"]})["id"],
    }


def _send(api: Api, name: str, authorization: str | None) -> Any:  # noqa: ANN401 - a reply
    """The request of a case, on objects of the first account."""
    route, case = ROUTES[name], CASES[name]
    known = objects(api)
    path = re.sub(r"{(\w+)}", lambda match: known[match[1]], route.full_path)
    headers = {} if authorization is None else {"Authorization": authorization}
    more = {"data": case.form} if case.form else {}
    before, tasks = api.content(), api.queue.enqueued
    reply = api.call(route.method, path, case.body, token=None, headers=headers, **more)
    if reply.status in {401, 404}:
        assert (api.content(), api.queue.enqueued) == (before, tasks), "a refusal changed something"
    return reply


def _is_guarded(route: Route) -> bool:
    return route.internal or not route.public


@pytest.mark.parametrize("name", CASES)
def test_the_right_credential_is_let_through(api: Api, name: str) -> None:
    authorization = f"Bearer {SECRET if ROUTES[name].internal else api.token}"
    assert _send(api, name, authorization).status == CASES[name].status


@pytest.mark.parametrize("name", [name for name in CASES if _is_guarded(ROUTES[name])])
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Basic dXNlcjpwYXNz",
        "bearer null",
        "Bearer \xff",
    ],
)
def test_without_a_believable_credential_every_guarded_route_is_401(
    shared_api: Api, name: str, authorization: str | None
) -> None:
    reply = _send(shared_api, name, authorization)
    assert (reply.status, reply["type"]) == (401, "urn:envctl:problem:unauthenticated")


@pytest.mark.parametrize("name", [name for name in CASES if _is_guarded(ROUTES[name])])
def test_the_other_kind_of_credential_is_401(shared_api: Api, name: str) -> None:
    other = shared_api.token if ROUTES[name].internal else SECRET
    assert _send(shared_api, name, f"Bearer {other}").status == 401


@pytest.mark.parametrize("name", [name for name in CASES if not ROUTES[name].internal])
def test_another_users_token_sees_nothing(api: Api, name: str) -> None:
    reply = _send(api, name, f"Bearer {api.join()}")
    assert reply.status == CASES[name].stranger
    if name in {"GET /projects", "GET /auth/me", "GET /auth/sessions"}:
        assert reply.body == [] or reply["email"] == "person-1@example.com"


def test_without_a_callback_secret_every_callback_is_refused(api: Api) -> None:
    object.__setattr__(api.runtime, "callbacks", SecretCheck(None))
    for given in (SECRET, "", "None", "null"):
        reply = api.post("/api/v1/tasks/sweep", {}, token=None, headers={"Authorization": f"Bearer {given}"})
        assert reply.status == 401
