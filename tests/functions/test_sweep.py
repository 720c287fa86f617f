"""The sweep makes lost tasks up: it enqueues, pages, goes on by task, and is never the clock."""

import json

import pytest

from shared import documents, ids
from shared.ports import Create
from shared.times import to_text
from tests.functions.api import ENVIRONMENT, SECRET, Api

HOUR = 3_600


def _copies(api: Api, environment_id: str, count: int) -> None:
    """Add so many environments like this one."""
    data = api.stored(documents.environment_ref(environment_id)).data
    made = [ids.new_environment_id(data["project_id"]) for _ in range(count)]
    api.store.inner.commit(*(Create(documents.environment_ref(one), {**data, "id": one}) for one in made))


def test_it_looks_at_what_is_overdue_by_more_than_a_minute(api: Api) -> None:
    environment_id = api.environment()
    api.drop_tasks()
    api.advance(62)
    assert api.sweep()["woken"] == 0, "due at 2 s, so overdue from 62 s on"
    api.advance(1e-6)
    before = api.content()
    reply = api.sweep()
    assert (reply["woken"], reply["complete"]) == (1, True)
    assert api.content() == before, "it settles nothing itself"
    assert api.run_due() == ["settled"]
    assert api.stored(documents.environment_ref(environment_id)).data["status"] == "running"


def test_at_a_start_it_looks_at_all_that_is_due(api: Api) -> None:
    api.environment()
    api.drop_tasks()
    api.advance(2)
    assert api.sweep(overdue_seconds=0)["woken"] == 0
    api.advance(1e-6)
    assert api.sweep(overdue_seconds=0)["woken"] == 1


def test_a_repair_is_a_warning(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    environment_id = api.environment()
    api.drop_tasks()
    api.advance(100)
    api.sweep()
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    [warning] = [entry for entry in entries if entry["severity"] == "WARNING"]
    assert warning["id"] == environment_id


def test_alone_it_settles_everything_of_a_queue_that_drops_all_other_tasks(api: Api) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    kept = api.environment()
    sweeping = False
    api.queue.loses = lambda _task: not sweeping
    deployment_id, gone = "", False
    for _ in range(130):
        api.advance(60)
        if not deployment_id and api.status(kept) == "running":
            deployment_id = api.deploy(kept)
        sweeping = True
        api.sweep()
        woken, api.queue.tasks = api.queue.tasks, []
        sweeping = False
        for task in woken:
            api.deliver(task)
        gone = gone or api.status(environment_id) == 404
    assert gone
    assert api.stored(documents.environment_ref(environment_id)).data["status"] == "deleted"
    assert api.stored(documents.deployment_ref(deployment_id)).data["status"] == "succeeded"
    assert api.queue.tasks == []


def test_it_pages_is_capped_at_a_thousand_and_goes_on_by_task(api: Api) -> None:
    environment_id = api.environment()
    api.drop_tasks()
    _copies(api, environment_id, 1_104)
    project_id = api.project()
    api.delete(f"/api/v1/projects/{project_id}")
    api.drop_tasks()
    api.advance(200)
    api.store.calls.clear()
    first = api.sweep()
    assert (first["woken"], first["complete"]) == (1_000, False)
    assert api.store.calls == ["find 100"] * 10
    [following] = [task for task in api.queue.tasks if task.path.endswith("/sweep")]
    assert following.at <= api.clock.now
    second = api.deliver(following)
    assert (second["woken"], second["complete"]) == (106, True)
    woken = [task.payload["id"] for task in api.queue.tasks if task.path.endswith("/settle")]
    assert len(set(woken)) == len(woken) == 1_106, "each once"
    assert project_id in woken


def test_an_ended_project_whose_task_was_lost_is_carried_on(api: Api) -> None:
    project_id = api.project()
    environment_id = api.environment(project_id)
    api.delete(f"/api/v1/projects/{project_id}?force=true")
    api.drop_tasks()
    api.advance(63)
    assert api.sweep()["woken"] == 2, "the environment's own step is overdue too"
    api.run_due()
    assert api.stored(documents.environment_ref(environment_id)).data["status"] == "deleting"


def test_a_queue_that_is_down_fails_no_request_and_the_sweep_makes_it_up(api: Api) -> None:
    api.queue.is_down = True
    project_id = api.project()
    environment_id = api.environment(project_id)
    api.advance(2)
    deployment_id = api.deploy(environment_id)
    assert api.patch(f"/api/v1/environments/{environment_id}", {"name": "x"}).status == 200
    api.advance(70)
    assert api.sweep().status == 200
    assert api.delete(f"/api/v1/environments/{environment_id}").status == 202
    api.queue.is_down = False
    api.advance(70)
    assert api.sweep()["woken"] == 1
    api.run_due()
    assert api.stored(documents.environment_ref(environment_id)).data["status"] == "deleted"
    assert api.stored(documents.deployment_ref(deployment_id)).data["status"] == "succeeded"
    assert api.delete(f"/api/v1/projects/{project_id}").status == 204


@pytest.mark.parametrize(
    "fields",
    [
        {"overdue_seconds": -1},
        {"overdue_seconds": "60"},
        {"overdue_seconds": True},
        {"collection": "users"},
        {"after_due_at": "x", "after_id": "y"},
        {"nothing": 1},
    ],
)
def test_a_sweep_that_can_not_be_read_is_acknowledged(api: Api, fields: dict[str, object]) -> None:
    with api.nothing_changes():
        assert api.sweep(**fields)["outcome"] == "malformed"


def test_a_place_to_go_on_from_may_lie_anywhere(api: Api) -> None:
    api.environment()
    api.drop_tasks()
    api.advance(100)
    for seconds, woken in ((-1_000, 1), (1_000, 0)):
        api.advance(seconds)
        place = to_text(api.clock.now)
        api.advance(-seconds)
        assert api.sweep(after_due_at=place, after_id="x")["woken"] == woken
    assert api.post("/api/v1/tasks/sweep", {}, token=SECRET)["woken"] == 1
