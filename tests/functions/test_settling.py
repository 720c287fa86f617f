"""Tasks only say "look at this document": stale, early, repeated, reordered, malformed and lost ones."""

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from shared import documents
from shared.ports import Task, Update, Write
from shared.times import from_text, to_text
from tests.functions.api import ENVIRONMENT, PERSISTENT, SECRET, Api, settle_task
from tests.functions.doubles import Hook

HOUR = 3_600
DUE = "2026-01-31T12:00:02.000000Z"


def _outcome(api: Api, task: Task) -> Any:  # noqa: ANN401 - a text
    reply = api.deliver(task)
    assert reply.status == 200
    return reply["outcome"]


@pytest.mark.parametrize("seconds", [-1e-6, 1e-6, -1, 86_400])
def test_a_task_made_for_another_moment_is_acknowledged_and_nothing_else(api: Api, seconds: float) -> None:
    environment_id = api.environment()
    api.advance(seconds)
    stale = settle_task(environment_id, to_text(api.clock.now))
    api.advance(5)
    with api.nothing_changes():
        assert _outcome(api, stale) == "stale"
    assert api.run_due() == ["settled"]


def test_an_early_task_is_enqueued_again_and_writes_nothing(api: Api) -> None:
    environment_id = api.environment()
    [task] = api.drop_tasks()
    api.advance(2 - 1e-6)
    before = api.content()
    assert _outcome(api, task) == "early"
    assert api.content() == before
    assert api.queue.tasks == [settle_task(environment_id, DUE)]
    assert api.live(1e-6) == ["settled"]


def test_a_task_for_what_does_not_exist_is_acknowledged(api: Api) -> None:
    never = "env-" + "a" * 32
    with api.nothing_changes():
        for name in (never, never.upper(), "", "x", "\x00", "é", "\ud800", "a" * 10_000, "../x"):
            for collection in ("environments", "projects"):
                reply = api.post(
                    "/api/v1/tasks/settle",
                    {"collection": collection, "id": name, "due_at": DUE},
                    token=SECRET,
                )
                assert reply.status == 200
                assert reply["outcome"] in {"gone", "malformed"}


TASK = {"collection": "environments", "id": "x", "due_at": DUE}
NO_TASKS: dict[str, dict[str, Any]] = {
    "no fields": {},
    "another collection": {**TASK, "collection": "users"},
    "no text": {**TASK, "id": 1},
    "no due_at": {"collection": "environments", "id": "x"},
    "another field": {**TASK, "y": 1},
    "no moment": {**TASK, "due_at": "now"},
    "a 13th month": {**TASK, "due_at": DUE.replace("-01-", "-13-")},
    "a 25th hour": {**TASK, "due_at": DUE.replace("12:", "25:")},
    "year 0": {**TASK, "due_at": DUE.replace("2026", "0000")},
    "other digits": {**TASK, "due_at": DUE.replace("2026", "\u0662\u0660\u0662\u0666")},
}
MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "not UTF-8": b"\xff",
    "too large": b" " * 65_537,
    **{name: json.dumps(fields).encode() for name, fields in NO_TASKS.items()},
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_task_is_acknowledged_and_logged_as_an_error(
    api: Api, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with api.nothing_changes():
        reply = api.post("/api/v1/tasks/settle", data=body, content_type="application/json", token=SECRET)
    assert (reply.status, reply["outcome"]) == (200, "malformed")
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    faults = [entry for entry in entries if entry["severity"] == "ERROR"]
    assert [fault["message"] for fault in faults] == ["malformed task"]
    assert faults[0]["request_id"] == reply.headers["X-Request-Id"]


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/octet-stream"])
def test_a_task_with_another_content_type_is_malformed(api: Api, media_type: str | None) -> None:
    reply = api.post("/api/v1/tasks/sweep", data=b"{}", content_type=media_type, token=SECRET)
    assert (reply.status, reply["outcome"]) == (200, "malformed")


@pytest.mark.parametrize("seed", range(4))
def test_repeated_and_reordered_tasks_are_harmless(api: Api, seed: int) -> None:
    """Every task there ever was, delivered again in any order, any number of times."""
    random_ = random.Random(seed)
    body = {**ENVIRONMENT, "ttl_hours": 30 / HOUR} if seed % 2 else PERSISTENT
    environment_id = api.environment(None, body)
    tasks: list[Task] = []
    shown = []
    for step in range(30):
        api.advance(random_.choice([0.1, 0.5, 1, 1.5]))
        if step % 4 == 0 and api.status(environment_id) == "running":
            api.deploy(environment_id)
        tasks += api.drop_tasks()
        seen = _shown(api, environment_id)
        for task in random_.choices(tasks, k=6):
            api.deliver(task)
        assert _shown(api, environment_id) == seen
        shown.append(seen)
    tasks += api.drop_tasks()
    for task in tasks:
        api.deliver(task)
    api.live(10)
    _is_settled(api, environment_id)


def _shown(api: Api, environment_id: str) -> tuple[Any, Any]:
    target = f"/api/v1/deployments/environments/{environment_id}"
    return api.get(f"/api/v1/environments/{environment_id}").body, api.all(target)


def _is_settled(api: Api, environment_id: str) -> None:
    """What is stored is what is shown, and the next wake-up exists."""
    stored = api.stored(documents.environment_ref(environment_id)).data
    assert stored["status"] == api.status(environment_id, "?show_deleted=true")
    for item in api.all(f"/api/v1/deployments/environments/{environment_id}?show_deleted=true"):
        assert api.stored(documents.deployment_ref(item["id"])).data["status"] == item["status"]
    assert stored["due_at"] is None or from_text(stored["due_at"]) > api.clock.now
    wanted = [] if stored["due_at"] is None else [stored["due_at"]]
    assert {task.payload["due_at"] for task in api.queue.tasks} >= set(wanted)


@pytest.mark.parametrize(
    "body", [{**ENVIRONMENT, "ttl_hours": 20 / HOUR}, PERSISTENT], ids=["ephemeral", "persistent"]
)
def test_with_tasks_running_and_no_sweep_what_is_stored_follows(api: Api, body: dict[str, Any]) -> None:
    environment_id = api.environment(None, body)
    for step in range(60):
        if step % 3 == 0 and api.status(environment_id) == "running":
            api.deploy(environment_id)
        api.live(0.5)
        _is_settled(api, environment_id)


def _by_another(api: Api, task: Task) -> Hook:
    """Another process does the task meanwhile."""

    def deliver(_writes: Sequence[Write]) -> None:
        with api.elsewhere():
            api.deliver(task)

    return deliver


def test_two_who_settle_at_once_settle_once(api: Api) -> None:
    environment_id = api.environment()
    [task] = api.drop_tasks()
    api.advance(2)
    api.store.before_commit.append(_by_another(api, task))
    assert _outcome(api, task) == "stale", "the other one was first"
    assert api.queue.enqueued == 2, "one wake-up for the creation, one for the settling"
    _is_settled(api, environment_id)


def test_a_wake_up_for_the_expiry_is_not_used_up_before_a_deployments_by_a_clock_that_is_ahead(
    api: Api,
) -> None:
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 1})
    api.live(3600 - 3)
    api.deploy(environment_id)
    started, expired = sorted(api.drop_tasks(), key=lambda task: task.at)
    api.advance(1.5)
    assert api.deliver(expired)["outcome"] == "settled"
    assert api.deliver(started)["outcome"] == "stale"
    api.live(3600 + 3)
    assert api.stored(documents.environment_ref(environment_id)).data["status"] == "deleted"


def test_the_databases_own_removal_comes_a_week_after_ours(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    assert api.stored(documents.environment_ref(environment_id)).data["ttl_at"] is None
    api.delete(f"/api/v1/environments/{environment_id}")
    stored = api.stored(documents.environment_ref(environment_id)).data
    deleted_at = api.clock.now + timedelta(seconds=api.settings.deleting_seconds)
    week = timedelta(days=7)
    assert stored["ttl_at"] == to_text(deleted_at + week + week)


def test_two_who_purge_at_once_purge_once(api: Api) -> None:
    environment_id = api.running()
    for _ in range(3):
        api.deploy(environment_id)
    api.delete(f"/api/v1/environments/{environment_id}")
    api.live(10)
    task = max(api.drop_tasks(), key=lambda task: task.at)
    api.advance(7 * 24 * HOUR)
    api.store.before_commit.append(_by_another(api, task))
    assert _outcome(api, task) == "purged"
    assert api.all("/api/v1/projects") != []
    assert [key for key, *_ in api.content() if key.startswith(("env", "dep"))] == []


def test_a_task_does_not_queue_behind_an_environments_callers(api: Api) -> None:
    busy = api.environment()
    api.advance(2)
    with api.runtime.locks.hold(busy), ThreadPoolExecutor(1) as pool:
        delivered = pool.submit(api.run_due)
        assert delivered.result(10) == ["settled"]


@pytest.mark.parametrize(("body", "kept"), [(PERSISTENT, [1_001, 2]), (ENVIRONMENT, [1_001, 2, 1])])
def test_a_persistent_environment_keeps_its_last_thousand_deployments(
    api: Api, body: dict[str, object], kept: list[int]
) -> None:
    environment_id = api.running(body)
    for _ in range(2):
        assert api.post(f"/api/v1/deployments/{api.deploy(environment_id)}/cancel").status == 200
    stored = api.stored(documents.environment_ref(environment_id))
    api.store.inner.commit(Update(stored.ref, {**stored.data, "last_number": 1_000}, stored.version))
    target = f"/api/v1/deployments/environments/{environment_id}"
    api.deploy(environment_id)
    assert [item["number"] for item in api.all(target)] == [1_001, 2, 1]
    api.live(1)
    assert [item["number"] for item in api.all(target)] == kept
