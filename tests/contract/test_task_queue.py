"""The sentences of `ports.TaskQueue`, seen from both ends of the line."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.errors import Unavailable
from shared.ports import Task
from tests.contract.adapters import LINES, Line
from tests.contract.elsewhere import START

LATER = START + timedelta(hours=1)
NEVER_AGAIN = START + timedelta(days=365)
SECOND = timedelta(seconds=1)


def task(at: datetime = START, name: str = "one") -> Task:
    return Task("/environments/settle", {"id": name, "due_at": None, "deep": [{"er": 1.5}, "grüße"]}, at)


def done(_: Task) -> int:
    return 200


def fails(_: Task) -> int:
    return 500


def test_a_task_arrives_as_it_was_sent(line: Line) -> None:
    line.queue.enqueue(task())
    assert line.deliver(START, done) == [task()]


def test_a_task_does_not_arrive_before_its_moment(line: Line) -> None:
    line.queue.enqueue(task(LATER))
    assert line.deliver(LATER - timedelta(microseconds=1), done) == []
    assert line.deliver(LATER, done) == [task(LATER)]


def test_a_moment_in_the_past_means_at_once(line: Line) -> None:
    line.queue.enqueue(task(START - timedelta(days=1)))
    assert len(line.deliver(START, done)) == 1


def test_two_tasks_that_are_equal_are_two_tasks(line: Line) -> None:
    line.queue.enqueue(task())
    line.queue.enqueue(task())
    assert line.deliver(START, done) == [task(), task()]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_delivery_that_is_answered_2xx_is_done(line: Line, status: int) -> None:
    line.queue.enqueue(task())
    line.deliver(START, lambda _: status)
    assert line.deliver(NEVER_AGAIN, done) == []


@pytest.mark.parametrize("status", [None, 100, 199, 300, 302, 400, 401, 404, 409, 429, 500, 503])
def test_any_other_answer_or_none_is_tried_again(line: Line, status: int | None) -> None:
    line.queue.enqueue(task())
    line.deliver(START, lambda _: status)
    assert line.deliver(START + 9 * SECOND, done) == []
    assert line.deliver(START + 10 * SECOND, done) == [task()]


def test_the_back_off_doubles_until_attempts_and_duration_are_both_used_up(line: Line) -> None:
    line.queue.enqueue(task())
    tried = [offset for offset in range(0, 3_600, 5) if line.deliver(START + offset * SECOND, fails)]
    # Three attempts are over after 30 seconds, the ten minutes after the eighth attempt.
    assert tried == [0, 10, 30, 70, 150, 310, 550, 850]
    assert line.deliver(NEVER_AGAIN, done) == []


def test_a_duration_that_is_used_up_leaves_the_attempts(line: Line) -> None:
    line.queue.enqueue(task())
    tried = [day for day in range(10) if line.deliver(START + timedelta(days=day), fails)]
    assert tried == [0, 1, 2]


def test_a_failing_task_holds_up_no_other(line: Line) -> None:
    line.queue.enqueue(task(name="bad"))
    line.queue.enqueue(task(name="good"))
    line.deliver(START, lambda one: 500 if one.payload["id"] == "bad" else 200)
    assert line.deliver(START + 10 * SECOND, done) == [task(name="bad")]


@pytest.mark.parametrize("open_line", LINES.values(), ids=LINES)
def test_an_accepted_task_outlives_its_queue(
    open_line: Callable[[Path], AbstractContextManager[Line]], tmp_path: Path
) -> None:
    with open_line(tmp_path) as line:
        line.queue.enqueue(task(LATER))
    with open_line(tmp_path) as line:
        assert line.deliver(LATER, done) == [task(LATER)]


def test_many_threads_may_enqueue_at_once(line: Line) -> None:
    names = [str(number) for number in range(160)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: line.queue.enqueue(task(name=name)), names))
    assert sorted(one.payload["id"] for one in line.deliver(START, done)) == sorted(names)


def test_a_moment_up_to_the_horizon_is_taken_and_one_far_beyond_it_is_not(line: Line) -> None:
    horizon = line.queue.horizon
    furthest = START + (horizon or timedelta(days=10_000))
    line.queue.enqueue(task(furthest))
    if horizon is not None:
        with pytest.raises(Unavailable):
            line.queue.enqueue(task(START + 2 * horizon))
    assert line.deliver(furthest, done) == [task(furthest)]
