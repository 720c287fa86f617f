"""What each request costs: calls to the store, documents, tasks. Exactly."""

from collections.abc import Callable
from functools import partial

import pytest

from shared.ports import Ref
from tests.functions.accounts import account
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply


class Known:
    """Objects to ask for, everything settled."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.project = api.project()
        self.environment = api.running(PERSISTENT, self.project)
        self.deployment = api.deploy(self.environment)
        api.live(5)
        api.deploy(self.environment)
        api.live(5)
        self.canceled = api.deploy(self.environment)
        api.post(f"/api/v1/deployments/{self.canceled}/cancel")
        self.ephemeral = api.environment()
        self.expired = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1e-3})
        api.live(10)
        self.owner = api.get("/api/v1/auth/me")["id"]
        self.account = account(api, "user@example.com")
        self.environments = f"/api/v1/environments/projects/{self.project}"
        self.deployments = f"/api/v1/deployments/environments/{self.environment}"

    def as_of(self, object_id: str) -> Reply:
        """What it was when it was created."""
        kind = "environments" if object_id.startswith("env") else "deployments"
        at = self.api.stored(Ref(kind, object_id)).data["created_at"]
        return self.api.get(f"/api/v1/{kind}/{object_id}?at={at}")


Act = Callable[[Known], Reply]
CASES: dict[str, tuple[Act, list[str], int]] = {
    "health": (lambda to: to.api.get("/health"), ["get 1"], 0),
    "project": (lambda to: to.api.get(f"/api/v1/projects/{to.project}"), ["get 1"], 0),
    "environment": (lambda to: to.api.get(f"/api/v1/environments/{to.environment}"), ["get 2"], 0),
    "deployment": (lambda to: to.api.get(f"/api/v1/deployments/{to.deployment}"), ["get 3"], 0),
    "logs": (lambda to: to.api.get(f"/api/v1/deployments/{to.deployment}/logs"), ["get 3"], 0),
    "a part of the logs": (
        lambda to: to.api.get(f"/api/v1/deployments/{to.deployment}/logs?after=2&limit=3&level=warning"),
        ["get 3"],
        0,
    ),
    "a stream of a log that is complete": (
        lambda to: to.api.get(
            f"/api/v1/deployments/{to.deployment}/logs", headers={"Accept": "text/event-stream"}
        ),
        ["get 3"],
        0,
    ),
    "a wait for what has come about": (
        lambda to: to.api.get(f"/api/v1/deployments/{to.deployment}?wait_for=terminal"),
        ["get 3"],
        0,
    ),
    "a wait for what can't come about": (
        lambda to: to.api.get(f"/api/v1/environments/{to.expired}?wait_for=running"),
        ["get 2"],
        0,
    ),
    "a wait of five seconds for what nobody does": (
        lambda to: to.api.get(f"/api/v1/environments/{to.environment}?wait_for=deleted&timeout=5"),
        ["get 2"] * 6,
        0,
    ),
    "scenarios": (lambda to: to.api.get("/api/v1/simulation/scenarios"), [], 0),
    "projects": (lambda to: to.api.get("/api/v1/projects"), ["find 3"], 0),
    "environments": (lambda to: to.api.get(to.environments), ["get 1", "find 1"], 0),
    "environments by status": (
        lambda to: to.api.get(f"{to.environments}?status=running"),
        ["get 1", "find 1", "find 0"],
        0,
    ),
    "deployments": (lambda to: to.api.get(to.deployments), ["get 2", "find 3"], 0),
    "deployments by status": (
        lambda to: to.api.get(f"{to.deployments}?status=pending"),
        ["get 2", "find 0"],
        0,
    ),
    "timeline": (
        lambda to: to.api.get(f"/api/v1/environments/{to.environment}/timeline"),
        ["get 2", "find 3"],
        0,
    ),
    "environment as of its creation": (lambda to: to.as_of(to.environment), ["get 2"], 0),
    "deployment as of its creation": (lambda to: to.as_of(to.deployment), ["get 3"], 0),
    "create project": (lambda to: to.api.post("/api/v1/projects", {"name": "x"}), ["commit 1"], 0),
    "edit project": (
        lambda to: to.api.patch(f"/api/v1/projects/{to.project}", {"name": "y"}),
        ["get 1", "commit 1"],
        0,
    ),
    "members": (lambda to: to.api.get(f"/api/v1/projects/{to.project}/members"), ["get 1", "get 1"], 0),
    "member": (
        lambda to: to.api.get(f"/api/v1/projects/{to.project}/members/{to.owner}"),
        ["get 2"],
        0,
    ),
    "add member": (
        lambda to: to.api.post(
            f"/api/v1/projects/{to.project}/members", {"email": to.account.email, "role": "viewer"}
        ),
        ["get 2", "commit 2"],
        0,
    ),
    "give a role that it is": (
        lambda to: to.api.patch(f"/api/v1/projects/{to.project}/members/{to.owner}", {"role": "owner"}),
        ["get 2"],
        0,
    ),
    "edit nothing": (lambda to: to.api.patch(f"/api/v1/projects/{to.project}", {}), ["get 1"], 0),
    "end project": (
        lambda to: to.api.delete(f"/api/v1/projects/{to.project}?force=true"),
        ["get 1", "commit 1"],
        1,
    ),
    "open ephemeral": (lambda to: to.api.post(to.environments, ENVIRONMENT), ["get 1", "commit 1"], 1),
    "open persistent": (lambda to: to.api.post(to.environments, PERSISTENT), ["get 1", "commit 1"], 1),
    "edit environment": (
        lambda to: to.api.patch(f"/api/v1/environments/{to.environment}", {"name": "y"}),
        ["get 2", "commit 1"],
        0,
    ),
    "delete environment": (
        lambda to: to.api.delete(f"/api/v1/environments/{to.environment}"),
        ["get 2", "commit 1"],
        1,
    ),
    "extend": (
        lambda to: to.api.post(f"/api/v1/environments/{to.ephemeral}/extend", {"hours": 1}),
        ["get 2", "commit 1"],
        1,
    ),
    "restore": (
        lambda to: to.api.post(f"/api/v1/environments/{to.expired}/restore", {"hours": 1}),
        ["get 2", "commit 1"],
        1,
    ),
    "rollback": (
        lambda to: to.api.post(f"/api/v1/environments/{to.environment}/rollback"),
        ["get 2", "get 1", "commit 2"],
        1,
    ),
    "rollback to a named one": (
        lambda to: to.api.post(f"/api/v1/environments/{to.environment}/rollback", {"to": to.deployment}),
        ["get 3", "commit 2"],
        1,
    ),
    "cancel what has ended": (
        lambda to: to.api.post(f"/api/v1/deployments/{to.canceled}/cancel"),
        ["get 3"],
        0,
    ),
    "deploy": (lambda to: to.api.post(to.deployments, {"version": "v"}), ["get 2", "commit 2"], 1),
}


@pytest.mark.parametrize(("act", "calls", "tasks"), CASES.values(), ids=CASES.keys())
def test_a_request_costs(api: Api, act: Act, calls: list[str], tasks: int) -> None:
    known = Known(api)
    enqueued = api.queue.enqueued
    assert api.spent(lambda: act(known)) == calls
    assert api.queue.enqueued - enqueued == tasks


def test_a_deployment_beside_unfinished_ones_reads_them_in_one_more_call(api: Api) -> None:
    known = Known(api)
    for unfinished in range(4):
        calls = api.spent(lambda: api.post(known.deployments, {"version": "v"}))
        read = [f"get {unfinished}"] if unfinished else []
        assert calls == ["get 2", *read, "commit 2"], "what is not moved is not written"


def test_a_rollback_beside_unfinished_ones_reads_them_and_what_it_may_go_back_to_in_one_call(
    api: Api,
) -> None:
    known = Known(api)
    target = f"/api/v1/environments/{known.environment}/rollback"
    api.deploy(known.environment)
    assert api.spent(lambda: api.post(target)) == ["get 2", "get 3", "commit 3"], "it waits: superseded"
    api.live(1)
    assert api.spent(lambda: api.post(target)) == ["get 2", "get 3", "commit 2"], "it runs"
    assert api.spent(lambda: api.post(target, {"to": known.deployment})) == ["get 3", "get 2", "commit 3"]


@pytest.mark.parametrize("seconds", [0, 0.5], ids=["pending", "running"])
def test_a_cancel_reads_other_unfinished_ones_in_one_more_call_and_writes_what_moves(
    api: Api, seconds: float
) -> None:
    known = Known(api)
    for others in range(3):
        canceled = api.deploy(known.environment)
        waiting = [api.deploy(known.environment) for _ in range(others)]
        api.live(seconds)
        enqueued = api.queue.enqueued
        target = f"/api/v1/deployments/{canceled}/cancel"
        calls = api.spent(partial(api.post, target))
        read = [f"get {others}"] if others else []
        assert calls == ["get 3", *read, f"commit {2 + others}"]
        assert api.queue.enqueued - enqueued == (1 if seconds else 0)
        for one in waiting:
            api.post(f"/api/v1/deployments/{one}/cancel")
        api.live(10)


def test_a_filter_of_unsettled_deployments_reads_the_unfinished_ones_in_one_more_call(api: Api) -> None:
    known = Known(api)
    for _ in range(3):
        api.post(known.deployments, {"version": "v"})
    api.advance(1)
    calls = api.spent(lambda: api.get(f"{known.deployments}?status=running"))
    assert calls == ["get 2", "find 0", "get 3"]


def test_refusals_cost_no_more_than_a_read(api: Api) -> None:
    known, stranger = Known(api), api.join()
    for target in (known.environments, known.deployments, f"/api/v1/deployments/{known.deployment}"):
        api.store.calls.clear()
        assert api.get(target, token=stranger).status == 404
        assert len(api.store.calls) == 1
        api.store.calls.clear()
        assert api.get(target, token="x").status == 401
        assert api.get(f"{target}?nothing=1").status == 422
        assert api.store.calls == []
