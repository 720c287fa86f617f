"""What the sweep made up is noted where users see it: once, with what it settled, and at no further cost."""

from functools import partial
from typing import Any

import pytest

from shared import documents
from shared.ports import Task, Update
from shared.times import from_text
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api


def _notes(api: Api, environment_id: str) -> list[Any]:
    told = api.all(f"/api/v1/environments/{environment_id}/timeline?page_size=100")
    return [entry for entry in told if entry["action"]]


def _stored_notes(api: Api, environment_id: str) -> list[str]:
    notes = api.stored(documents.environment_ref(environment_id)).data["notes"]
    return [note["action"] for note in notes]


def _lose_and_repair(api: Api) -> list[str]:
    """Lose the wake-ups, have the sweep make them up; what became of its tasks."""
    api.drop_tasks()
    api.advance(3_600)
    api.sweep()
    return api.run_due()


def test_what_the_sweep_made_up_is_noted_at_the_moment_at_which_it_was(api: Api) -> None:
    environment_id = api.environment()
    assert _lose_and_repair(api) == ["settled"]
    told = api.all(f"/api/v1/environments/{environment_id}/timeline")
    [note] = _notes(api, environment_id)
    assert from_text(note["at"]) == api.clock.now
    assert (note["action"], note["until"], note["planned"]) == ("repaired", None, False)
    running = next(entry for entry in told if entry["status"] == "running")
    assert from_text(note["at"]) > from_text(running["at"]), "readers saw it run at its own moment"
    assert told.index(note) == told.index(running) + 1


def test_it_costs_no_read_and_no_write_more(api: Api) -> None:
    calls = []
    for repair in (False, True):
        environment_id = api.running()
        deployment_id = api.deploy(environment_id)
        [task] = [task for task in api.drop_tasks() if task.payload.get("deployments") == [deployment_id]]
        api.advance(100)
        made_up = Task(task.path, {**task.payload, "repair": repair}, task.at)
        calls.append(api.spent(partial(api.deliver, made_up)))
        assert _stored_notes(api, environment_id) == ["repaired"] * repair
    assert calls[0] == calls[1] == ["get 2", "commit 2"]


def test_a_task_that_comes_after_all_leaves_nothing_to_repair(api: Api) -> None:
    environment_id = api.environment()
    lost = api.drop_tasks()
    api.advance(100)
    api.sweep()
    api.sweep()
    for task in lost:
        assert api.deliver(task)["outcome"] == "settled"
    assert set(api.run_due()) == {"stale"}
    assert _notes(api, environment_id) == []


def test_of_two_sweeps_one_repairs(api: Api) -> None:
    environment_id = api.environment()
    api.drop_tasks()
    api.advance(100)
    api.sweep()
    api.sweep()
    assert sorted(api.run_due()) == ["settled", "stale"]
    assert [note["action"] for note in _notes(api, environment_id)] == ["repaired"]


def test_what_a_request_has_settled_is_no_repair(api: Api) -> None:
    environment_id = api.environment()
    api.drop_tasks()
    api.advance(100)
    api.sweep()
    api.deploy(environment_id)
    api.run_due()
    assert _notes(api, environment_id) == []


def test_after_a_start_what_fell_due_meanwhile_is_no_repair(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody was there, and nothing got lost: the queue's own tasks come too, in whatever order."""
    environment_id = api.environment()
    api.drop_tasks()
    api.advance(3_600)
    capsys.readouterr()
    assert api.sweep(overdue_seconds=0, at_start=True)["woken"] == 1
    assert "got lost" not in capsys.readouterr().err
    assert api.run_due() == ["settled"]
    assert _notes(api, environment_id) == []


def test_a_sweep_that_goes_on_by_task_still_knows_whether_it_is_the_first(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.tasks.sweeping.PAGE", 1)
    monkeypatch.setattr("functions.tasks.sweeping.MOST_PAGES", 1)
    for at_start, expected in ((True, []), (False, ["repaired"])):
        made = [api.environment() for _ in range(3)]
        api.drop_tasks()
        api.advance(100)
        assert api.sweep(at_start=at_start)["complete"] is False
        api.run_due()
        assert [_stored_notes(api, one) for one in made] == [expected] * 3


def test_what_comes_within_the_queues_horizon_is_no_repair(api: Api) -> None:
    environment_id = api.environment()
    api.live(2)
    api.drop_tasks()
    due_at = from_text(api.stored(documents.environment_ref(environment_id)).data["due_at"])
    api.clock.now = due_at
    api.sweep(ahead=True)
    assert "settled" in api.run_due()
    assert api.status(environment_id) == "expired"
    assert _notes(api, environment_id) == []


def test_a_purge_is_none(api: Api) -> None:
    environment_id = api.running()
    api.delete(f"/api/v1/environments/{environment_id}")
    api.live(2)
    api.drop_tasks()
    api.advance(8 * 86_400)
    api.sweep()
    assert api.run_due() == ["purged"]


def test_a_task_from_before_there_were_repairs_is_good(api: Api) -> None:
    environment_id = api.environment()
    [task] = api.drop_tasks()
    assert "repair" not in task.payload
    api.advance(100)
    assert api.deliver(task)["outcome"] == "settled"
    assert _notes(api, environment_id) == []


def test_a_queue_that_stands_still_does_not_crowd_out_what_callers_did(api: Api) -> None:
    """At most the last 10 notes are repairs, and 100 in all."""
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 700})
    target = f"/api/v1/environments/{environment_id}"
    api.live(2)
    api.post(f"{target}/extend", {"hours": 701})
    for _ in range(15):
        api.deploy(environment_id)
        assert "settled" in _lose_and_repair(api)
    assert _stored_notes(api, environment_id) == ["extended", *["repaired"] * 10]
    for _ in range(95):
        api.post(f"{target}/extend", {"hours": 600})
    assert _stored_notes(api, environment_id) == [*["repaired"] * 5, *["extended"] * 95]
    api.deploy(environment_id)
    _lose_and_repair(api)
    assert _stored_notes(api, environment_id) == [*["repaired"] * 4, *["extended"] * 95, "repaired"]
    assert len(_notes(api, environment_id)) == 100


def test_notes_from_before_the_order_was_stored_are_told_too(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    stored = api.stored(documents.environment_ref(environment_id))
    at = stored.data["timeline"][1]["at"]
    old = {"at": at, "action": "extended", "until": None}
    api.store.inner.commit(Update(stored.ref, {**stored.data, "notes": [old]}, stored.version))
    told = api.all(f"/api/v1/environments/{environment_id}/timeline")
    assert [entry["status"] or entry["action"] for entry in told] == ["provisioning", "running", "extended"]
