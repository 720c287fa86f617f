"""Filters by status see the status at the moment of the read, settled or not."""

from typing import Any

import pytest

from shared import documents
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api

STATUSES = ("provisioning", "running", "failed", "expired", "deleting", "deleted")
OUTCOMES = ("pending", "running", "canceling", "succeeded", "failed", "canceled", "superseded")


def _mixed(api: Api) -> str:
    """A list of environments that reach their statuses at different times."""
    project_id = api.project()
    for hours in (1, 2, 24):
        for _ in range(2):
            api.advance(0.25)
            api.environment(project_id, {**ENVIRONMENT, "ttl_hours": hours})
    api.environment(project_id, PERSISTENT)
    return f"/api/v1/environments/projects/{project_id}"


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("size", [1, 3])
def test_a_filter_by_status_misses_nothing_and_shows_nothing_else(
    api: Api, size: int, *, settles: bool
) -> None:
    target = _mixed(api)
    for seconds in (0.1, 1.5, 3_600, 3_600, 1, 86_400):
        if settles:
            api.live(seconds)
        else:
            api.advance(seconds)
            api.drop_tasks()
        _agrees(api, target, size, STATUSES)


def _agrees(api: Api, target: str, size: int, statuses: tuple[str, ...]) -> None:
    """Each filter shows what the list without one shows in that status, in its order."""
    everything = api.all(f"{target}?page_size=100&show_deleted=true")
    wanted = [*((status,) for status in statuses), statuses[:2], statuses[::-1]]
    for chosen in wanted:
        expected = [item for item in everything if item["status"] in chosen]
        found = api.all(f"{target}?page_size={size}&show_deleted=true&status={','.join(chosen)}")
        assert found == expected, chosen
        shown = api.all(f"{target}?page_size={size}&status={','.join(chosen)}")
        if "environments/projects" in target:
            assert shown == [item for item in expected if item["status"] != "deleted"], chosen
        else:
            assert shown == expected


def test_what_is_stored_lags_behind_without_tasks(api: Api) -> None:
    """Otherwise the test above would prove nothing."""
    environment_id = api.environment()
    api.advance(86_400)
    assert api.status(environment_id) == "expired"
    assert api.stored(documents.environment_ref(environment_id)).data["status"] == "provisioning"


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("size", [2])
@pytest.mark.parametrize("body", [ENVIRONMENT, PERSISTENT], ids=["ephemeral", "persistent"])
def test_a_filter_of_deployments_sees_their_status_now(
    api: Api, body: dict[str, Any], size: int, *, settles: bool
) -> None:
    environment_id = api.running(body)
    target = f"/api/v1/deployments/environments/{environment_id}"
    for _ in range(6):
        api.deploy(environment_id)
        api.advance(0.3)
        _agrees(api, target, size, OUTCOMES)
    for seconds in (1, 0.9, 3, 9):
        if settles:
            api.live(seconds)
        else:
            api.advance(seconds)
            api.drop_tasks()
        _agrees(api, target, size, OUTCOMES)
    assert [item["number"] for item in api.all(f"{target}?page_size={size}")] == [6, 5, 4, 3, 2, 1]


def test_filters_of_status_and_type_are_both_met(api: Api) -> None:
    target = _mixed(api)
    api.advance(3_700)
    for kind in ("ephemeral", "persistent"):
        found = api.all(f"{target}?status=running&type={kind}&page_size=2")
        assert len(found) == {"ephemeral": 4, "persistent": 1}[kind]
        assert {(item["status"], item["type"]) for item in found} == {("running", kind)}


def test_deleted_environments_are_shown_only_when_asked_for(api: Api) -> None:
    target = _mixed(api)
    first = api.get(target).body[0]["id"]
    assert api.delete(f"/api/v1/environments/{first}")["status"] == "deleting"
    assert first in {item["id"] for item in api.all(target)}, "it is still on its way out"
    for move in (lambda: api.advance(2), api.run_due):
        move()
        assert first not in {item["id"] for item in api.all(target)}
        assert api.all(f"{target}?status=deleted") == []
        shown = api.all(f"{target}?show_deleted=true")
        assert [item["id"] for item in shown if item["status"] == "deleted"] == [first]
        assert [item["id"] for item in api.all(f"{target}?status=deleted&show_deleted=true")] == [first]
