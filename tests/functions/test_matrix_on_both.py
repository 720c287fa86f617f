"""Every action in every status, over SQLite and over Firestore: the same answers, those of the tables."""
# ruff: noqa: ANN401 - any JSON value

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain import deployment, environment
from shared.domain.actions import DEPLOYMENT_ACTIONS, ENVIRONMENT_ACTIONS, EnvironmentAction
from tests.functions.api import PERSISTENT, Api

LEASED = {"name": "preview", "type": "ephemeral", "ttl_hours": 1}
HOUR = 3_600
Make = Callable[[Api], str]


def _lived(seconds: float, deployments: int = 0, **more: Any) -> Make:
    """An environment so many seconds after its creation, in which so many deployments have succeeded."""

    def make(api: Api) -> str:
        environment_id = api.environment(None, {**LEASED, **more})
        began = api.clock.now
        for _ in range(deployments):
            api.live(3)
            api.deploy(environment_id)
        api.live(seconds - (api.clock.now - began).total_seconds())
        return environment_id

    return make


ENVIRONMENTS: dict[str, Make] = {
    "provisioning": _lived(1),
    "running": _lived(10, deployments=2),
    "failed": _lived(10, simulation="fails"),
    "expired": _lived(HOUR, deployments=2),
    "deleting": _lived(2 * HOUR, deployments=2),
    "deleted": _lived(2 * HOUR + 5, deployments=2),
}
ACTIONS: dict[str, tuple[str, str, Any, int]] = {
    "deploy": ("POST", "/api/v1/deployments/environments/{}", {"version": "v"}, 201),
    "rollback": ("POST", "/api/v1/environments/{}/rollback", {}, 201),
    "edit": ("PATCH", "/api/v1/environments/{}", {"name": "other"}, 200),
    "extend": ("POST", "/api/v1/environments/{}/extend", {"hours": 2}, 200),
    "restore": ("POST", "/api/v1/environments/{}/restore", {"hours": 2}, 200),
    "retry": ("POST", "/api/v1/environments/{}/retry", {}, 200),
    "delete": ("DELETE", "/api/v1/environments/{}", None, 202),
}


def _deployed(api: Api, *lived: float, cancels: bool = False, **fields: Any) -> str:
    """The first of as many deployments as there are times, each so many seconds after it was asked for."""
    environment_id = api.running(PERSISTENT)
    made = []
    for seconds in lived:
        body = {"version": "v", **fields}
        made.append(api.post(f"/api/v1/deployments/environments/{environment_id}", body)["id"])
        api.live(seconds)
    if cancels:
        assert api.post(f"/api/v1/deployments/{made[0]}/cancel").status in {200, 202}
    return str(made[0])


DEPLOYMENTS: dict[str, Make] = {
    "pending": lambda api: _deployed(api, 0.1),
    "running": lambda api: _deployed(api, 1),
    "canceling": lambda api: _deployed(api, 1, cancels=True),
    "succeeded": lambda api: _deployed(api, 5),
    "failed": lambda api: _deployed(api, 5, simulation="fails"),
    "canceled": lambda api: _deployed(api, 0.1, cancels=True),
    "superseded": lambda api: _deployed(api, 0.1, 0.1, on_conflict="latest"),
}


def test_the_matrix_has_every_status_and_every_action() -> None:
    assert list(ENVIRONMENTS) == environment.MACHINE.statuses
    assert list(DEPLOYMENTS) == deployment.MACHINE.statuses
    assert set(ACTIONS) == set(map(str, ENVIRONMENT_ACTIONS))


def _environment_cells(api: Api) -> dict[tuple[str, str], tuple[int, Any, Any]]:
    """What each action was answered in each status: status, problem, and what the environment is then."""
    found = {}
    for status, make in ENVIRONMENTS.items():
        for action, (method, path, body, _) in ACTIONS.items():
            environment_id = make(api)
            assert api.status(environment_id, "?show_deleted=true") == status
            reply = api.call(method, path.format(environment_id), body)
            after = api.status(environment_id, "?show_deleted=true")
            found[status, action] = (reply.status, reply.body.get("type"), after)
    return found


def _deployment_cells(api: Api) -> dict[str, tuple[int, Any, Any]]:
    found = {}
    for status, make in DEPLOYMENTS.items():
        deployment_id = make(api)
        assert api.status(deployment_id) == status
        reply = api.post(f"/api/v1/deployments/{deployment_id}/cancel")
        found[status] = (reply.status, reply.body.get("type"), api.status(deployment_id))
    return found


def _rollback_cells(api: Api) -> dict[str, tuple[int, Any, Any]]:
    """What a rollback to a deployment in each status is answered, and what it deploys."""
    found = {}
    for status, make in DEPLOYMENTS.items():
        deployment_id = make(api)
        environment_id = api.get(f"/api/v1/deployments/{deployment_id}")["environment_id"]
        reply = api.post(f"/api/v1/environments/{environment_id}/rollback", {"to": deployment_id})
        deployed = (reply.body.get("version"), reply.body.get("rollback_of") == deployment_id)
        found[status] = (reply.status, reply.body.get("type"), deployed)
    return found


@pytest.mark.google
def test_environments_answer_alike_and_as_the_table_says(api: Api, on_firestore: Api) -> None:
    cells = _environment_cells(api)
    assert _environment_cells(on_firestore) == cells
    assert len(cells) == 42
    for (status, action), (answered, *_) in cells.items():
        possible = status in ENVIRONMENT_ACTIONS[EnvironmentAction(action)]
        refused = 404 if status == "deleted" else 202 if (status, action) == ("deleting", "delete") else 409
        assert answered == (ACTIONS[action][3] if possible else refused), (status, action)


@pytest.mark.google
def test_deployments_answer_alike_and_as_the_table_says(api: Api, on_firestore: Api) -> None:
    cells = _deployment_cells(api)
    assert _deployment_cells(on_firestore) == cells
    (possible,) = DEPLOYMENT_ACTIONS.values()
    assert {status for status, (answered, *_) in cells.items() if answered == 409} == {
        *deployment.MACHINE.terminal,
    } - {"canceled"}
    assert set(possible) == {"pending", "running"}
    assert (cells["pending"][0], cells["running"][0], cells["canceling"][0]) == (200, 202, 200)


@pytest.mark.google
def test_a_rollback_to_one_in_each_status_is_answered_alike(api: Api, on_firestore: Api) -> None:
    cells = _rollback_cells(api)
    assert _rollback_cells(on_firestore) == cells
    assert {status for status, (answered, *_) in cells.items() if answered == 201} == {"succeeded"}
    assert cells["succeeded"][2] == ("v", True)
    assert {answered for answered, *_ in cells.values()} == {201, 422}
