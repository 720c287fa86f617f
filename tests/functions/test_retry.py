"""Provisioning once more what has failed, over HTTP."""

from collections.abc import Mapping

import pytest

from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply

HOUR = 3_600
FAILS_THREE_TIMES = {"scenario": "flaky", "seed": 26}


def _failing(api: Api, body: Mapping[str, object], simulation: object = "fails") -> str:
    """An environment whose provisioning fails."""
    return api.environment(None, {**body, "simulation": simulation})


def _retry(api: Api, environment_id: str) -> Reply:
    return api.post(f"/api/v1/environments/{environment_id}/retry")


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("body", [ENVIRONMENT, PERSISTENT], ids=["ephemeral", "persistent"])
def test_a_failed_one_provisions_again(api: Api, body: dict[str, object], *, settles: bool) -> None:
    environment_id = _failing(api, body, FAILS_THREE_TIMES)
    move = api.live if settles else api.advance
    move(2)
    shown = api.get(f"/api/v1/environments/{environment_id}")
    assert (shown["status"], shown["status_reason"]) == ("failed", "provisioning_failed")
    for _ in range(2):
        move(10)
        reply = _retry(api, environment_id)
        assert (reply.status, reply["status"], reply["status_reason"]) == (
            200,
            "provisioning",
            "retry_requested",
        )
        assert api.get(f"/api/v1/environments/{environment_id}").body == reply.body
        move(2)
        assert api.status(environment_id) == "failed"
    assert _retry(api, environment_id).status == 200
    move(2)
    shown = api.get(f"/api/v1/environments/{environment_id}")
    assert (shown["status"], shown["base_url"]) == (
        "running",
        f"https://{environment_id}.preview.example.com",
    )
    assert api.post(f"/api/v1/deployments/environments/{environment_id}", {"version": "v"}).status == 201


def test_a_retry_leaves_the_lease_as_it_is(api: Api) -> None:
    environment_id = _failing(api, {**ENVIRONMENT, "ttl_hours": 1})
    api.live(HOUR - 1)
    before = api.get(f"/api/v1/environments/{environment_id}")["expires_at"]
    assert _retry(api, environment_id)["expires_at"] == before
    api.live(1)
    assert api.status(environment_id) == "expired"
    refused = api.post(f"/api/v1/environments/{environment_id}/restore", {"hours": 1})
    assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:failed_before")


def test_a_failed_one_takes_no_deployment_and_may_be_extended(api: Api) -> None:
    environment_id = _failing(api, ENVIRONMENT)
    api.live(2)
    refused = api.post(f"/api/v1/deployments/environments/{environment_id}", {"version": "v"})
    assert (refused.status, "is failed" in refused["detail"]) == (409, True)
    assert api.post(f"/api/v1/environments/{environment_id}/extend", {"hours": 30})["status"] == "failed"


@pytest.mark.parametrize(
    ("seconds", "status"), [(0, "provisioning"), (2, "running"), (HOUR, "expired"), (2 * HOUR, "deleting")]
)
def test_one_that_has_not_failed_is_409_and_says_its_status(api: Api, seconds: float, status: str) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    api.live(seconds)
    with api.nothing_changes():
        refused = _retry(api, environment_id)
    assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:not_possible")
    assert f"is {status}; retry needs one that is failed" in refused["detail"]


def test_it_costs_a_read_and_a_commit(api: Api) -> None:
    environment_id = _failing(api, PERSISTENT)
    api.live(2)
    assert api.spent(lambda: _retry(api, environment_id)) == ["get 2", "commit 1"]
