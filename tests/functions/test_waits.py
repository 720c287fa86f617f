"""`wait_for`: every target from every status, somebody else's changes, the time's end, and what it costs."""

import socket
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.domain import deployment, environment
from shared.domain.timeline import TERMINAL
from shared.errors import Unavailable
from shared.times import from_text
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply, api_with
from tests.unit.test_ahead import DEPLOYMENT as DEPLOYMENT_AHEAD
from tests.unit.test_ahead import ENVIRONMENT as ENVIRONMENT_AHEAD

HOUR = 3_600
MOST = 20


def _environment_in(api: Api, status: str) -> str:
    if status in {"provisioning", "failed"}:
        simulation = {"simulation": "fails"} if status == "failed" else {}
        environment_id = api.environment(None, {**ENVIRONMENT, **simulation})
        api.live(2 if status == "failed" else 0)
        return environment_id
    if status == "expired":
        environment_id = api.running({**ENVIRONMENT, "ttl_hours": 10 / HOUR})
        api.live(8)
        return environment_id
    environment_id = api.running()
    if status != "running":
        api.delete(f"/api/v1/environments/{environment_id}")
        api.live(2 if status == "deleted" else 0)
    return environment_id


def _deployment_in(api: Api, status: str) -> str:
    ends_soon = {**ENVIRONMENT, "ttl_hours": 3 / HOUR}
    environment_id = api.running(ends_soon if status == "failed" else PERSISTENT)
    deployment_id = api.deploy(environment_id)
    waits = {"running": 0.5, "canceling": 0.5, "succeeded": 3, "failed": 1}
    api.live(waits.get(status, 0))
    if status in {"canceling", "canceled"}:
        _cancel(api, deployment_id)
    elif status == "superseded":
        body = {"version": "v2", "on_conflict": "latest"}
        assert api.post(f"/api/v1/deployments/environments/{environment_id}", body).status == 201
    return deployment_id


def _cancel(api: Api, deployment_id: str) -> Reply:
    return api.post(f"/api/v1/deployments/{deployment_id}/cancel")


def _path(object_id: str) -> str:
    kind = "environments" if object_id.startswith("env") else "deployments"
    return f"/api/v1/{kind}/{object_id}"


def _wait(api: Api, object_id: str, target: str, more: str = "") -> Reply:
    return api.get(f"{_path(object_id)}?wait_for={target}{more}")


def _outcome(shown: Reply, target: str, ahead: dict[str, set[str]], began: Any) -> tuple[str, float]:  # noqa: ANN401 - a moment
    """With which status, and after how many seconds, a wait that nobody disturbs is answered."""
    status = str(shown["status"])
    for step in shown["timeline"]:
        seconds = (from_text(step["at"]) - began).total_seconds()
        if seconds > 0 and target in ahead[status]:
            if seconds > MOST:
                return status, MOST
            status, taken = step["status"], seconds
            if target not in ahead[status]:
                return status, taken
    return status, MOST if target in ahead[status] else 0


CELLS = [
    *((make, ahead, status, target)
      for make, ahead, targets in (
          (_environment_in, ENVIRONMENT_AHEAD, environment.MACHINE.statuses),
          (_deployment_in, DEPLOYMENT_AHEAD, [*deployment.MACHINE.statuses, TERMINAL]))
      for status in ahead
      for target in targets),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "ahead", "status", "target"), CELLS, ids=[f"{cell[2]}-{cell[3]}" for cell in CELLS]
)
def test_it_is_answered_when_the_target_is_reached_or_out_of_reach_or_the_time_is_up(
    api: Api, make: Callable[[Api, str], str], ahead: dict[str, set[str]], status: str, target: str
) -> None:
    object_id = make(api, status)
    plain = f"{_path(object_id)}?show_deleted=true"
    shown, began = api.get(plain), api.clock.now
    assert shown["status"] == status
    expected, seconds = _outcome(shown, target, ahead, began)
    api.store.calls.clear()
    reply = _wait(api, object_id, target, "&show_deleted=true")
    calls = list(api.store.calls)
    assert (reply.status, reply["status"]) == (200, expected)
    assert (api.clock.now - began).total_seconds() == seconds
    assert reply.body == api.get(plain).body
    assert (seconds > 0) == (target in ahead[status]), "what is out of reach is answered at once"
    read = "get 2" if make is _environment_in else "get 3"
    assert calls == [read] * (len(api.sleeper.slept) + 1), "a look before each sleep, and one after the last"
    assert all(slept <= 1 for slept in api.sleeper.slept)
    assert len(api.sleeper.slept) <= seconds + len(shown["timeline"])


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        ("2.5", 2.5),
        ("20", 20),
        ("30", 20),
        ("50", 20),
        (None, 20),
        ("1e1", 10),
        ("2E-05", 0.00002),
        ("0.2500000", 0.25),
    ],
)
def test_at_the_time_out_it_is_answered_as_it_is(api: Api, timeout: str | None, seconds: float) -> None:
    environment_id, began = api.running(), api.clock.now
    reply = _wait(api, environment_id, "deleted", "" if timeout is None else f"&timeout={timeout}")
    assert (reply.status, reply["status"]) == (200, "running")
    assert (api.clock.now - began).total_seconds() == seconds


@pytest.mark.parametrize("after", [0, 0.001, 0.4, 0.5, 0.75, 1, 1.7, 2.999])
@pytest.mark.parametrize("target", ["canceled", "canceling", "succeeded", TERMINAL])
def test_somebody_elses_cancel_is_seen_within_a_second(api: Api, target: str, after: float) -> None:
    deployment_id = api.deploy(api.running())
    canceled_at = api.clock.now + timedelta(seconds=after)
    is_canceling = after >= 0.5
    api.sleeper.after(after, lambda: _cancel(api, deployment_id))
    reply = _wait(api, deployment_id, target)
    expected = "canceling" if is_canceling and target in {"canceling", "succeeded"} else "canceled"
    assert (reply.status, reply["status"]) == (200, expected)
    seen_after = (api.clock.now - canceled_at).total_seconds()
    if is_canceling and target in {"canceled", TERMINAL}:
        assert seen_after == 1, "it takes a second, and its end is planned"
    else:
        assert seen_after <= 1


def test_somebody_elses_new_plan_is_followed(api: Api) -> None:
    """The expiry that is waited for is put off; what has expired is restored, and not deleted in time."""
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 7 / HOUR})
    began = api.clock.now
    path = _path(environment_id)
    api.sleeper.after(4.3, lambda: api.post(f"{path}/extend", {"hours": 6.7 / HOUR}))
    assert _wait(api, environment_id, "expired")["status"] == "expired"
    assert (api.clock.now - began).total_seconds() == 11
    api.sleeper.after(3.3, lambda: api.post(f"{path}/restore", {"hours": 1}))
    assert _wait(api, environment_id, "deleting")["status"] == "running"
    assert (api.clock.now - began).total_seconds() == 11 + MOST


@pytest.mark.parametrize("target", ["expired", "failed"])
def test_somebody_elses_deletion_ends_a_wait_for_something_else(api: Api, target: str) -> None:
    environment_id = api.environment()
    began = api.clock.now
    api.sleeper.after(1.5, lambda: api.delete(_path(environment_id)))
    reply = _wait(api, environment_id, target)
    assert (reply.status, reply["status"]) == (200, "deleting")
    assert (api.clock.now - began).total_seconds() <= 2.5


def test_what_was_there_when_the_wait_began_is_answered_also_if_it_is_deleted_meanwhile(
    tmp_path: Path,
) -> None:
    with api_with(tmp_path, deleting_seconds=0.1) as api:
        environment_id = api.running()
        api.sleeper.after(0.3, lambda: api.delete(_path(environment_id)))
        reply = _wait(api, environment_id, "expired")
        assert (reply.status, reply["status"]) == (200, "deleted")
        assert _wait(api, environment_id, "expired").status == 404


def test_who_waits_for_a_deletion_sees_it_until_the_purge(api: Api) -> None:
    environment_id = api.running()
    deployment_id = api.deploy(environment_id)
    api.delete(_path(environment_id))
    for _ in range(2):  # the second one comes when it is deleted already
        reply = _wait(api, environment_id, "deleted")
        assert (reply.status, reply["status"], reply["timeline"][-1]["status"]) == (200, "deleted", "deleted")
    assert api.status(environment_id) == 404
    assert _wait(api, environment_id, "running").status == 404
    assert _wait(api, deployment_id, TERMINAL).status == 404
    assert _wait(api, deployment_id, TERMINAL, "&show_deleted=true")["status"] == "canceled"
    api.live(7 * 24 * HOUR)
    assert _wait(api, environment_id, "deleted").status == 404


def test_a_stranger_does_not_wait(api: Api) -> None:
    stranger = api.join()
    for object_id in (api.running(), api.deploy(api.running())):
        api.store.calls.clear()
        for target in ("running", "deleted" if object_id.startswith("env") else TERMINAL):
            assert api.get(f"{_path(object_id)}?wait_for={target}", token=stranger).status == 404
        assert len(api.store.calls) == 2
    assert api.sleeper.slept == []


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("wait_for=nothing", ["wait_for"]),
        ("wait_for=", ["wait_for"]),
        ("wait_for=RUNNING", ["wait_for"]),
        ("wait_for=running,failed", ["wait_for"]),
        ("wait_for=running&wait_for=failed", ["wait_for"]),
        ("timeout=5", ["timeout"]),
        ("wait_for=running&timeout=51", ["timeout"]),
        ("wait_for=running&timeout=50.000001", ["timeout"]),
        ("wait_for=running&timeout=-1", ["timeout"]),
        ("wait_for=running&timeout=", ["timeout"]),
        ("wait_for=running&timeout=1e", ["timeout"]),
        ("wait_for=running&timeout=1e999", ["timeout"]),
        ("wait_for=running&timeout=nan", ["timeout"]),
        ("wait_for=running&timeout=+1", ["timeout"]),
        ("wait_for=running&timeout=5s", ["timeout"]),
        ("wait_for=nothing&timeout=99", ["wait_for", "timeout"]),
    ],
)
def test_what_can_not_be_waited_for_is_422(shared_api: Api, query: str, parameters: list[str]) -> None:
    environment_id = shared_api.running()
    for object_id in (environment_id, shared_api.deploy(environment_id)):
        reply = shared_api.get(f"{_path(object_id)}?{query}")
        assert reply.status == 422
        assert [fault["parameter"] for fault in reply["errors"]] == parameters
    assert shared_api.sleeper.slept == []


def test_each_kind_has_its_own_targets(shared_api: Api) -> None:
    environment_id = shared_api.running()
    deployment_id = shared_api.deploy(environment_id)
    for object_id, foreign in ((environment_id, "terminal"), (environment_id, "pending"),
                               (deployment_id, "deleted"), (deployment_id, "provisioning")):  # fmt: skip
        assert _wait(shared_api, object_id, foreign).status == 422


def test_without_a_place_it_is_answered_at_once_as_it_is(tmp_path: Path) -> None:
    with api_with(tmp_path, held_requests=0) as api:
        environment_id = api.environment()
        assert api.spent(lambda: _wait(api, environment_id, "running")) == ["get 2"]
        assert _wait(api, environment_id, "running")["status"] == "provisioning"
        assert api.sleeper.slept == []


def test_for_who_has_gone_nothing_is_waited_for(api: Api) -> None:
    environment_id = api.running()
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        api.sleeper.after(1.5, lambda: theirs.send(b"the next request"))
        api.sleeper.after(3.5, theirs.close)
        environ = {"gunicorn.socket": ours}
        api.get(f"{_path(environment_id)}?wait_for=deleted", environ_overrides=environ)
    assert len(api.sleeper.slept) == 4


def test_an_outage_meanwhile_is_an_outage(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    environment_id = api.running()

    def fail(*_: object) -> None:
        raise Unavailable("database")

    api.sleeper.after(2.5, lambda: monkeypatch.setattr(api.store, "get_many", fail))
    assert _wait(api, environment_id, "deleted").status == 503
    monkeypatch.undo()
    api.store.calls.clear()
    assert _wait(api, environment_id, "deleted")["status"] == "running"
    assert len(api.store.calls) == 21, "its place is free again"
