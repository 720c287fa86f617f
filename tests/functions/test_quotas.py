"""Quotas of an instance: what is refused, what is counted, what it costs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.config import Settings
from tests.functions.api import ENVIRONMENT, PERSISTENT, SECRET, Api

EXCEEDED = (409, "urn:envctl:problem:quota_exceeded")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Api]:
    """An instance for two projects and two live environments."""
    given = {"home": tmp_path, "callback_secret": SECRET, "quota_projects": 2, "quota_environments": 2}
    api = Api(tmp_path, Settings.model_validate(given))
    yield api
    api.database.close()


def _open(api: Api, project_id: str) -> tuple[int, str]:
    reply = api.post(f"/api/v1/environments/projects/{project_id}", ENVIRONMENT)
    return reply.status, reply.body.get("type", "")


def test_projects_are_counted_whosever_they_are(small: Api) -> None:
    first, other = small.project(), small.join()
    small.project(token=other)
    with small.nothing_changes():
        reply = small.post("/api/v1/projects", {"name": "x"}, token=other)
    assert (reply.status, reply["type"]) == EXCEEDED
    assert reply["detail"].startswith("This instance may have 2 projects and has 2.")
    assert small.delete(f"/api/v1/projects/{first}").status == 204
    assert small.post("/api/v1/projects", {"name": "x"}, token=other).status == 201


def test_live_environments_are_counted_in_all_projects(small: Api) -> None:
    one, other = small.project(), small.project()
    doomed = small.running(PERSISTENT, one)
    small.environment(other)
    with small.nothing_changes():
        assert _open(small, other) == EXCEEDED
    small.delete(f"/api/v1/environments/{doomed}")
    assert _open(small, other)[0] == 201


def test_what_has_expired_leaves_room(small: Api) -> None:
    project_id = small.project()
    for _ in range(2):
        small.environment(project_id, {**ENVIRONMENT, "ttl_hours": 1})
    assert _open(small, project_id) == EXCEEDED
    small.live(3_600)
    assert _open(small, project_id)[0] == 201


def test_a_repeat_comes_before_the_quota(small: Api) -> None:
    key = {"Idempotency-Key": "k"}
    made = [small.post("/api/v1/projects", {"name": "x"}, headers=key)["id"] for _ in range(3)]
    assert len(set(made)) == 1
    target = f"/api/v1/environments/projects/{made[0]}"
    first = small.post(target, ENVIRONMENT, headers=key)
    small.environment(made[0])
    assert small.post(target, ENVIRONMENT, headers=key)["id"] == first["id"]


def test_everybody_may_read_them(small: Api) -> None:
    project_id = small.project()
    small.environment(project_id)
    small.live(2)
    for token in (small.token, small.join()):
        assert small.get("/api/v1/quotas", token=token).body == {
            "projects": {"limit": 2, "used": 1},
            "environments": {"limit": 2, "used": 1},
        }


def test_without_a_limit_there_is_none_and_nothing_is_counted(api: Api) -> None:
    project_id = api.project()
    assert "count" not in api.spent(lambda: api.post("/api/v1/projects", {"name": "x"}))
    target = f"/api/v1/environments/projects/{project_id}"
    assert "count" not in api.spent(lambda: api.post(target, ENVIRONMENT))
    assert api.get("/api/v1/quotas").body == {
        "projects": {"limit": None, "used": 2},
        "environments": {"limit": None, "used": 1},
    }


def test_a_limit_costs_one_count(small: Api) -> None:
    calls = small.spent(lambda: small.post("/api/v1/projects", {"name": "x"}))
    assert calls == ["count", "commit 1"]
    project_id = small.project()
    target = f"/api/v1/environments/projects/{project_id}"
    assert small.spent(lambda: small.post(target, ENVIRONMENT)) == ["get 1", "count", "commit 1"]
