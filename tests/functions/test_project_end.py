"""A project's end: gone at once for every reader, its environments ended page by page, purged in the end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import documents, ids
from shared.domain.deployment import Deployment
from shared.domain.timeline import Step, Work
from shared.ports import Create, Delete, Update, Write
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api
from tests.functions.doubles import START

TOMBSTONE = 7 * 24 * 3_600
WEEK = TOMBSTONE * 1.02
"""Until the last look at an ended project's tombstones."""


def _end(api: Api, project_id: str, query: str = "?force=true") -> int:
    return api.delete(f"/api/v1/projects/{project_id}{query}").status


def _ended(api: Api, environment_id: str) -> str:
    return str(api.stored(documents.environment_ref(environment_id)).data["status"])


def _count(api: Api, collection: str) -> int:
    [[count]] = api.database.fetch("SELECT count(*) FROM documents WHERE collection = ?", (collection,))
    return int(count)


@pytest.mark.parametrize("body", [ENVIRONMENT, PERSISTENT], ids=["ephemeral", "persistent"])
def test_a_project_with_live_environments_is_deleted_by_force_only(api: Api, body: dict[str, object]) -> None:
    project_id = api.project()
    for _ in range(2):
        environment_id = api.environment(project_id, body)
        with api.nothing_changes():
            refused = api.delete(f"/api/v1/projects/{project_id}")
            assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:project_in_use")
            assert _end(api, project_id, "?force=false") == 409
        api.live(3)
    api.delete(f"/api/v1/environments/{environment_id}")
    assert _end(api, project_id, "") == 409, "the other one is live"
    for item in api.all(f"/api/v1/environments/projects/{project_id}"):
        api.delete(f"/api/v1/environments/{item['id']}")
    assert _end(api, project_id, "") == 204


@pytest.mark.parametrize("hours", [1, 3, 200])
def test_environments_that_have_ended_don_t_keep_their_project_settled_or_not(api: Api, hours: float) -> None:
    project_id = api.project()
    api.environment(project_id, {**ENVIRONMENT, "ttl_hours": 1})
    api.advance(hours * 3_600 - 1e-6)
    assert _end(api, project_id, "") == (409 if hours == 1 else 204)
    api.advance(1e-6)
    assert _end(api, project_id, "") == (204 if hours == 1 else 404)


def test_an_ended_project_and_all_that_is_its_is_404_at_once(api: Api) -> None:
    project_id = api.project()
    environment_id = api.running(project_id=project_id)
    deployment_id = api.deploy(environment_id)
    paths = [
        f"/api/v1/projects/{project_id}",
        f"/api/v1/environments/projects/{project_id}",
        f"/api/v1/environments/{environment_id}",
        f"/api/v1/environments/{environment_id}?show_deleted=true",
        f"/api/v1/deployments/environments/{environment_id}",
        f"/api/v1/deployments/environments/{environment_id}?show_deleted=true",
        f"/api/v1/deployments/{deployment_id}",
        f"/api/v1/deployments/{deployment_id}/logs?show_deleted=true",
    ]
    assert [api.get(path).status for path in paths] == [200] * len(paths)
    assert _end(api, project_id) == 204
    assert [api.get(path).status for path in paths] == [404] * len(paths)
    assert api.get("/api/v1/projects").body == []
    with api.nothing_changes():
        assert api.post(paths[1], ENVIRONMENT).status == 404
        assert api.post(paths[4], {"version": "x"}).status == 404
        assert [api.patch(paths[at], {"name": "x"}).status for at in (0, 2)] == [404, 404]
        assert [api.delete(paths[at]).status for at in (0, 2)] == [404, 404]
    api.run_due()
    assert _ended(api, environment_id) == "deleting"
    stored = api.stored(documents.deployment_ref(deployment_id)).data
    assert (stored["status"], stored["timeline"][-1]["reason"]) == ("canceled", "environment_deleted")


def test_callbacks_end_250_environments_page_by_page_and_purge_them_all(api: Api) -> None:
    project_id, kept = api.project(), api.environment()
    _copies(api, api.environment(project_id), 249)
    api.advance(0.5)
    assert _end(api, project_id) == 204
    assert api.queue.tasks[-1].payload["id"] == project_id
    pages = []
    while (left := _live(api, project_id)) > 0:
        pages.append(left)
        task = api.queue.pop_due(api.clock.now)
        assert task is not None
        api.deliver(task)
    assert pages == [250, 150, 50]
    api.live(WEEK)
    assert _count(api, "environments") == 1
    assert _count(api, "projects") == 1
    assert [task.payload["id"] for task in api.queue.tasks] == [kept]


def test_an_environment_that_is_purged_while_its_project_ends_keeps_no_other_from_ending(api: Api) -> None:
    project_id = api.project()
    environments = [api.running(project_id=project_id) for _ in range(3)]
    api.queue.tasks.clear()
    assert _end(api, project_id) == 204
    purged: list[str] = []

    def purge_the_next(writes: Sequence[Write]) -> None:
        [changed] = {one.ref.id for one in writes} & {*environments}
        purged.append(next(one for one in reversed(environments) if one != changed))  # the newest come first
        document = api.stored(documents.environment_ref(purged[0]))
        api.store.inner.commit(Delete(document.ref, document.version))

    api.store.before_commit.append(purge_the_next)
    [task] = api.queue.tasks
    assert api.deliver(task).status == 200
    assert {_ended(api, one) for one in environments if one not in purged} == {"deleting"}


def _copies(api: Api, environment_id: str, count: int) -> None:
    """Add so many environments like this one."""
    data = api.stored(documents.environment_ref(environment_id)).data
    for _ in range(count):
        copy = ids.new_environment_id(data["project_id"])
        api.store.inner.commit(Create(documents.environment_ref(copy), {**data, "id": copy}))


def _live(api: Api, project_id: str) -> int:
    rows = api.database.fetch(
        "SELECT count(*) FROM documents WHERE collection = 'environments' AND body ->> 'project_id' = ? "
        "AND body ->> 'status' NOT IN ('deleting', 'deleted')",
        (project_id,),
    )
    return int(rows[0][0])


@pytest.mark.parametrize("late", [0, 1, 25])
def test_an_environment_created_by_a_racing_request_is_caught_by_the_look_again(
    api: Api, late: float
) -> None:
    """The request read the project before its end and committed after it."""
    project_id = api.project()

    def end_meanwhile(_writes: Sequence[Write]) -> None:
        assert _end(api, project_id) == 204
        api.live(late)

    api.store.before_commit.append(end_meanwhile)
    created = api.post(f"/api/v1/environments/projects/{project_id}", PERSISTENT)
    assert created.status == 201
    environment_id = created["id"]
    assert api.status(environment_id) == 404, "it is the project's, and the project is gone"
    api.live(61)
    assert _ended(api, environment_id) in {"deleting", "deleted"}
    api.live(WEEK)
    assert (_count(api, "environments"), _count(api, "projects")) == (0, 0)


def test_an_empty_project_is_purged_once_no_request_can_race_any_more(api: Api) -> None:
    project_id = api.project()
    assert _end(api, project_id, "") == 204
    api.live(59)
    assert _count(api, "projects") == 1
    api.live(1)
    assert (_count(api, "projects"), api.queue.tasks) == (0, [])


def _deployments(api: Api, environment_id: str, count: int) -> None:
    """Add so many deployments that have succeeded, as if they had been made one by one."""
    ref = documents.environment_ref(environment_id)
    stored = api.stored(ref)
    environment = documents.environment(stored.data)
    one = Deployment(
        id="", environment_id=environment_id, project_id=environment.project_id, version="v", number=0,
        config=None, work=Work(1), created_at=START,
        timeline=tuple(Step(START, status) for status in ("pending", "running", "succeeded")),
    )  # fmt: skip
    made = [
        replace(one, id=ids.new_deployment_id(environment_id), number=environment.last_number + number)
        for number in range(1, count + 1)
    ]
    environment = replace(environment, last_number=environment.last_number + count)
    later = START + timedelta(seconds=1)
    creates = [
        Create(documents.deployment_ref(item.id), documents.deployment_data(item, later)) for item in made
    ]
    api.store.inner.commit(*creates, Update(ref, documents.environment_data(environment), stored.version))


def test_more_than_a_thousand_deployments_are_purged_in_pages_by_several_tasks(api: Api) -> None:
    environment_id = api.running()
    _deployments(api, environment_id, 1_150)
    api.delete(f"/api/v1/environments/{environment_id}")
    api.live(2)
    assert _count(api, "deployments") > 1_000
    api.advance(WEEK)
    api.store.calls.clear()
    assert [outcome for outcome in api.run_due() if outcome != "stale"] == ["purging", "purged"]
    assert (_count(api, "deployments"), _count(api, "environments")) == (0, 0)
    assert max(int(call.split()[1]) for call in api.store.calls) == 100
    assert api.store.calls[-1] == "commit 1", "the environment itself goes last"


def test_an_environment_keeps_its_last_thousand_deployments(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    _deployments(api, environment_id, 1_020)
    target = f"/api/v1/deployments/environments/{environment_id}"
    for _ in range(2):
        api.deploy(environment_id)
    api.live(10)
    numbers = [item["number"] for item in api.all(f"{target}?page_size=100")]
    assert numbers == list(range(1_022, 22, -1))
