"""What becomes of a deployment while another is unfinished, and which one is live, over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest

from shared import documents
from shared.locks import NamedLocks
from shared.ports import Update
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply

TICK = 1e-6


def _deploy(api: Api, environment_id: str, policy: str | None = None) -> Reply:
    body = {"version": "v"} if policy is None else {"version": "v", "on_conflict": policy}
    return api.post(f"/api/v1/deployments/environments/{environment_id}", body)


def _statuses(api: Api, environment_id: str) -> list[str]:
    """By number."""
    return [item["status"] for item in api.all(f"/api/v1/deployments/environments/{environment_id}")][::-1]


def _environment(api: Api, environment_id: str) -> Reply:
    return api.get(f"/api/v1/environments/{environment_id}")


@pytest.mark.parametrize(("body", "default"), [(ENVIRONMENT, "latest"), (PERSISTENT, "queue")])
def test_an_environment_shows_its_policy(api: Api, body: dict[str, Any], default: str) -> None:
    for more, expected in (
        ({}, default),
        ({"on_conflict": None}, default),
        ({"on_conflict": "reject"}, "reject"),
        ({"on_conflict": "queue"}, "queue"),
    ):
        environment_id = api.environment(None, {**body, **more})
        assert _environment(api, environment_id)["on_conflict"] == expected


@pytest.mark.parametrize("body", [ENVIRONMENT, PERSISTENT], ids=["ephemeral", "persistent"])
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("queue", ["running", "pending", "pending"]),
        ("latest", ["running", "superseded", "pending"]),
    ],
)
@pytest.mark.parametrize("is_own", [False, True])
def test_a_policy_is_the_environments_or_the_requests(
    api: Api, body: dict[str, Any], policy: str, expected: list[str], *, is_own: bool
) -> None:
    environment_id = api.running({**body, "on_conflict": policy if is_own else "reject"})
    _deploy(api, environment_id)
    api.live(0.5)
    for _ in range(2):
        assert _deploy(api, environment_id, None if is_own else policy).status == 201
    assert _statuses(api, environment_id) == expected


@pytest.mark.parametrize("is_own", [False, True])
def test_reject_is_409_while_something_is_unfinished(api: Api, *, is_own: bool) -> None:
    environment_id = api.running({**PERSISTENT, "on_conflict": "reject" if is_own else "queue"})
    policy = None if is_own else "reject"
    for number in (1, 2):
        assert _deploy(api, environment_id, policy)["number"] == number
        for seconds, status in ((0, "pending"), (0.5, "running"), (2.5 - TICK, "running")):
            api.advance(seconds)
            with api.nothing_changes():
                refused = _deploy(api, environment_id, policy)
            assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:deployment_unfinished")
            assert f"Deployment {number} of" in refused["detail"]
            assert f"is {status}" in refused["detail"]
        api.advance(TICK)


def test_the_21st_unfinished_is_429_on_an_ephemeral_environment_that_queues_too(api: Api) -> None:
    environment_id = api.running({**ENVIRONMENT, "on_conflict": "queue"})
    for _ in range(20):
        assert _deploy(api, environment_id).status == 201
    with api.nothing_changes():
        refused = _deploy(api, environment_id)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "3")
    assert _deploy(api, environment_id, "latest")["number"] == 21, "it takes the place of those that wait"
    assert _statuses(api, environment_id) == ["superseded"] * 20 + ["pending"]


@pytest.mark.parametrize(
    ("policy", "pending"), [("latest", 1), ("reject", 1), ("queue", 20)], ids=["latest", "reject", "queue"]
)
def test_of_50_at_once_the_numbers_have_no_gaps(api: Api, policy: str, pending: int) -> None:
    environment_id = api.running({**PERSISTENT, "on_conflict": policy})
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: _deploy(api, environment_id), range(50)))
    refused = {"latest": set(), "reject": {409}, "queue": {429}}[policy]
    assert {reply.status for reply in replies} == {201} | refused
    numbers = sorted(reply["number"] for reply in replies if reply.status == 201)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == (50 if policy == "latest" else pending)
    statuses = _statuses(api, environment_id)
    assert statuses == ["superseded"] * (len(numbers) - pending) + ["pending"] * pending


def test_of_50_at_once_from_processes_that_share_no_lock_the_numbers_have_no_gaps(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NamedLocks, "hold", lambda _locks, _name: nullcontext())
    monkeypatch.setattr("shared.changing.RETRY_SECONDS", 60.0)
    environment_id = api.running({**PERSISTENT, "on_conflict": "latest"})
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: _deploy(api, environment_id), range(50)))
    assert sorted(reply["number"] for reply in replies) == list(range(1, 51))
    assert _statuses(api, environment_id) == ["superseded"] * 49 + ["pending"]


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("body", [ENVIRONMENT, PERSISTENT], ids=["ephemeral", "persistent"])
def test_the_last_that_succeeded_is_live_from_that_very_moment_on(
    api: Api, body: dict[str, Any], *, settles: bool
) -> None:
    environment_id = api.running({**body, "on_conflict": "queue"})
    project_id = "prj-" + environment_id[4:20]
    move = api.live if settles else api.advance
    assert _environment(api, environment_id)["active_deployment"] is None
    created = [_deploy(api, environment_id).body for _ in range(2)]
    move(3 - TICK)
    assert _environment(api, environment_id)["active_deployment"] is None
    move(TICK)
    for number in (1, 2):
        expected = {"id": created[number - 1]["id"], "version": "v", "number": number}
        shown = _environment(api, environment_id)
        assert shown["active_deployment"] == expected
        assert shown["updated_at"] == api.get(f"/api/v1/deployments/{expected['id']}")["updated_at"]
        assert api.all(f"/api/v1/environments/projects/{project_id}") == [shown.body]
        move(2.5 - TICK)
        again = _environment(api, environment_id)
        assert again["etag"] == shown["etag"], "nothing that is shown has changed"
        move(TICK)


def test_one_that_does_not_succeed_leaves_the_earlier_one_live(api: Api) -> None:
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 10 / 3_600})
    first = api.deploy(environment_id)
    api.live(6)
    api.deploy(environment_id)
    api.live(4)
    shown = _environment(api, environment_id)
    assert (shown["status"], shown["active_deployment"]["id"]) == ("expired", first)


def test_the_last_ten_that_were_live_are_remembered(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    for _ in range(12):
        api.deploy(environment_id)
        api.live(3)
    data = api.stored(documents.environment_ref(environment_id)).data
    assert [item["number"] for item in data["live"]] == list(range(3, 13))


def test_documents_from_before_have_the_policy_of_their_type_and_nothing_live(api: Api) -> None:
    for body, policy in ((ENVIRONMENT, "latest"), (PERSISTENT, "queue")):
        environment_id = api.running(body)
        deployment_id = api.deploy(environment_id)
        stored = api.stored(documents.environment_ref(environment_id))
        older = {key: stored.data[key] for key in stored.data.keys() - {"on_conflict", "live", "notes"}}
        api.store.inner.commit(Update(stored.ref, older, stored.version))
        shown = _environment(api, environment_id)
        assert (shown["on_conflict"], shown["active_deployment"]) == (policy, None)
        api.live(3)
        assert _environment(api, environment_id)["active_deployment"]["id"] == deployment_id
