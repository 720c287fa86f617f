"""A queue that takes no task beyond a horizon: the sweep enqueues what has come within."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from functions.tasks.sweeping import SIGHT
from shared import documents, ids
from shared.config import Settings
from shared.ports import Create, Task
from shared.times import from_text, to_text
from tests.functions.api import SECRET, Api

HORIZON = timedelta(days=30)
DAY = 86_400
SWEEP_SECONDS = 300
FAR = {"name": "far", "type": "ephemeral", "ttl_hours": 45 * 24}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """An instance whose environments may outlast the horizon."""
    settings = {"home": tmp_path, "callback_secret": SECRET, "maximum_ttl_hours": 60 * 24}
    made = Api(tmp_path, Settings.model_validate(settings))
    made.queue.horizon = HORIZON
    yield made
    made.database.close()


def _due_at(api: Api, environment_id: str) -> str:
    return str(api.stored(documents.environment_ref(environment_id)).data["due_at"])


def _within(api: Api, task: Task) -> bool:
    return task.at <= api.clock.now + (api.queue.horizon or timedelta.max)


def _live_with_sweeps(api: Api, until: Callable[[], bool], most: int = 20_000) -> None:
    """Time passes; tasks are delivered at their moments and the sweep runs every five minutes."""
    for _ in range(most):
        if until():
            return
        api.live(SWEEP_SECONDS)
        assert api.sweep()["woken"] == 0, "nothing is ever overdue"
        assert all(_within(api, task) for task in api.queue.tasks)
    raise AssertionError("it never came")


def test_a_step_45_days_away_is_settled_in_time_by_a_task_from_the_sweep(api: Api) -> None:
    environment_id = api.running(FAR)
    assert api.queue.tasks == [], "no task before its step is within the horizon"
    due_at = from_text(_due_at(api, environment_id))
    api.live(15 * DAY - 600)
    assert api.sweep()["reached"] == 0
    assert api.queue.tasks == []
    _live_with_sweeps(api, lambda: bool(api.queue.tasks))
    [task] = api.queue.tasks
    assert task.at == due_at
    assert timedelta(0) <= due_at - api.clock.now <= HORIZON
    api.clock.now = due_at - timedelta(seconds=1)
    api.live(1)
    assert api.stored(documents.environment_ref(environment_id)).data["status"] == "expired"


def test_a_life_beyond_the_horizon_goes_by_with_sweeps_and_tasks_alone(api: Api) -> None:
    api.queue.horizon = timedelta(days=2)  # a thousand sweeps instead of thirteen thousand
    environment_id = api.environment(None, {**FAR, "ttl_hours": 3 * 24})
    expired_at = api.clock.now + timedelta(days=3)
    _live_with_sweeps(api, lambda: api.clock.now > expired_at)
    stored = api.stored(documents.environment_ref(environment_id)).data
    assert stored["status"] == "expired"
    assert stored["status"] == api.status(environment_id)


def test_what_comes_within_is_no_repair_and_no_warning(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    environment_id = api.running(FAR)
    api.clock.now = from_text(_due_at(api, environment_id)) - HORIZON
    before = api.content()
    capsys.readouterr()
    reply = api.sweep()
    assert (reply["woken"], reply["reached"], reply["complete"]) == (0, 1, True)
    assert api.content() == before
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {entry["severity"] for entry in entries} <= {"INFO"}


@pytest.mark.parametrize(
    ("offset", "reached"),
    [
        (timedelta(microseconds=-1), 0),
        (timedelta(0), 1),
        (SIGHT - timedelta(microseconds=1), 1),
        (SIGHT, 0),
    ],
)
def test_it_looks_at_the_last_eleven_minutes_before_the_horizon(
    api: Api, offset: timedelta, reached: int
) -> None:
    environment_id = api.running(FAR)
    api.clock.now = from_text(_due_at(api, environment_id)) - HORIZON + offset
    assert api.sweep()["reached"] == reached
    assert len(api.queue.tasks) == reached


def test_sweeps_every_five_minutes_see_each_step_twice_at_least() -> None:
    assert timedelta(seconds=2 * SWEEP_SECONDS) < SIGHT


def test_what_lies_within_from_the_start_is_enqueued_at_once(api: Api) -> None:
    api.environment(None, {**FAR, "ttl_hours": 29 * 24})
    api.live(2)
    [task] = api.queue.tasks
    assert task.at - api.clock.now > timedelta(days=28)


def test_a_task_that_arrives_early_for_a_far_step_is_not_enqueued_again(api: Api) -> None:
    environment_id = api.running(FAR)
    due_at = _due_at(api, environment_id)
    payload = {"collection": "environments", "id": environment_id, "due_at": due_at}
    reply = api.deliver(Task("/api/v1/tasks/settle", payload, api.clock.now))
    assert reply["outcome"] == "early"
    assert api.queue.tasks == []


def test_without_a_horizon_the_sweep_asks_for_the_overdue_and_closed_accounts_only(api: Api) -> None:
    api.queue.horizon = None
    api.store.calls.clear()
    api.sweep()
    assert api.store.calls == ["find 0"] * 3
    api.queue.horizon = HORIZON
    api.store.calls.clear()
    api.sweep()
    assert api.store.calls == ["find 0"] * 5


def test_it_goes_on_by_task_among_what_comes_within_too(api: Api) -> None:
    environment_id = api.running(FAR)
    data = api.stored(documents.environment_ref(environment_id)).data
    made = [ids.new_environment_id(data["project_id"]) for _ in range(1_104)]
    api.store.inner.commit(*(Create(documents.environment_ref(one), {**data, "id": one}) for one in made))
    api.clock.now = from_text(data["due_at"]) - HORIZON + timedelta(minutes=5)
    first = api.sweep()
    assert (first["reached"], first["complete"]) == (800, False), "one page each went to the overdue"
    [following] = [task for task in api.queue.tasks if task.path.endswith("/sweep")]
    assert following.payload["ahead"] is True
    second = api.deliver(following)
    assert (second["reached"], second["complete"]) == (305, True)
    woken = [task.payload["id"] for task in api.queue.tasks if task.path.endswith("/settle")]
    assert len(set(woken)) == len(woken) == 1_105, "each once"
    assert {task.payload["due_at"] for task in api.queue.tasks if "id" in task.payload} == {
        to_text(from_text(data["due_at"]))
    }
