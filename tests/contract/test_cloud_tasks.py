"""The stand-in for Cloud Tasks under Google's own client: each documented limit of tasks."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud.tasks_v2 import types

from local.google.messages import moment
from tests.contract.cloud_tasks_bench import START, Bench, cloud_tasks_bench
from tests.contract.cloud_tasks_line import QUEUE

SECOND = timedelta(seconds=1)
Make = Callable[[Bench], types.Task]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with cloud_tasks_bench(tmp_path / "peer") as made:
        yield made


REFUSED: dict[str, Make] = {
    "no target": lambda _: types.Task(),
    "App Engine": lambda _: types.Task(app_engine_http_request=types.AppEngineHttpRequest(relative_uri="/")),
    "no URL": lambda bench: bench.task({"url": ""}),
    "another scheme": lambda bench: bench.task({"url": "ftp://example.com/"}),
    "no host": lambda bench: bench.task({"url": "http://"}),
    "a URL of 2,084 characters": lambda bench: bench.task({"url": "http://a/" + "x" * 2_075}),
    "30 days and a second ahead": lambda bench: bench.task(
        schedule_time=START + timedelta(days=30, seconds=1)
    ),
    "a deadline below 15 s": lambda bench: bench.task(dispatch_deadline=timedelta(seconds=14.999)),
    "a deadline above 30 min": lambda bench: bench.task(dispatch_deadline=timedelta(minutes=30, seconds=1)),
    "a body with GET": lambda bench: bench.task({"http_method": "GET"}),
    "a body with DELETE": lambda bench: bench.task({"http_method": "DELETE"}),
    "more than 1 MB": lambda bench: bench.task({"body": b"x" * 1_048_576}),
    "80 KB of headers": lambda bench: bench.task({"headers": {"a": "x" * (80 * 1_024 - 1)}}),
    "a name of 501 characters": lambda bench: bench.task(name=f"{QUEUE}/tasks/{'x' * 501}"),
    "a name with a dot": lambda bench: bench.task(name=f"{QUEUE}/tasks/a.b"),
    "a name that is the id alone": lambda bench: bench.task(name="a"),
    "a name in another queue": lambda bench: bench.task(name=f"{QUEUE}x/tasks/a"),
}
TAKEN: dict[str, Make] = {
    "a URL of 2,083 characters": lambda bench: bench.task({"url": "http://a/" + "x" * 2_074}),
    "30 days ahead": lambda bench: bench.task(schedule_time=START + timedelta(days=30)),
    "a deadline of 15 s": lambda bench: bench.task(dispatch_deadline=timedelta(seconds=15)),
    "a deadline of 30 min": lambda bench: bench.task(dispatch_deadline=timedelta(minutes=30)),
    "GET without a body": lambda bench: bench.task({"http_method": "GET", "body": b""}),
    "PUT with a body": lambda bench: bench.task({"http_method": "PUT"}),
    "nearly 1 MB": lambda bench: bench.task({"body": b"x" * 1_048_000}),
    "nearly 80 KB of headers": lambda bench: bench.task({"headers": {"a": "x" * (80 * 1_024 - 2)}}),
    "a name of 500 characters": lambda bench: bench.task(name=f"{QUEUE}/tasks/{'x' * 500}"),
    "https": lambda bench: bench.task({"url": "https://example.com"}),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED.keys())
def test_a_task_beyond_a_limit_is_refused(bench: Bench, make: Make) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        bench.create(make(bench))
    assert not list(bench.client.list_tasks(parent=QUEUE, timeout=5))


@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN.keys())
def test_a_task_at_a_limit_is_taken(bench: Bench, make: Make) -> None:
    assert bench.create(make(bench)).name.startswith(f"{QUEUE}/tasks/")


def test_a_call_may_not_wait_longer_than_30_s(bench: Bench) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="cannot be more than 30s in the future"):
        bench.client.create_task(parent=QUEUE, task=bench.task(), timeout=32)
    assert bench.client.create_task(parent=QUEUE, task=bench.task()).name, "the client's own 20 s"


def test_what_is_not_there_is_not_found(bench: Bench) -> None:
    with pytest.raises(exceptions.NotFound):
        bench.create(queue=f"{QUEUE}x")
    for call in (bench.client.get_task, bench.client.delete_task):
        with pytest.raises(exceptions.NotFound):
            call(name=f"{QUEUE}/tasks/never", timeout=5)
    for call in (bench.client.get_queue, bench.client.purge_queue, bench.client.delete_queue):
        with pytest.raises(exceptions.NotFound):
            call(name=f"{QUEUE}x", timeout=5)


def test_a_name_stays_blocked_for_a_day_once_its_task_is_done_or_deleted(bench: Bench) -> None:
    done, deleted = (f"{QUEUE}/tasks/{name}" for name in ("done", "deleted"))
    for name in (done, deleted):
        assert bench.create(bench.task(name=name)).name == name
        with pytest.raises(exceptions.AlreadyExists):
            bench.create(bench.task(name=name))
    bench.client.delete_task(name=deleted, timeout=5)
    assert len(bench.deliver()) == 1
    for after in (SECOND, timedelta(hours=1), timedelta(hours=22)):
        bench.clock.now += after
        for name in (done, deleted):
            with pytest.raises(exceptions.AlreadyExists):
                bench.create(bench.task(name=name))
    bench.clock.now = START + timedelta(hours=24)
    for name in (done, deleted):
        bench.create(bench.task(name=name))
    assert len(bench.deliver()) == 2


def test_a_name_that_is_not_given_is_a_random_one(bench: Bench) -> None:
    names = {bench.create().name for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith(f"{QUEUE}/tasks/") for name in names)


def test_an_answer_leaves_the_body_out_unless_it_is_asked_for(bench: Bench) -> None:
    made = bench.create()
    assert made.http_request.body == b""
    full = types.GetTaskRequest(name=made.name, response_view=types.Task.View.FULL)
    assert bench.client.get_task(full, timeout=5).http_request.body == b"{}"
    assert bench.client.get_task(name=made.name, timeout=5).http_request.body == b""
    assert moment(made.schedule_time) == moment(made.create_time) == START


def test_what_was_deleted_or_purged_is_not_delivered(bench: Bench) -> None:
    bench.client.delete_task(name=bench.create().name, timeout=5)
    assert bench.deliver() == []
    bench.create()
    bench.client.purge_queue(name=QUEUE, timeout=5)
    assert bench.deliver() == []
    bench.create()
    bench.peer.purge()
    assert bench.deliver() == []
    assert not list(bench.client.list_tasks(parent=QUEUE, timeout=5))


def test_a_paused_queue_takes_tasks_and_delivers_none(bench: Bench) -> None:
    paused = bench.client.pause_queue(name=QUEUE, timeout=5)
    assert paused.state == types.Queue.State.PAUSED
    bench.create()
    updated = bench.client.update_queue(queue=types.Queue(name=QUEUE), timeout=5)
    assert updated.state == types.Queue.State.PAUSED, "an update doesn't change that"
    assert bench.deliver() == []
    bench.client.resume_queue(name=QUEUE, timeout=5)
    assert len(bench.deliver()) == 1


def test_no_task_stays_longer_than_31_days(bench: Bench) -> None:
    bench.status = 500
    bench.create()
    assert len(bench.deliver(timedelta(days=31) - SECOND)) == 1
    assert bench.deliver(SECOND) == []
    bench.status = 200
    assert bench.deliver(timedelta(days=1)) == []
