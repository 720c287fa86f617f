"""Outcomes that are asked for, over HTTP: each scenario, what can be said in full, and what it leads to."""

from datetime import timedelta
from typing import Any

import pytest

from shared import documents
from shared.ports import Ref, Update
from shared.times import from_text
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api

UNSET = {"scenario": None, "seed": None, "seconds": None, "outcome": None, "fail_at": None}
TICK = 1e-6
# By scenario: after how many seconds it ends, as what, and why. A flaky one has seed 2: it fails first.
ENVIRONMENTS = {
    "fast": (0.2, "running", None),
    "slow": (20, "running", None),
    "flaky": (2, "failed", "provisioning_failed"),
    "fails": (2, "failed", "provisioning_failed"),
    "hangs": (60, "failed", "deadline_exceeded"),
}
DEPLOYMENTS = {
    "fast": (0.25, "succeeded", None),
    "slow": (25, "succeeded", None),
    "flaky": (1.25, "failed", "configure_failed"),
    "fails": (2.125, "failed", "release_failed"),
    "hangs": (60, "failed", "deadline_exceeded"),
}


def _environment(api: Api, simulation: Any) -> Any:  # noqa: ANN401 - any JSON value
    """What a new persistent one looks like."""
    target = f"/api/v1/environments/projects/{api.project()}"
    reply = api.post(target, {**PERSISTENT, "simulation": simulation})
    assert reply.status == 201, reply.body
    return reply.body


def _deployment(api: Api, environment_id: str, simulation: Any, **more: Any) -> Any:  # noqa: ANN401 - likewise
    target = f"/api/v1/deployments/environments/{environment_id}"
    reply = api.post(target, {"version": "v1", "simulation": simulation, **more})
    assert reply.status == 201, reply.body
    return reply.body


def _seeded(name: str) -> Any:  # noqa: ANN401 - a name or an object
    return {"scenario": name, "seed": 2} if name == "flaky" else name


def _end(api: Api, kind: str, object_id: str) -> tuple[str, str | None]:
    shown = api.get(f"/api/v1/{kind}/{object_id}")
    return shown["status"], shown["status_reason"]


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_fares_as_its_scenario_says(api: Api, name: str, *, settles: bool) -> None:
    move = api.live if settles else api.advance
    seconds, status, reason = ENVIRONMENTS[name]
    made = _environment(api, _seeded(name))
    assert made["simulation"] == {**UNSET, "scenario": name, "seed": 2 if name == "flaky" else None}
    move(seconds - TICK)
    assert _end(api, "environments", made["id"]) == ("provisioning", None)
    move(TICK)
    assert _end(api, "environments", made["id"]) == (status, reason)
    assert api.get(f"/api/v1/environments/{made['id']}")["simulation"] == made["simulation"]


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_fares_as_its_scenario_says(api: Api, name: str, *, settles: bool) -> None:
    move = api.live if settles else api.advance
    environment_id = api.running(PERSISTENT)
    seconds, status, reason = DEPLOYMENTS[name]
    made = _deployment(api, environment_id, _seeded(name))
    assert made["simulation"] == {**UNSET, "scenario": name, "seed": 2 if name == "flaky" else None}
    move(0.5 + seconds - TICK)
    assert api.status(made["id"]) == "running"
    move(TICK)
    assert _end(api, "deployments", made["id"]) == (status, reason)
    active = api.get(f"/api/v1/environments/{environment_id}")["active_deployment"]
    assert (active is not None) == (status == "succeeded")


@pytest.mark.parametrize(
    ("simulation", "seconds", "status", "reason"),
    [
        ({}, 2.5, "succeeded", None),
        ({"seconds": 4}, 4, "succeeded", None),
        ({"seconds": 60}, 60, "succeeded", None),
        ({"outcome": "succeed"}, 2.5, "succeeded", None),
        ({"outcome": "fail"}, 2.5, "failed", "verify_failed"),
        ({"outcome": "fail", "fail_at": "fetch"}, 0.875, "failed", "fetch_failed"),
        ({"seconds": 10, "outcome": "fail", "fail_at": "validate"}, 1, "failed", "validate_failed"),
    ],
)
def test_what_is_to_happen_can_be_said_in_full(
    api: Api, simulation: dict[str, Any], seconds: float, status: str, reason: str | None
) -> None:
    made = _deployment(api, api.running(PERSISTENT), simulation)
    assert made["simulation"] == {**UNSET, **simulation}
    last = made["timeline"][-1]
    took = from_text(last["at"]) - from_text(made["created_at"]) - timedelta(seconds=0.5)
    assert (took.total_seconds(), last["status"], last["reason"]) == (seconds, status, reason)
    api.live(0.5 + seconds)
    assert api.status(made["id"]) == status


@pytest.mark.parametrize(
    ("simulation", "seconds", "status"),
    [({"seconds": 0.5}, 0.5, "running"), ({"seconds": 7, "outcome": "fail"}, 7, "failed")],
)
def test_so_can_an_environments_provisioning(
    api: Api, simulation: dict[str, Any], seconds: float, status: str
) -> None:
    made = _environment(api, simulation)
    assert made["simulation"] == {**UNSET, **simulation}
    api.live(seconds - TICK)
    assert api.status(made["id"]) == "provisioning"
    api.live(TICK)
    assert api.status(made["id"]) == status


def test_nothing_asked_for_is_null(api: Api) -> None:
    environment_id = api.running()
    assert api.get(f"/api/v1/environments/{environment_id}")["simulation"] is None
    assert _environment(api, None)["simulation"] is None
    assert _deployment(api, environment_id, None)["simulation"] is None


@pytest.mark.parametrize("simulation", ["flaky", {"scenario": "hangs"}, {"seconds": 4, "outcome": "fail"}])
def test_what_is_shown_can_be_asked_for_again(api: Api, simulation: Any) -> None:  # noqa: ANN401 - JSON
    environment = _environment(api, simulation)
    again = _environment(api, environment["simulation"])
    assert again["simulation"] == environment["simulation"]
    running = api.running(PERSISTENT)
    deployment = _deployment(api, running, simulation)
    assert _deployment(api, running, deployment["simulation"])["simulation"] == deployment["simulation"]


# Flaky ---------------------------------------------------------------------------------------


def _trace(api: Api, simulation: Any, deployments: int = 5) -> list[Any]:  # noqa: ANN401 - any JSON value
    """How deployments of a new environment end, one after the other: reason and log."""
    environment_id = api.running(PERSISTENT)
    trace = []
    for _ in range(deployments):
        made = _deployment(api, environment_id, simulation)
        api.live(4)
        steps = [entry["step"] for entry in api.get(f"{made['logs_url']}")["entries"]]
        trace.append((*_end(api, "deployments", made["id"]), steps))
    return trace


def test_the_same_seed_gives_the_same_trace_in_any_environment(api: Api) -> None:
    seeded = {"scenario": "flaky", "seed": 3}
    trace = _trace(api, seeded)
    assert [reason for _, reason, _ in trace] == [
        "validate_failed",
        None,
        "configure_failed",
        "validate_failed",
        None,
    ], "written down: a seed means the same in every version of envctl"
    assert _trace(api, seeded) == trace
    assert _trace(api, {"scenario": "flaky", "seed": 7}) != trace


def test_without_a_seed_each_deployment_has_its_own_chance(api: Api) -> None:
    first, second = _trace(api, "flaky", 8), _trace(api, "flaky", 8)
    statuses = {status for status, _, _ in (*first, *second)}
    assert statuses == {"succeeded", "failed"}
    assert first != second


@pytest.mark.parametrize("settles", [False, True])
def test_a_retry_of_a_flaky_environment_may_succeed(api: Api, *, settles: bool) -> None:
    move = api.live if settles else api.advance
    seed = {"scenario": "flaky", "seed": 3}
    environment_id = _environment(api, seed)["id"]
    ends = []
    for _ in range(2):
        move(2)
        ends.append(_end(api, "environments", environment_id))
        move(1)
        if ends[-1][0] == "failed":
            assert api.post(f"/api/v1/environments/{environment_id}/retry")["status"] == "provisioning"
    assert ends == [("failed", "provisioning_failed"), ("running", None)]
    reasons = [step["reason"] for step in api.get(f"/api/v1/environments/{environment_id}")["timeline"]]
    assert reasons == [None, "provisioning_failed", "retry_requested", None]


def test_a_retry_of_one_that_hangs_hangs_again(api: Api) -> None:
    environment_id = _environment(api, "hangs")["id"]
    for _ in range(2):
        api.live(60)
        assert _end(api, "environments", environment_id) == ("failed", "deadline_exceeded")
        api.post(f"/api/v1/environments/{environment_id}/retry")
    assert api.status(environment_id) == "provisioning"


# Hanging -------------------------------------------------------------------------------------


def test_the_log_of_one_that_hangs_stops_where_it_hangs_and_ends_with_the_failure(api: Api) -> None:
    made = _deployment(api, api.running(PERSISTENT), "hangs")
    api.live(60.5 - TICK)
    log = api.get(made["logs_url"])
    assert [entry["step"] for entry in log["entries"]] == [
        *[step for step in ("validate", "fetch", "configure") for _ in range(2)],
        "release",
    ]
    assert from_text(log["entries"][-1]["time"]) < api.clock.now - timedelta(seconds=20), "it is silent"
    assert log["complete"] is False
    api.live(TICK)
    ended = api.get(made["logs_url"])
    assert ended["entries"][:-1] == log["entries"]
    last = ended["entries"][-1]
    assert (last["level"], last["step"], last["message"]) == (
        "error",
        "release",
        "Deployment failed: deadline_exceeded",
    )
    assert ended["complete"] is True


def test_one_that_hangs_can_be_canceled_and_holds_others_up(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    hanging = _deployment(api, environment_id, "hangs")
    waiting = _deployment(api, environment_id, "fast", on_conflict="queue")
    api.live(30)
    assert (api.status(hanging["id"]), api.status(waiting["id"])) == ("running", "pending")
    assert api.post(f"/api/v1/deployments/{hanging['id']}/cancel").status == 202
    api.live(1.25)
    assert (api.status(hanging["id"]), api.status(waiting["id"])) == ("canceled", "succeeded")


def test_an_environments_end_comes_before_the_deadline(api: Api) -> None:
    target = f"/api/v1/environments/projects/{api.project()}"
    hanging = api.post(target, {**ENVIRONMENT, "ttl_hours": 0.01, "simulation": "hangs"})["id"]
    running = api.running({**ENVIRONMENT, "ttl_hours": 0.01})
    deployment = _deployment(api, running, "hangs")["id"]
    api.live(36)
    assert _end(api, "environments", hanging) == ("expired", "ttl_expired")
    assert _end(api, "deployments", deployment) == ("failed", "environment_expired")


# Rollback ------------------------------------------------------------------------------------


def test_a_rollback_runs_undisturbed_unless_it_is_asked_for_otherwise(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    api.patch(f"/api/v1/environments/{environment_id}", {"config": {"of": "first"}})
    first = _deployment(api, environment_id, {"seconds": 4})
    api.live(5)
    api.patch(f"/api/v1/environments/{environment_id}", {"config": {"of": "second"}})
    _deployment(api, environment_id, "fast")
    api.live(5)
    target = f"/api/v1/environments/{environment_id}/rollback"
    failing = api.post(target, {"simulation": "fails"})
    assert (failing.status, failing["simulation"]) == (201, {**UNSET, "scenario": "fails"})
    api.live(5)
    assert _end(api, "deployments", failing["id"]) == ("failed", "release_failed")
    plain = api.post(target)
    assert (plain["simulation"], plain["rollback_of"]) == (None, first["id"])
    for rollback in (failing, plain):
        stored = api.stored(documents.deployment_ref(rollback["id"])).data
        assert stored["config"] == '{"of":"first"}'
    api.live(3)
    assert api.status(plain["id"]) == "succeeded", "after the usual time, not the target's four seconds"


# Older documents -----------------------------------------------------------------------------


def _without_the_field(api: Api, ref: Ref) -> None:
    stored = api.stored(ref)
    data = {name: value for name, value in stored.data.items() if name != "simulation"}
    assert data != stored.data
    api.store.inner.commit(Update(ref, data, stored.version))


def test_documents_from_before_are_read_as_undisturbed(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    deployment_id = api.deploy(environment_id)
    _without_the_field(api, documents.environment_ref(environment_id))
    _without_the_field(api, documents.deployment_ref(deployment_id))
    for target in (f"/api/v1/environments/{environment_id}", f"/api/v1/deployments/{deployment_id}"):
        assert api.get(target)["simulation"] is None
    api.live(3)
    assert api.status(deployment_id) == "succeeded"
    assert api.stored(documents.deployment_ref(deployment_id)).data["simulation"] is None
