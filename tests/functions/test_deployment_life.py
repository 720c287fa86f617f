"""Deployments over HTTP: one at a time, in which order, and how they end with their environment."""

from itertools import pairwise
from typing import Any

import pytest

from shared import documents
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api

HOUR = 3_600
TICK = 1e-6


def _list(api: Api, environment_id: str, query: str = "") -> list[Any]:
    return api.all(f"/api/v1/deployments/environments/{environment_id}{query}")


def _statuses(api: Api, environment_id: str) -> list[str]:
    """By number."""
    return [item["status"] for item in _list(api, environment_id)][::-1]


@pytest.mark.parametrize("settles", [False, True])
def test_it_is_pending_runs_and_succeeds_at_exact_moments(api: Api, *, settles: bool) -> None:
    deployment_id = api.deploy(api.running())
    move = api.live if settles else api.advance
    for seconds, before, after in ((0.5, "pending", "running"), (2.5, "running", "succeeded")):
        move(seconds - TICK)
        assert api.status(deployment_id) == before
        move(TICK)
        assert api.status(deployment_id) == after
    if settles:
        assert api.stored(documents.deployment_ref(deployment_id)).data["status"] == "succeeded"


@pytest.mark.parametrize("config", [None, {}, [], False, 0, "x", {"a": {"b": [1.5, None, "ü"]}}])
def test_it_shows_the_configuration_of_the_moment_it_was_asked_for(api: Api, config: object) -> None:
    environment_id = api.running({**ENVIRONMENT, "config": config})
    target = f"/api/v1/deployments/environments/{environment_id}"
    made = api.post(target, {"version": "v"})
    assert (made["config"], type(made["config"])) == (config, type(config))
    api.patch(f"/api/v1/environments/{environment_id}", {"config": {"other": True}})
    assert api.get(f"/api/v1/deployments/{made['id']}").body == made.body, "its own outlasts every edit"
    assert [item["config"] for item in api.all(target)] == [config]
    assert api.post(target, {"version": "v"})["config"] == {"other": True}


def test_on_an_ephemeral_environment_the_newest_pending_one_wins(api: Api) -> None:
    environment_id = api.running()
    first = api.deploy(environment_id)
    api.live(0.5)
    second, third, fourth = (api.deploy(environment_id) for _ in range(3))
    assert [api.status(item) for item in (first, second, third, fourth)] == [
        "running",
        "superseded",
        "superseded",
        "pending",
    ]
    assert api.get(f"/api/v1/deployments/{second}")["status_reason"] == "newer_deployment"
    api.live(2.5)
    assert _statuses(api, environment_id) == ["succeeded", "superseded", "superseded", "running"]
    api.live(2.5)
    assert _statuses(api, environment_id)[-1] == "succeeded"


def test_a_steady_stream_of_deployments_keeps_none_from_running(api: Api) -> None:
    environment_id = api.running()
    for _ in range(20):
        api.deploy(environment_id)
        api.live(0.3)
    statuses = _statuses(api, environment_id)
    assert statuses[0:2] == ["superseded", "succeeded"], "the second took the first one's place"
    assert statuses.count("succeeded") == 2
    assert statuses.count("running") == 1


def test_on_an_ephemeral_environment_any_number_may_be_asked_for(api: Api) -> None:
    environment_id = api.running()
    for _ in range(25):
        api.deploy(environment_id)
    assert _statuses(api, environment_id) == ["superseded"] * 24 + ["pending"]


def test_on_a_persistent_environment_they_run_in_order_one_at_a_time(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    for _ in range(4):
        api.deploy(environment_id)
    seen = []
    for _ in range(24):
        statuses = _statuses(api, environment_id)
        assert statuses.count("running") <= 1
        assert statuses == sorted(statuses, key=["succeeded", "running", "pending"].index)
        seen.append(statuses.count("succeeded"))
        api.live(0.5)
    assert seen[-1] == 4
    assert seen == sorted(seen)
    timelines = [item["timeline"] for item in _list(api, environment_id)][::-1]
    for earlier, later in pairwise(timelines):
        assert later[1]["at"] == earlier[-1]["at"], "each starts when the one before has ended"


def test_the_21st_unfinished_is_429_until_one_has_ended(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    for _ in range(20):
        api.deploy(environment_id)
    target = f"/api/v1/deployments/environments/{environment_id}"
    with api.nothing_changes():
        refused = api.post(target, {"version": "x"})
    assert (refused.status, refused["type"]) == (429, "urn:envctl:problem:too_many_unfinished")
    assert refused.headers["Retry-After"] == "3"
    api.advance(0.6)  # 2.4 s are left: rounded up, so that who waits that long gets in
    assert api.post(target, {"version": "x"}).headers["Retry-After"] == "3"
    api.advance(2.4)
    assert api.post(target, {"version": "x"})["number"] == 21
    assert api.post(target, {"version": "x"}).status == 429


@pytest.mark.parametrize("body", [ENVIRONMENT, PERSISTENT], ids=["ephemeral", "persistent"])
def test_numbers_rise_by_one_whatever_is_refused_between(api: Api, body: dict[str, Any]) -> None:
    environment_id = api.running(body)
    target = f"/api/v1/deployments/environments/{environment_id}"
    for _ in range(5):
        assert api.post(target, {"version": ""}).status == 422
        assert api.post(target, {"version": "x"}, token=api.join()).status == 404
        api.deploy(environment_id)
        api.live(1.7)
    assert [item["number"] for item in _list(api, environment_id, "?page_size=2")] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(0, "provisioning"), (2 - TICK, "provisioning"), (HOUR, "expired"), (2 * HOUR, "deleting")],
)
@pytest.mark.parametrize("settles", [False, True])
def test_an_environment_that_is_not_running_takes_none_and_says_why(
    api: Api, seconds: float, status: str, *, settles: bool
) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    (api.live if settles else api.advance)(seconds)
    with api.nothing_changes():
        refused = api.post(f"/api/v1/deployments/environments/{environment_id}", {"version": "x"})
    assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:environment_not_running")
    assert f"is {status};" in refused["detail"]


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("body", [ENVIRONMENT, PERSISTENT], ids=["ephemeral", "persistent"])
def test_they_end_with_an_environment_that_is_deleted(
    api: Api, body: dict[str, Any], *, settles: bool
) -> None:
    environment_id = api.running(body)
    running = api.deploy(environment_id)
    api.live(1)
    pending = api.deploy(environment_id)
    api.delete(f"/api/v1/environments/{environment_id}")
    if settles:
        api.run_due()
    for deployment_id, status in ((running, "failed"), (pending, "canceled")):
        reply = api.get(f"/api/v1/deployments/{deployment_id}")
        assert (reply["status"], reply["status_reason"]) == (status, "environment_deleted")
        assert reply["timeline"][-1]["at"] == reply["updated_at"] == "2026-01-31T12:00:03.000000Z"
        assert api.get(f"/api/v1/deployments/{deployment_id}/logs")["complete"]


@pytest.mark.parametrize("settles", [False, True])
def test_they_end_with_an_environment_that_expires(api: Api, *, settles: bool) -> None:
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 10 / HOUR})
    move = api.live if settles else api.advance
    move(6)
    running = api.deploy(environment_id)
    move(1)
    pending = api.deploy(environment_id)
    move(1 - TICK)
    assert (api.status(running), api.status(pending)) == ("running", "pending")
    move(TICK)
    for deployment_id, status in ((running, "failed"), (pending, "canceled")):
        reply = api.get(f"/api/v1/deployments/{deployment_id}")
        assert (reply["status"], reply["status_reason"]) == (status, "environment_expired")
        if settles:
            assert api.stored(documents.deployment_ref(deployment_id)).data["status"] == status


def test_those_of_a_deleted_environment_are_shown_only_when_asked_for(api: Api) -> None:
    environment_id = api.running()
    deployment_id = api.deploy(environment_id)
    api.live(3)
    api.delete(f"/api/v1/environments/{environment_id}")
    paths = (
        f"/api/v1/deployments/{deployment_id}",
        f"/api/v1/deployments/{deployment_id}/logs",
        f"/api/v1/deployments/environments/{environment_id}",
    )
    assert [api.get(path).status for path in paths] == [200] * 3
    for move in (lambda: api.advance(2), api.run_due):
        move()
        assert [api.get(path).status for path in paths] == [404] * 3
        assert [api.get(f"{path}?show_deleted=true").status for path in paths] == [200] * 3
    assert api.post(paths[2], {"version": "x"}).status == 404
    api.live(7 * 24 * HOUR)
    assert [api.get(f"{path}?show_deleted=true").status for path in paths] == [404] * 3


def test_a_log_appears_line_by_line_and_never_changes(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    path = f"/api/v1/deployments/{deployment_id}/logs"
    shown: list[Any] = []
    for _ in range(32):
        log = api.get(path)
        assert log["entries"][: len(shown)] == shown
        assert log["complete"] == (api.status(deployment_id) == "succeeded")
        shown = log["entries"]
        api.live(0.1)
    assert {entry["step"] for entry in shown} == {"validate", "fetch", "configure", "release", "verify"}


@pytest.mark.parametrize(
    ("accept", "is_text"),
    [
        ("text/plain", True),
        ("text/plain, application/json;q=0.5", True),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("text/*", True),
        ("image/png", False),
        ("nonsense;q=x", False),
        ("text/plain; charset=utf-8", True),
        ("TEXT/PLAIN;charset=UTF-8;q=0.9, application/json;q=0.8", True),
        ("text/plain; charset=utf-8;q=0.1, application/json", False),
        ("text/plain;q=0, application/json;q=0.1", False),
    ],
)
def test_a_log_is_text_for_those_who_prefer_it(shared_api: Api, accept: str, *, is_text: bool) -> None:
    deployment_id = shared_api.deploy(shared_api.running())
    reply = shared_api.get(f"/api/v1/deployments/{deployment_id}/logs", headers={"Accept": accept})
    assert reply.headers["Content-Type"].startswith("text/plain" if is_text else "application/json")
