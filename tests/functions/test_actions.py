"""What may be done, as objects show it and as data, against what is then answered."""

from typing import Any

import pytest

from shared.domain import deployment, environment
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply

HOUR = 3_600
BODIES: dict[str, Any] = {"extend": {"hours": 1}, "restore": {"hours": 1}, "edit": {"name": "other"}}
EVERY = ("deploy", "rollback", "edit", "extend", "restore", "retry", "delete")


def _do(api: Api, environment_id: str, action: str) -> Reply:
    path = f"/api/v1/environments/{environment_id}"
    if action == "deploy":
        return api.post(f"/api/v1/deployments/environments/{environment_id}", {"version": "v"})
    if action in {"edit", "delete"}:
        return api.call("PATCH" if action == "edit" else "DELETE", path, BODIES.get(action))
    return api.post(f"{path}/{action}", BODIES.get(action))


def _allowed(api: Api, environment_id: str) -> list[str]:
    shown = api.get(f"/api/v1/environments/{environment_id}?show_deleted=true")
    return list(shown["allowed_actions"])


@pytest.mark.parametrize("action", EVERY)
@pytest.mark.parametrize(
    ("body", "seconds", "expected"),
    [
        (ENVIRONMENT, 0, ["edit", "extend", "delete"]),
        (PERSISTENT, 0, ["edit", "delete"]),
        (ENVIRONMENT, 2, ["deploy", "edit", "extend", "delete"]),
        (PERSISTENT, 2, ["deploy", "edit", "delete"]),
        ({**ENVIRONMENT, "ttl_hours": 1}, HOUR, ["edit", "restore", "delete"]),
        ({**ENVIRONMENT, "ttl_hours": 1}, 2 * HOUR, []),
        ({**ENVIRONMENT, "ttl_hours": 1}, 2 * HOUR + 2, []),
    ],
)
def test_an_environment_shows_what_may_be_done_with_it(
    api: Api, body: dict[str, Any], seconds: float, expected: list[str], action: str
) -> None:
    environment_id = api.environment(None, body)
    api.live(seconds)
    assert _allowed(api, environment_id) == expected
    reply = _do(api, environment_id, action)
    is_repeat = action == "delete" and reply.status == 202
    assert (reply.status < 300) == (action in expected or is_repeat)


ROLLBACKS = [
    ("nothing", [], None),
    ("its only one runs", [0.5], None),
    ("its only one has succeeded", [3], None),
    ("the second waits", [3, 0.4], None),
    ("the second runs", [3, 0.5], 0),
    ("the second has succeeded", [3, 3], 0),
    ("the third waits", [3, 3, 0.4], 0),
    ("the third runs", [3, 3, 0.5], 1),
]
"""So long after each deployment, which one is gone back to by default."""


@pytest.mark.parametrize(
    ("seconds", "target"), [row[1:] for row in ROLLBACKS], ids=[row[0] for row in ROLLBACKS]
)
def test_a_rollback_is_allowed_where_it_needs_no_target_named(
    api: Api, seconds: list[float], target: int | None
) -> None:
    environment_id, made = api.running(PERSISTENT), []
    for wait in seconds:
        made.append(api.deploy(environment_id))
        api.advance(wait)
    assert ("rollback" in _allowed(api, environment_id)) == (target is not None)
    reply = _do(api, environment_id, "rollback")
    assert (reply.status, reply.body.get("rollback_of")) == (
        (409, None) if target is None else (201, made[target])
    )


def test_what_is_live_may_be_deployed_once_more_though_that_is_not_offered(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    target = api.deploy(environment_id)
    api.advance(3)
    assert "rollback" not in _allowed(api, environment_id)
    assert api.post(f"/api/v1/environments/{environment_id}/rollback", {"to": target}).status == 201


def test_while_one_is_being_canceled_a_rollback_goes_back_to_what_is_live(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    live = api.deploy(environment_id)
    api.advance(3)
    running = api.deploy(environment_id)
    api.advance(1)
    assert api.post(f"/api/v1/deployments/{running}/cancel")["status"] == "canceling"
    assert "rollback" in _allowed(api, environment_id)
    assert _do(api, environment_id, "rollback")["rollback_of"] == live


def test_a_deployment_shows_whether_it_may_be_canceled(api: Api) -> None:
    first, second = (api.deploy(environment_id) for environment_id in (api.running(), api.running()))
    for seconds, expected in ((0, ["cancel"]), (0.5, ["cancel"]), (2.5, [])):
        api.advance(seconds)
        assert api.get(f"/api/v1/deployments/{first}")["allowed_actions"] == expected
    again = api.deploy(f"env-{second[4:36]}")
    assert api.post(f"/api/v1/deployments/{again}/cancel")["allowed_actions"] == []


def test_the_state_machines_are_served_as_they_are_in_the_domain(shared_api: Api) -> None:
    reply = shared_api.get("/api/v1/meta/state-machines", token=None)
    assert reply.status == 200
    for name, machine in (("environment", environment.MACHINE), ("deployment", deployment.MACHINE)):
        shown = reply[name]
        assert shown["statuses"] == machine.statuses
        assert (shown["initial"], shown["initial"]) == (machine.initial, shown["statuses"][0])
        assert {status: set(others) for status, others in shown["moves"].items()} == machine.moves
        assert set(shown["transient"]) == set(machine.statuses) - set(machine.stable)
        assert shown["terminal"] == [status for status in machine.statuses if not shown["moves"][status]]
    assert reply["environment"]["actions"]["restore"] == ["expired"]
    assert reply["deployment"]["actions"] == {"cancel": ["pending", "running"]}
    assert set(reply["environment"]["actions"]) == set(EVERY)


def test_the_table_says_what_a_deploy_finds_out(shared_api: Api) -> None:
    machines = shared_api.get("/api/v1/meta/state-machines")
    environment_id = shared_api.running()
    shown = shared_api.get(f"/api/v1/environments/{environment_id}")
    possible = machines["environment"]["actions"]
    assert set(shown["allowed_actions"]) <= {name for name, of in possible.items() if shown["status"] in of}
