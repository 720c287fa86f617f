"""Canceling deployments over HTTP: what waits at once, what runs shortly, what is done not at all."""

from collections.abc import Sequence

import pytest

from shared import documents
from shared.ports import Write
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply

TICK = 1e-6


def _cancel(api: Api, deployment_id: str) -> Reply:
    return api.post(f"/api/v1/deployments/{deployment_id}/cancel")


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("body", [ENVIRONMENT, PERSISTENT], ids=["ephemeral", "persistent"])
def test_one_that_waits_is_canceled_at_once(api: Api, body: dict[str, object], *, settles: bool) -> None:
    deployment_id = api.deploy(api.running(body))
    (api.live if settles else api.advance)(0.5 - TICK)
    reply = _cancel(api, deployment_id)
    assert (reply.status, reply["status"], reply["status_reason"]) == (200, "canceled", "cancel_requested")
    assert [step["status"] for step in reply["timeline"]] == ["pending", "canceled"]
    assert api.get(f"/api/v1/deployments/{deployment_id}").body == reply.body
    with api.nothing_changes():
        again = _cancel(api, deployment_id)
    assert (again.status, again.body) == (200, reply.body)
    api.live(60)
    assert api.status(deployment_id) == "canceled"


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("seconds", [0.5, 1.7, 3 - TICK])
def test_one_that_runs_is_canceling_and_shortly_after_canceled(
    api: Api, seconds: float, *, settles: bool
) -> None:
    environment_id = api.running()
    deployment_id = api.deploy(environment_id)
    move = api.live if settles else api.advance
    move(seconds)
    reply = _cancel(api, deployment_id)
    assert (reply.status, reply["status"], reply["status_reason"]) == (202, "canceling", "cancel_requested")
    move(1 - TICK)
    with api.nothing_changes():
        again = _cancel(api, deployment_id)
    assert (again.status, again.body) == (200, reply.body)
    move(TICK)
    for status in (200, 200):
        again = _cancel(api, deployment_id)
        assert (again.status, again["status"]) == (status, "canceled")
    move(60)
    assert api.status(deployment_id) == "canceled"
    assert api.get(f"/api/v1/environments/{environment_id}")["active_deployment"] is None


@pytest.mark.parametrize("settles", [False, True])
def test_work_that_finished_first_stands(api: Api, *, settles: bool) -> None:
    deployment_id = api.deploy(api.running())
    (api.live if settles else api.advance)(3)
    with api.nothing_changes():
        refused = _cancel(api, deployment_id)
    assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:not_possible")
    assert "is succeeded; cancel needs one that is pending or running" in refused["detail"]
    assert api.status(deployment_id) == "succeeded"


def test_what_failed_or_was_superseded_is_409_with_its_status(api: Api) -> None:
    environment_id = api.running()
    running = api.deploy(environment_id)
    api.live(1)
    superseded, pending = (api.deploy(environment_id) for _ in range(2))
    assert "is superseded" in _cancel(api, superseded)["detail"]
    api.delete(f"/api/v1/environments/{environment_id}")
    assert "is failed" in _cancel(api, running)["detail"]
    ended = _cancel(api, pending)
    assert (ended.status, ended["status_reason"]) == (200, "environment_deleted")


@pytest.mark.parametrize("settles", [False, True])
def test_the_next_in_the_queue_starts_in_the_same_commit(api: Api, *, settles: bool) -> None:
    environment_id = api.running(PERSISTENT)
    first, second, third = (api.deploy(environment_id) for _ in range(3))
    move = api.live if settles else api.advance
    move(1)
    canceled = _cancel(api, first)
    assert api.get(f"/api/v1/deployments/{second}")["timeline"][1] == {
        "at": canceled["timeline"][-1]["at"],
        "status": "running",
        "reason": None,
    }
    _cancel(api, second)
    move(1 - TICK)
    assert [api.status(one) for one in (first, second, third)] == ["canceling", "canceled", "pending"]
    move(TICK)
    assert [api.status(one) for one in (first, second, third)] == ["canceled", "canceled", "running"]
    move(2.5)
    assert api.status(third) == "succeeded"
    assert api.get(f"/api/v1/environments/{environment_id}")["active_deployment"]["id"] == third


def test_one_that_is_canceling_counts_as_unfinished(api: Api) -> None:
    environment_id = api.running({**PERSISTENT, "on_conflict": "reject"})
    deployment_id = api.deploy(environment_id)
    api.live(1)
    _cancel(api, deployment_id)
    target = f"/api/v1/deployments/environments/{environment_id}"
    assert "is canceling" in api.post(target, {"version": "x"})["detail"]
    api.live(1)
    assert api.post(target, {"version": "x"})["number"] == 2


def test_an_environment_that_ends_meanwhile_ends_the_cancellation(api: Api) -> None:
    environment_id = api.running()
    deployment_id = api.deploy(environment_id)
    api.live(1)
    _cancel(api, deployment_id)
    api.live(0.3)
    api.delete(f"/api/v1/environments/{environment_id}")
    reply = api.get(f"/api/v1/deployments/{deployment_id}")
    assert (reply["status"], reply["status_reason"]) == ("canceled", "environment_deleted")


def test_its_log_keeps_what_was_shown_and_ends_with_the_cancellation(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    path = f"/api/v1/deployments/{deployment_id}/logs"
    api.live(1.7)
    shown = api.get(path)["entries"]
    assert len(shown) > 2
    _cancel(api, deployment_id)
    for _ in range(12):
        log = api.get(path)
        assert log["entries"][: len(shown)] == shown
        assert log["complete"] == (api.status(deployment_id) == "canceled")
        shown = log["entries"]
        api.live(0.1)
    assert shown[-1]["message"] == "Deployment canceled: cancel_requested"


def test_a_cancel_that_raced_the_success_is_409(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    api.live(1)

    def succeed_meanwhile(_writes: Sequence[Write]) -> None:
        with api.elsewhere():
            api.live(2)

    api.store.before_commit = [succeed_meanwhile]
    refused = _cancel(api, deployment_id)
    assert (refused.status, "is succeeded" in refused["detail"]) == (409, True)


def test_an_acknowledged_cancel_is_never_undone_by_a_clock_that_is_behind(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    running, waiting = (api.deploy(environment_id) for _ in range(2))
    api.live(1)
    for deployment_id in (running, waiting):
        _cancel(api, deployment_id)
    api.advance(-5)
    assert [api.status(one) for one in (running, waiting)] == ["canceling", "canceled"]
    with api.nothing_changes():
        assert [_cancel(api, one).status for one in (running, waiting)] == [200, 200]
    api.deploy(environment_id)
    for task in api.drop_tasks():
        api.deliver(task)
    api.live(60)
    for deployment_id in (running, waiting):
        assert api.stored(documents.deployment_ref(deployment_id)).data["status"] == "canceled"


@pytest.mark.parametrize("deployment_id", ["x", "dep-" + "a" * 48, "env-" + "a" * 32])
def test_what_there_is_not_is_404_in_its_own_name(api: Api, deployment_id: str) -> None:
    refused = _cancel(api, deployment_id)
    assert (refused.status, refused["detail"]) == (404, f"There is no deployment {deployment_id}.")


def test_one_of_an_environment_that_is_there_is_404_too(api: Api) -> None:
    environment_id = api.running()
    deployment_id = f"dep-{environment_id[4:]}{'a' * 16}"
    with api.nothing_changes():
        assert _cancel(api, deployment_id)["detail"] == f"There is no deployment {deployment_id}."


def test_those_of_a_deleted_environment_are_404(api: Api) -> None:
    environment_id = api.running()
    deployment_id = api.deploy(environment_id)
    api.delete(f"/api/v1/environments/{environment_id}")
    api.advance(2)
    assert _cancel(api, deployment_id)["detail"] == f"There is no deployment {deployment_id}."


def test_it_takes_an_empty_object_and_nothing_else(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    path = f"/api/v1/deployments/{deployment_id}/cancel"
    with api.nothing_changes():
        assert api.post(path, {"force": True})["errors"][0]["pointer"] == "/force"
        assert api.post(path, [])["errors"][0]["pointer"] == ""
        assert api.post(path, data=b"{}").status == 415
        assert api.post(path, data=b"{", content_type="application/json").status == 400
    assert api.post(path, {}).status == 200
