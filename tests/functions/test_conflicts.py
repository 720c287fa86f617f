"""Writers that lose: read again, decide again, and never do anything twice."""

from collections.abc import Callable, Sequence

import pytest

from shared import documents
from shared.errors import AlreadyExists, Conflict, EnvctlError, Unavailable
from shared.ports import Write
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply
from tests.functions.doubles import Hook

ACCOUNT = {"email": "raced@example.com", "password": "secret123"}


def _raises(error: EnvctlError) -> Hook:
    def fail(_writes: Sequence[Write]) -> None:
        raise error

    return fail


def _operations(api: Api) -> dict[str, Callable[[], Reply]]:
    """Every operation that writes, by name."""
    project_id = api.project()
    environment_id = api.running(PERSISTENT, project_id)
    other = api.project()
    ephemeral = api.environment(project_id)
    expired = api.environment(project_id, {**ENVIRONMENT, "ttl_hours": 1e-9})
    api.live(1)
    third_id = api.running(PERSISTENT, project_id)
    done = api.deploy(third_id)
    api.live(3)
    second_id = api.running(PERSISTENT, project_id)
    waiting = api.deploy(second_id)
    environments = f"/api/v1/environments/{environment_id}"
    return {
        "register": lambda: api.post("/api/v1/auth/register", ACCOUNT),
        "create project": lambda: api.post("/api/v1/projects", {"name": "x"}),
        "edit project": lambda: api.patch(f"/api/v1/projects/{project_id}", {"name": "y"}),
        "end project": lambda: api.delete(f"/api/v1/projects/{other}"),
        "open environment": lambda: api.post(f"/api/v1/environments/projects/{project_id}", ENVIRONMENT),
        "edit environment": lambda: api.patch(environments, {"name": "y"}),
        "delete environment": lambda: api.delete(environments),
        "extend": lambda: api.post(f"/api/v1/environments/{ephemeral}/extend", {"hours": 1}),
        "restore": lambda: api.post(f"/api/v1/environments/{expired}/restore", {"hours": 1}),
        "cancel": lambda: api.post(f"/api/v1/deployments/{waiting}/cancel"),
        "rollback": lambda: api.post(f"/api/v1/environments/{third_id}/rollback", {"to": done}),
        "deploy": lambda: api.post(f"/api/v1/deployments/environments/{environment_id}", {"version": "v"}),
    }


CREATES = {
    "register": "users",
    "create project": "projects",
    "open environment": "environments",
    "deploy": "deployments",
    "rollback": "deployments",
}
CHANGES = [
    *("edit project", "end project", "edit environment", "delete environment", "extend", "restore", "cancel")
]
NAMES = [*CREATES, *CHANGES]


def _count(api: Api, collection: str) -> int:
    return sum(key.startswith(f"{collection}/") for key, *_ in api.content())


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("name", NAMES)
def test_a_conflict_is_tried_again(api: Api, name: str, times: int) -> None:
    operation = _operations(api)[name]
    before = {collection: _count(api, collection) for collection in CREATES.values()}
    api.store.before_commit = [_raises(Conflict("x")) for _ in range(times)]
    assert operation().status in {200, 201, 202, 204}
    assert api.store.before_commit == []
    added = {c: _count(api, c) - count for c, count in before.items() if _count(api, c) != count}
    assert added == ({CREATES[name]: 1} if name in CREATES else {})


@pytest.mark.parametrize("error", [Conflict("x"), AlreadyExists("x")], ids=["Conflict", "AlreadyExists"])
@pytest.mark.parametrize("name", CREATES)
def test_a_create_that_got_through_although_it_reported_otherwise_is_not_done_twice(
    api: Api, name: str, error: EnvctlError
) -> None:
    operation = _operations(api)[name]
    before = _count(api, CREATES[name])
    api.store.after_commit = [_raises(error)]
    reply = operation()
    assert (reply.status, _count(api, CREATES[name])) == (201, before + 1)
    if name != "register":
        shown = api.get(reply.headers["Location"])
        assert shown.body == reply.body
    if name == "open environment":
        api.live(2)
        assert api.status(reply["id"]) == "running"
        assert api.stored(documents.environment_ref(reply["id"])).data["status"] == "running"
    if name == "deploy":
        assert reply["number"] == 1
        api.live(3)
        assert api.stored(documents.deployment_ref(reply["id"])).data["status"] == "succeeded"


@pytest.mark.parametrize("name", NAMES)
def test_a_database_that_does_not_answer_is_503_with_retry_after(api: Api, name: str) -> None:
    operation = _operations(api)[name]
    with api.nothing_changes():
        api.store.before_commit = [_raises(Unavailable("database"))]
        reply = operation()
    assert (reply.status, reply["type"]) == (503, "urn:envctl:problem:unavailable")
    assert reply.headers["Retry-After"] == "1"


def test_who_never_finds_a_gap_is_told_so_in_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    operation = _operations(api)["edit environment"]
    monkeypatch.setattr("shared.changing.RETRY_SECONDS", 0.05)
    with api.nothing_changes():
        api.store.before_commit = [_raises(Conflict("x"))] * 1_000
        reply = operation()
    assert (reply.status, reply["type"]) == (503, "urn:envctl:problem:contended")


def test_a_deployment_that_raced_another_takes_the_next_number(api: Api) -> None:
    environment_id = api.running(PERSISTENT)

    def deploy_meanwhile(_writes: Sequence[Write]) -> None:
        with api.elsewhere():
            api.deploy(environment_id)

    api.store.before_commit = [deploy_meanwhile]
    mine = api.deploy(environment_id)
    listed = api.all(f"/api/v1/deployments/environments/{environment_id}")
    assert [item["number"] for item in listed] == [2, 1]
    assert listed[0]["id"] == mine


def test_a_deployment_that_raced_the_end_of_its_environment_is_409(api: Api) -> None:
    environment_id = api.running()

    def delete_meanwhile(_writes: Sequence[Write]) -> None:
        with api.elsewhere():
            api.delete(f"/api/v1/environments/{environment_id}")

    api.store.before_commit = [delete_meanwhile]
    reply = api.post(f"/api/v1/deployments/environments/{environment_id}", {"version": "x"})
    assert (reply.status, "is deleting" in reply["detail"]) == (409, True)
    assert _count(api, "deployments") == 0


SKEW = 5


@pytest.mark.parametrize("kind", ["environment", "project"])
def test_an_acknowledged_delete_is_never_undone_by_a_clock_that_is_behind(api: Api, kind: str) -> None:
    project_id = api.project()
    environment_id = api.running(PERSISTENT, project_id)
    deployment_id = api.deploy(environment_id)
    path = f"/api/v1/environments/{environment_id}"
    api.live(1)
    if kind == "environment":
        deleted = api.delete(path)
    else:
        assert api.delete(f"/api/v1/projects/{project_id}?force=true").status == 204
    api.advance(-SKEW)
    gone = kind == "project"
    assert api.status(environment_id) == (404 if gone else "deleting")
    assert api.status(deployment_id) == (404 if gone else "failed")
    target = f"/api/v1/deployments/environments/{environment_id}"
    with api.nothing_changes():
        assert api.post(target, {"version": "x"}).status == (404 if gone else 409)
        assert api.patch(path, {"name": "y"}).status == (404 if gone else 409)
        again = api.delete(path)
        assert gone or again.body == deleted.body
    if not gone:
        listed = api.all(f"/api/v1/environments/projects/{project_id}?status=deleting")
        assert listed == [deleted.body]
        assert api.all(f"/api/v1/environments/projects/{project_id}?status=running") == []
    for task in api.drop_tasks():
        api.deliver(task)
    api.live(SKEW + 70)
    assert api.stored(documents.environment_ref(environment_id)).data["status"] == "deleted"


def test_a_repeated_delete_holds_though_only_a_clock_that_is_ahead_saw_the_first(api: Api) -> None:
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 1})
    path = f"/api/v1/environments/{environment_id}"
    api.live(2 * 3600 - 6)
    api.advance(SKEW)
    assert api.delete(path)["status_reason"] == "grace_period_over"
    api.advance(-SKEW)
    assert api.status(environment_id) == "deleting"
    assert api.post(f"{path}/restore", {"hours": 1}).status == 409


def test_a_repeated_cancel_holds_though_only_a_clock_that_is_ahead_saw_the_first(api: Api) -> None:
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 1})
    api.live(3600 - 4)
    running = api.deploy(environment_id)
    api.live(1)
    waiting = api.deploy(environment_id)
    api.advance(SKEW)
    assert api.post(f"/api/v1/deployments/{waiting}/cancel")["status_reason"] == "environment_expired"
    api.advance(-SKEW)
    assert api.status(waiting) == "canceled"
    assert api.post(f"/api/v1/environments/{environment_id}/extend", {"hours": 1}).status == 409
    assert api.status(running) == "failed"


def test_a_repeated_cancel_of_what_ended_long_ago_settles_what_is_due(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    canceled = api.deploy(environment_id)
    assert api.post(f"/api/v1/deployments/{canceled}/cancel")["status"] == "canceled"
    later = api.deploy(environment_id)
    api.advance(1)
    assert api.post(f"/api/v1/deployments/{canceled}/cancel")["id"] == canceled
    assert api.stored(documents.deployment_ref(later)).data["status"] == "running"


@pytest.mark.parametrize("seconds", [0, 1, 2, 3.4])
def test_what_was_shown_after_a_commit_is_shown_by_a_clock_that_is_behind_too(
    api: Api, seconds: float
) -> None:
    environment_id = api.running(PERSISTENT)
    first = api.deploy(environment_id)
    api.live(seconds)
    second = api.deploy(environment_id)
    shown = [api.get(f"/api/v1/deployments/{one}").body for one in (first, second)]
    api.advance(-SKEW)
    assert [api.get(f"/api/v1/deployments/{one}").body for one in (first, second)] == shown
    third = api.deploy(environment_id)
    assert [api.get(f"/api/v1/deployments/{one}").body for one in (first, second)] == shown
    times = [api.get(f"/api/v1/deployments/{one}")["created_at"] for one in (first, second, third)]
    assert times == sorted(times)
