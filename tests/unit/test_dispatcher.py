import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.callbacks import NoAnswer
from local.dispatcher import (
    BUSY_SECONDS,
    IDLE_SECONDS,
    LEASE,
    TROUBLE_SECONDS,
    Dispatcher,
    headers,
)
from shared.errors import Unavailable
from shared.ports import Task
from tests.unit.sending import FakeSend

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TASK = Task("/api/v1/tasks/settle", {"id": "env_1"}, NOW)


@dataclass(frozen=True)
class FakeLease:
    id: str
    task: Task = TASK
    attempt: int = 1
    scheduled_for: datetime = NOW
    executions: int = 0
    previous_status: int | None = None


@dataclass
class FakeQueue:
    """Gives out its tasks once, in order, and writes down what becomes of them."""

    tasks: list[FakeLease] = field(default_factory=list)
    asked: list[tuple[int, timedelta]] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    retried: list[tuple[str, int | None]] = field(default_factory=list)
    settled: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def lease(self, now: datetime, limit: int, lease_for: timedelta) -> Sequence[FakeLease]:
        assert now == NOW
        self.asked.append((limit, lease_for))
        leased, self.tasks = self.tasks[:limit], self.tasks[limit:]
        return leased

    def acknowledge(self, *leases: FakeLease) -> None:
        self.acknowledged.extend(lease.id for lease in leases)
        self.settled.release(len(leases))

    def retry(self, lease: FakeLease, now: datetime, status: int | None) -> datetime | None:
        assert now == NOW
        self.retried.append((lease.id, status))
        self.settled.release()
        return NOW


def some(count: int) -> list[FakeLease]:
    return [FakeLease(f"task-{number}") for number in range(count)]


def dispatcher(
    queue: FakeQueue,
    send: Callable[[str, Mapping[str, Any], Mapping[str, str]], int] | None = None,
    pause: Callable[[float], bool] = lambda _: True,
) -> Dispatcher[FakeLease]:
    return Dispatcher(queue, send or FakeSend(), lambda: NOW, pause, threads=4)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_2xx_acknowledges(status: int) -> None:
    queue = FakeQueue()
    delivering = dispatcher(queue, FakeSend(status))
    delivering.deliver(FakeLease("a"))
    delivering.deliver(FakeLease("b"))
    assert queue.acknowledged == []
    delivering.look()
    assert (queue.acknowledged, queue.retried) == (["a", "b"], [])


@pytest.mark.parametrize("status", [199, 300, 307, 400, 401, 404, 409, 429, 500, 503])
def test_any_other_answer_is_retried(status: int) -> None:
    queue = FakeQueue()
    dispatcher(queue, FakeSend(status)).deliver(FakeLease("a"))
    assert (queue.acknowledged, queue.retried) == ([], [("a", status)])


def test_no_answer_is_retried_without_a_status() -> None:
    queue = FakeQueue()
    dispatcher(queue, FakeSend(NoAnswer("timed out"))).deliver(FakeLease("a"))
    assert (queue.acknowledged, queue.retried) == ([], [("a", None)])


def test_the_call_is_the_tasks() -> None:
    send = FakeSend()
    dispatcher(FakeQueue(), send).deliver(FakeLease("a"))
    [(path, payload, said)] = send.calls
    assert (path, payload) == (TASK.path, TASK.payload)
    assert said == headers(FakeLease("a"))


def test_the_first_attempt_says_what_cloud_tasks_says() -> None:
    assert headers(FakeLease("123", scheduled_for=NOW + timedelta(microseconds=250_000))) == {
        "X-CloudTasks-QueueName": "envctl",
        "X-CloudTasks-TaskName": "123",
        "X-CloudTasks-TaskRetryCount": "0",
        "X-CloudTasks-TaskExecutionCount": "0",
        "X-CloudTasks-TaskETA": "1893456000.250000",
    }


def test_a_retry_says_how_the_last_attempt_ended() -> None:
    retry = FakeLease("123", attempt=3, executions=1, previous_status=503)
    said = headers(retry)
    assert said["X-CloudTasks-TaskRetryCount"] == "2"
    assert said["X-CloudTasks-TaskExecutionCount"] == "1"
    assert said["X-CloudTasks-TaskPreviousResponse"] == "503"
    assert "503" in said["X-CloudTasks-TaskRetryReason"]
    unanswered = headers(replace(retry, previous_status=None))
    assert "X-CloudTasks-TaskPreviousResponse" not in unanswered
    assert unanswered["X-CloudTasks-TaskRetryReason"] == "no answer"


def test_a_lease_is_longer_than_the_longest_call() -> None:
    queue = FakeQueue()
    dispatcher(queue).look()
    [(_, lease_for)] = queue.asked
    assert lease_for == LEASE > timedelta(seconds=30)


def test_it_leases_no_more_than_its_threads_can_work_on_soon() -> None:
    queue = FakeQueue(some(100))
    idle = dispatcher(queue)  # nobody works: what is leased stays in hand
    assert idle.look() == 0.0
    assert idle.look() == BUSY_SECONDS
    assert queue.asked == [(8, LEASE)]


def test_an_empty_queue_is_looked_at_again_after_a_while() -> None:
    assert dispatcher(FakeQueue()).look() == IDLE_SECONDS
    assert dispatcher(FakeQueue(some(3))).look() == IDLE_SECONDS


def test_a_queue_that_cannot_be_read_is_looked_at_again_later() -> None:
    class Broken(FakeQueue):
        def lease(self, *_: object) -> Sequence[FakeLease]:
            raise Unavailable("database")

    assert dispatcher(Broken()).look() == TROUBLE_SECONDS


def run_until_settled(queue: FakeQueue, count: int, send: Any = None) -> None:  # noqa: ANN401 - a fake
    """Runs a dispatcher without any pause until so many tasks have been settled, or no more come."""
    done = threading.Event()

    def wait() -> None:
        try:
            for _ in range(count):
                assert queue.settled.acquire(timeout=10)
        finally:
            done.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    dispatcher(queue, send, lambda seconds: done.wait(min(seconds, 0.001))).run()
    waiting.join()


def test_a_backlog_is_delivered_whole_each_task_once() -> None:
    queue = FakeQueue(some(500))
    run_until_settled(queue, 500)
    assert sorted(queue.acknowledged) == sorted(lease.id for lease in some(500))


def test_an_exception_in_a_delivery_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    broken: list[str] = []

    def send(_path: str, _payload: Mapping[str, Any], said: Mapping[str, str]) -> int:
        name = said["X-CloudTasks-TaskName"]
        if int(name.removeprefix("task-")) % 2:
            broken.append(name)
            raise ZeroDivisionError
        return 200

    queue = FakeQueue(some(40))
    run_until_settled(queue, 20, send)
    assert len(queue.acknowledged) == 20
    assert not set(broken) & set(queue.acknowledged)
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_queue_that_fails_to_acknowledge_ends_nothing() -> None:
    class Forgetful(FakeQueue):
        failures = 3

        def acknowledge(self, *leases: FakeLease) -> None:
            if self.failures:
                self.failures -= 1
                raise Unavailable("database")
            super().acknowledge(*leases)

    queue = Forgetful(some(20))
    run_until_settled(queue, 20)
    assert sorted(queue.acknowledged) == sorted(lease.id for lease in some(20))


def test_stopping_waits_for_calls_and_gives_the_rest_back() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def send(_path: str, _payload: Mapping[str, Any], _said: Mapping[str, str]) -> int:
        begun.release()
        assert go_on.wait(10)
        return 200

    stop = threading.Event()
    queue = FakeQueue(some(20))
    running = threading.Thread(target=dispatcher(queue, send, stop.wait).run)
    running.start()
    for _ in range(4):
        assert begun.acquire(timeout=10)
    stop.set()
    for _ in range(4):  # what was leased and not begun
        assert queue.settled.acquire(timeout=10)
    go_on.set()
    running.join(10)
    assert not running.is_alive()
    assert sorted(queue.acknowledged) == ["task-0", "task-1", "task-2", "task-3"]
    assert sorted(queue.retried) == [(f"task-{number}", None) for number in (4, 5, 6, 7)]
    assert len(queue.tasks) == 12  # nothing more was leased
