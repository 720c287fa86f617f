"""Stories that go the same way whatever is underneath: one machine's parts, or Google's."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Protocol, cast

import pytest

from shared.times import from_text
from tests.client import Client
from tests.flows.server import POLL_SECONDS, wait_until

GONE_WITHIN = 30.0


class Platform(Protocol):
    """A running platform."""

    def client(self, token: str | None = None) -> Client:
        """A connection to it."""

    def stored(self, collection: str) -> dict[str, dict[str, Any]]:
        """What is in the database, by id."""


@pytest.fixture(params=["one_machine", pytest.param("google", marks=pytest.mark.google)])
def platform(request: pytest.FixtureRequest) -> Platform:
    return cast("Platform", request.getfixturevalue(request.param))


@pytest.fixture
def client(platform: Platform, request: pytest.FixtureRequest) -> Iterator[Client]:
    """Somebody with an account of their own, who is in the middle of a project."""
    with closing(platform.client()) as client:
        client.log_in(f"{hash(request.node.name)}@example.com")
        yield client


@pytest.fixture
def project(client: Client) -> str:
    return str(client.create("/api/v1/projects", name="p")["id"])


def open_environment(client: Client, project: str, **fields: object) -> Any:  # noqa: ANN401 - any JSON object
    path = f"/api/v1/environments/projects/{project}"
    return client.create(path, **{"name": "e", "type": "ephemeral", **fields})


def until(client: Client, path: str, status: str, seconds: float = 10) -> Any:  # noqa: ANN401
    """The object once it has a status."""
    last: dict[str, Any] = {}

    def has_come() -> bool:
        last.update(client.request("GET", path).body)
        return bool(last["status"] == status)

    wait_until(has_come, seconds, f"{path} is {status}")
    return last


def test_an_environment_is_what_its_timeline_says_at_every_moment_and_callbacks_write_it_down(
    platform: Platform, client: Client, project: str
) -> None:
    opened = open_environment(client, project, ttl_hours=3 / 3600)
    steps = [(from_text(step["at"]), step["status"]) for step in opened["timeline"]]
    life = ["provisioning", "running", "expired", "deleting", "deleted"]
    assert [status for _, status in steps] == life
    path, seen, stored = f"/api/v1/environments/{opened['id']}", [life[0]], [life[0]]
    give_up_at = time.monotonic() + GONE_WITHIN
    while stored[-1] != "purged":
        assert time.monotonic() < give_up_at, stored
        before = datetime.now(UTC)
        answer = client.request("GET", f"{path}?show_deleted=true")
        after = datetime.now(UTC)
        note(stored, platform.stored("environments").get(opened["id"], {"status": "purged"})["status"])
        if answer.status == 200:
            note(seen, answer.body["status"])
            at_least = [name for at, name in steps if at <= before][-1]
            at_most = [name for at, name in steps if at <= after][-1]
            assert life.index(at_least) <= life.index(seen[-1]) <= life.index(at_most)
        time.sleep(POLL_SECONDS)
    assert (seen, stored) == (life, [*life, "purged"])
    assert client.request("GET", f"{path}?show_deleted=true").status == 404


def note(statuses: list[str], status: str) -> None:
    """One more, if it is another one."""
    if status != statuses[-1]:
        statuses.append(status)


def test_versions_are_rolled_out_and_tell_about_it(client: Client, project: str) -> None:
    environment = open_environment(client, project, type="persistent")["id"]
    until(client, f"/api/v1/environments/{environment}", "running")
    path = f"/api/v1/deployments/environments/{environment}"
    deployments = [client.create(path, version=f"v{number}") for number in (1, 2, 3)]
    for number, deployment in enumerate(deployments, 1):
        ended = until(client, f"/api/v1/deployments/{deployment['id']}", "succeeded")
        assert [step["status"] for step in ended["timeline"]] == ["pending", "running", "succeeded"]
        assert ended["number"] == number
        log = client.request("GET", ended["logs_url"]).body
        assert log["complete"]
        assert [entry["seq"] for entry in log["entries"]] == list(range(1, len(log["entries"]) + 1))
        assert log["entries"][-1]["message"] == "Deployment succeeded"
    listed = client.request("GET", path).body
    assert [item["number"] for item in listed] == [3, 2, 1]
    moments = [[step["at"] for step in item["timeline"]] for item in reversed(listed)]
    assert all(one[2] <= following[1] for one, following in pairwise(moments))


def test_a_rollout_is_canceled_and_rolled_back_and_its_environment_restored(
    client: Client, project: str
) -> None:
    path = f"/api/v1/environments/{open_environment(client, project, on_conflict='queue')['id']}"
    deploying = f"/api/v1/deployments/environments/{path.rpartition('/')[2]}"
    assert comes_to(client, path, "running")["active_deployment"] is None
    for version in ("v1", "v2"):
        client.request("PATCH", path, json={"config": {"of": version}})
        made = client.create(deploying, version=version)
        assert comes_to(client, f"/api/v1/deployments/{made['id']}", "succeeded")["config"] == {"of": version}
    running = client.create(deploying, version="v3", simulation={"seconds": 30})["id"]
    waiting = client.create(deploying, version="v4")["id"]
    comes_to(client, f"/api/v1/deployments/{running}", "running")
    assert client.request("POST", f"/api/v1/deployments/{waiting}/cancel").body["status"] == "canceled"
    stopped = client.request("POST", f"/api/v1/deployments/{running}/cancel")
    assert (stopped.status, stopped.body["status"]) == (202, "canceling")
    ended = comes_to(client, f"/api/v1/deployments/{running}", "canceled")
    log = client.request("GET", f"{ended['logs_url']}?level=warning").body
    assert [entry["message"] for entry in log["entries"]] == ["Deployment canceled: cancel_requested"]
    assert client.request("GET", f"{ended['logs_url']}?after={log['next_after']}").body["entries"] == []
    back = client.create(f"{path}/rollback")
    assert (back["kind"], back["version"], back["config"]) == ("rollback", "v1", {"of": "v1"})
    comes_to(client, f"/api/v1/deployments/{back['id']}", "succeeded")
    client.request("POST", f"{path}/extend", json={"hours": 0.3 / 3600})
    comes_to(client, path, "expired")
    restored = client.request("POST", f"{path}/restore", json={"hours": 1}).body
    assert (restored["status"], restored["active_deployment"]["id"]) == ("running", back["id"])


def test_who_waits_sees_what_somebody_else_does(platform: Platform, client: Client, project: str) -> None:
    environment = open_environment(client, project)["id"]
    comes_to(client, f"/api/v1/environments/{environment}", "running")
    made = client.create(
        f"/api/v1/deployments/environments/{environment}", version="v", simulation={"seconds": 60}
    )
    path = f"/api/v1/deployments/{made['id']}"
    comes_to(client, path, "running")
    with closing(platform.client(client.token)) as other, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(comes_to, other, path, "canceled")
        assert client.request("POST", f"{path}/cancel").status == 202
        ended = waiting.result()
    assert [step["status"] for step in ended["timeline"]] == ["pending", "running", "canceling", "canceled"]


def comes_to(client: Client, path: str, status: str) -> Any:  # noqa: ANN401 - any JSON object
    """The object once it has a status, waited for; again where a wait has found no place."""
    last: dict[str, Any] = {}

    def has_come() -> bool:
        last.update(client.request("GET", f"{path}?wait_for={status}").body)
        return bool(last["status"] == status)

    wait_until(has_come, 20, f"{path} is {status}")
    return last


def test_an_environments_life_is_told_in_order_on_pages_of_every_size_and_as_of_then(
    client: Client, project: str
) -> None:
    path = f"/api/v1/environments/{open_environment(client, project)['id']}"
    until(client, path, "running")
    assert client.request("POST", f"{path}/extend", json={"hours": 48}).status == 200
    deployments = f"/api/v1/deployments/environments/{path.rpartition('/')[2]}"
    for version in ("v1", "v2"):
        deployment = client.create(deployments, version=version)
        until(client, f"/api/v1/deployments/{deployment['id']}", "succeeded")
    told = pages(client, f"{path}/timeline?page_size=100")
    rollouts = [(number, name) for number in (1, 2) for name in ("pending", "running", "succeeded")]
    life = [(None, "provisioning"), (None, "running"), (None, "extended"), *rollouts]
    assert [what(entry) for entry in told if not entry["planned"]] == life
    assert [what(entry) for entry in told][len(life) :] == [
        (None, "expired"),
        (None, "deleting"),
        (None, "deleted"),
    ]
    for size in (1, 2, 5):
        assert pages(client, f"{path}/timeline?page_size={size}") == told
    for entry in (entry for entry in told if entry["status"] and not entry["planned"]):
        was = client.request("GET", f"/api/v1/{entry['object']}s/{entry['id']}?at={entry['at']}").body
        assert (was["status"], was["timeline"][-1]["at"]) == (entry["status"], entry["at"])


def what(entry: Mapping[str, Any]) -> tuple[int | None, str]:
    return entry["number"], entry["status"] or entry["action"]


def pages(client: Client, path: str | None) -> list[Any]:
    """A list, page after page."""
    found: list[Any] = []
    while path:
        answer = client.request("GET", path)
        assert answer.status == 200, answer
        found += answer.body
        link = answer.headers["Link"]
        path = link and link[1 : link.index(">")]
    return found


def test_what_runs_when_a_ttl_ends_ends_with_it(platform: Platform, client: Client, project: str) -> None:
    opened = open_environment(client, project, ttl_hours=3 / 3600)
    until(client, f"/api/v1/environments/{opened['id']}", "running")
    expires_at = from_text(opened["expires_at"])
    wait_until(lambda: (expires_at - datetime.now(UTC)).total_seconds() < 0.9, 5, "it is nearly over")
    path = f"/api/v1/deployments/environments/{opened['id']}"
    deployment = client.create(path, version="v")["id"]
    failed = until(client, f"/api/v1/deployments/{deployment}", "failed")
    assert failed["status_reason"] == "environment_expired"
    assert from_text(failed["timeline"][-1]["at"]) == expires_at
    wait_until(lambda: is_stored(platform, "deployments", deployment, "failed"), 10, "it is stored")


def is_stored(platform: Platform, collection: str, name: str, status: str) -> bool:
    found: Mapping[str, Any] = platform.stored(collection).get(name, {})
    return found.get("status") == status


def test_a_project_takes_everything_with_it(platform: Platform, client: Client, project: str) -> None:
    opened = [open_environment(client, project)["id"] for _ in range(3)]
    until(client, f"/api/v1/environments/{opened[0]}", "running")
    deployment = client.create(f"/api/v1/deployments/environments/{opened[0]}", version="v")["id"]
    assert client.request("DELETE", f"/api/v1/projects/{project}").status == 409
    assert client.request("DELETE", f"/api/v1/projects/{project}?force=true").status == 204
    paths = [f"/api/v1/environments/{name}" for name in opened]
    paths += [f"/api/v1/projects/{project}", f"/api/v1/deployments/{deployment}"]
    assert [client.request("GET", path).status for path in paths] == [404] * 5

    def is_gone() -> bool:
        left = {*platform.stored("environments"), *platform.stored("deployments")}
        return not left & {*opened, deployment}

    wait_until(is_gone, GONE_WITHIN, "its environments are purged")


def test_a_failure_is_rehearsed_and_the_same_seed_goes_the_same_way(client: Client, project: str) -> None:
    names = [item["name"] for item in client.request("GET", "/api/v1/simulation/scenarios").body]
    assert "flaky" in names
    flaky = {"scenario": "flaky", "seed": 3}
    for _ in range(2):
        opened = open_environment(client, project, type="persistent", simulation=flaky)
        path = f"/api/v1/environments/{opened['id']}"
        assert until(client, path, "failed")["status_reason"] == "provisioning_failed"
        assert client.request("POST", f"{path}/retry").body["status"] == "provisioning"
        assert until(client, path, "running")["simulation"] == opened["simulation"]
        deploy = f"/api/v1/deployments/environments/{opened['id']}"
        ends = []
        for version in ("v1", "v2", "v3"):
            deployment = client.create(deploy, version=version, simulation=flaky)
            last = deployment["timeline"][-1]
            ended = until(client, f"/api/v1/deployments/{deployment['id']}", last["status"])
            ends.append((ended["status"], ended["status_reason"]))
        assert ends == [("failed", "validate_failed"), ("succeeded", None), ("failed", "configure_failed")]
