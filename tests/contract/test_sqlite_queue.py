"""What the dispatcher on one machine relies on: leases, their fences, and Cloud Tasks' back-off."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from shared.adapters import sqlite_writer
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_queue import Lease, RetryConfig, SqliteTaskQueue, next_attempt
from shared.ports import Task
from tests.contract.adapters import RETRY
from tests.contract.elsewhere import START

SECOND = timedelta(seconds=1)
TERM = 30 * SECOND
END = START + TERM


@pytest.fixture
def queue(database: Database) -> SqliteTaskQueue:
    return SqliteTaskQueue(database, RETRY)


def enqueue(queue: SqliteTaskQueue, *seconds: int) -> None:
    for number in seconds:
        queue.enqueue(Task("/settle", {"number": number}, START + number * SECOND))


def leased(queue: SqliteTaskQueue, now: datetime = START) -> Lease:
    (lease,) = queue.lease(now, 10, TERM)
    return lease


# leases ----------------------------------------------------------------------------------------


def test_the_first_lease_says_what_the_headers_need(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0)
    lease = leased(queue, START + SECOND)
    assert lease == Lease(
        id=lease.id,
        task=Task("/settle", {"number": 0}, START),
        attempt=1,
        first_attempt=START + SECOND,
        scheduled_for=START,
        executions=0,
        previous_status=None,
    )


def test_a_later_lease_says_how_the_earlier_attempts_went(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0)
    now = START
    for status in (404, 503, None, 429):
        at = queue.retry(leased(queue, now), now, status)
        assert at
        now = at
    lease = leased(queue, now)
    # Cloud Tasks leaves answers of 5xx out of its count of executions.
    assert (lease.attempt, lease.executions, lease.previous_status) == (5, 2, 429)
    assert (lease.first_attempt, lease.scheduled_for, lease.task.at) == (START, now, START)


def test_all_attempts_have_one_id_and_no_two_tasks_share_one(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0, 0)
    first = {lease.id for lease in queue.lease(START, 10, TERM)}
    assert {lease.id for lease in queue.lease(END, 10, TERM)} == first
    assert len(first) == 2


def test_the_longest_due_are_leased_first_and_no_more_than_the_limit(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 3, 1, 4, 2, 9)
    batches = [queue.lease(START + 5 * SECOND, 2, TERM) for _ in range(3)]
    assert [[lease.task.payload["number"] for lease in batch] for batch in batches] == [[1, 2], [3, 4], []]


def test_a_leased_task_is_nobody_elses_until_the_lease_ends(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0)
    leased(queue)
    assert queue.lease(END - SECOND, 10, TERM) == []
    assert leased(queue, END).attempt == 2


def test_an_acknowledged_task_is_gone(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0)
    queue.acknowledge(leased(queue))
    assert queue.next_at() is None


def test_an_answer_after_the_end_counts_while_nobody_took_over(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0)
    queue.acknowledge(leased(queue))
    assert queue.lease(END + SECOND, 10, TERM) == []


def test_an_answer_to_a_lease_that_was_taken_over_does_nothing(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0)
    first = leased(queue)
    second = leased(queue, END)
    queue.acknowledge(first)
    assert queue.retry(first, END, 500) is None
    assert queue.next_at() == END + TERM
    assert queue.retry(second, END, 500) == END + 20 * SECOND


def test_a_lease_is_answered_once(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0)
    lease = leased(queue)
    at = queue.retry(lease, START, 500)
    queue.acknowledge(lease)
    assert queue.retry(lease, START + SECOND, 500) is None
    assert queue.next_at() == at == START + 10 * SECOND


def test_a_task_whose_retries_are_used_up_is_dropped(database: Database) -> None:
    queue = SqliteTaskQueue(database, RetryConfig(max_attempts=1))
    enqueue(queue, 0)
    assert queue.retry(leased(queue), START, 500) is None
    assert queue.next_at() is None


def test_a_task_that_kills_every_process_it_meets_is_dropped_at_last(database: Database) -> None:
    queue = SqliteTaskQueue(database, RetryConfig(max_attempts=2))
    enqueue(queue, 0)
    assert [leased(queue).attempt, leased(queue, END).attempt] == [1, 2]
    assert queue.lease(END + TERM, 10, TERM) == []
    assert queue.next_at() is None


def test_the_last_attempt_that_was_granted_is_made(database: Database) -> None:
    queue = SqliteTaskQueue(database, RetryConfig(max_attempts=2))
    enqueue(queue, 0)
    queue.retry(leased(queue), START, 500)
    assert leased(queue, NEXT_YEAR).attempt == 2


NEXT_YEAR = START + timedelta(days=365)


def test_threads_that_lease_at_once_share_the_tasks_out(queue: SqliteTaskQueue) -> None:
    enqueue(queue, *range(-80, 0))
    with ThreadPoolExecutor(16) as pool:
        batches = list(pool.map(lambda _: queue.lease(START, 7, TERM), range(16)))
    numbers = [lease.task.payload["number"] for batch in batches for lease in batch]
    assert sorted(numbers) == list(range(-80, 0))


# the moments -----------------------------------------------------------------------------------


def test_the_next_moment_is_that_of_the_earliest_task(queue: SqliteTaskQueue) -> None:
    assert queue.next_at() is None
    enqueue(queue, 50, 40, 60)
    assert queue.next_at() == START + 40 * SECOND


def test_the_next_moment_may_be_the_end_of_a_lease(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0, 40)
    leased(queue)
    assert queue.next_at() == END


def test_a_task_may_lie_a_century_ahead(queue: SqliteTaskQueue) -> None:
    far = START.replace(year=2126)
    queue.enqueue(Task("/settle", {}, far))
    assert queue.lease(far - SECOND, 10, TERM) == []
    assert leased(queue, far).task.at == far


def test_a_purge_drops_every_task_leased_ones_too(queue: SqliteTaskQueue) -> None:
    enqueue(queue, 0, 40)
    lease = leased(queue)
    queue.purge()
    assert queue.retry(lease, START, 500) is None
    assert queue.next_at() is None


# what it costs ---------------------------------------------------------------------------------


def test_nothing_due_writes_nothing(
    database: Database,
    queue: SqliteTaskQueue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite_writer, "BUSY_SECONDS", 0)
    enqueue(queue, 40)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # as long as it lasts, nobody else can write
    assert queue.lease(START, 10, TERM) == []
    assert queue.next_at() == START + 40 * SECOND
    other.close()


def test_a_batch_is_leased_in_one_transaction(database: Database, queue: SqliteTaskQueue) -> None:
    enqueue(queue, *range(-20, 0))
    statements: list[str] = []
    database.connection().set_trace_callback(statements.append)
    assert len(queue.lease(START, 20, TERM)) == 20
    assert [one for one in statements if one.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"]


# back-off --------------------------------------------------------------------------------------


def intervals(config: RetryConfig, count: int) -> list[float]:
    moments = [next_attempt(config, attempts, START, START) for attempts in range(1, count + 1)]
    return [(moment - START).total_seconds() for moment in moments if moment]


def test_the_interval_doubles_then_grows_by_equal_steps_then_stays() -> None:
    # The example in the documentation of Cloud Tasks' RetryConfig.max_doublings.
    config = RetryConfig(
        min_backoff=10 * SECOND,
        max_backoff=300 * SECOND,
        max_doublings=3,
    )
    assert intervals(config, 9) == [10, 20, 40, 80, 160, 240, 300, 300, 300]


def test_without_doublings_the_interval_grows_by_equal_steps() -> None:
    config = RetryConfig(min_backoff=2 * SECOND, max_backoff=7 * SECOND, max_doublings=0)
    assert intervals(config, 5) == [2, 4, 6, 7, 7]


def test_a_million_attempts_overflow_nothing() -> None:
    config = RetryConfig(max_attempts=2_000_000, max_backoff=timedelta(days=1), max_doublings=60)
    assert next_attempt(config, 1_000_000, START, START) == START + timedelta(days=1)


@pytest.mark.parametrize(
    ("duration", "attempts", "elapsed", "dropped"),
    [
        (0, 2, 0, False),
        (0, 2, 9_999, False),
        (0, 3, 0, True),
        (60, 2, 59, False),
        (60, 3, 59, False),
        (60, 2, 60, False),
        (60, 3, 60, True),
        (60, 4, 61, True),
    ],
)
def test_a_task_is_dropped_once_attempts_and_duration_are_used_up(
    duration: int,
    attempts: int,
    elapsed: int,
    dropped: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    config = RetryConfig(max_attempts=3, max_retry_duration=duration * SECOND)
    assert (next_attempt(config, attempts, START, START + elapsed * SECOND) is None) is dropped
