"""Threads that write at the same time share a statement, and nobody pays for another's mistake."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from shared.adapters import sqlite_writer
from shared.adapters.sqlite_writer import LONGEST_PAUSE, Row, _Pending, patiently
from shared.errors import Unavailable
from tests.contract.sqlite_bench import LETTERS, NUMBERS, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_what_waits_at_the_same_time_is_one_statement(bench: Bench) -> None:
    for one in bench.at_once(*((NUMBERS, [(10 * n, "a"), (10 * n + 1, None)]) for n in range(5))):
        one.result()
    assert bench.rows(NUMBERS) == [(10 * n + m, (("a", None)[m])) for n in range(5) for m in range(2)]
    assert len(bench.statements) == 1


def test_rows_of_several_tables_are_a_statement_each(bench: Bench) -> None:
    inserts = [(LETTERS if n % 2 else NUMBERS, [(n,) if n % 2 else (n, "a")]) for n in range(6)]
    for one in bench.at_once(*inserts):
        one.result()
    assert len(bench.rows(NUMBERS)) == len(bench.rows(LETTERS)) == 3
    assert len(bench.statements) == 2


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ([(-1, "a")], sqlite3.IntegrityError),
        ([(7, "a"), (-7, "b")], sqlite3.IntegrityError),
        ([(3, "exists")], sqlite3.IntegrityError),
        ([(8, "\ud800")], UnicodeEncodeError),
        ([(2**63, "too large")], OverflowError),
    ],
    ids=["refused", "half refused", "exists", "no text", "too large"],
)
def test_what_is_wrong_undoes_its_own_call_alone(
    bench: Bench, wrong: Sequence[Row], error: type[Exception]
) -> None:
    bench.writer.insert(bench.connection, NUMBERS, [(3, "before")])
    first, mistaken, last = bench.at_once((NUMBERS, [(1, "a")]), (NUMBERS, wrong), (NUMBERS, [(2, "b")]))
    first.result()
    last.result()
    with pytest.raises(error):
        mistaken.result()
    assert bench.rows(NUMBERS) == [(1, "a"), (2, "b"), (3, "before")]


class Interruption:
    """A value during whose writing somebody presses Ctrl-C."""

    def __init__(self, at: int) -> None:
        self._until = at

    def __conform__(self, _protocol: object) -> str:
        self._until -= 1
        if self._until == 0:
            raise KeyboardInterrupt
        return "c"


def test_nobody_is_told_that_a_write_is_done_whose_leader_was_interrupted(bench: Bench) -> None:
    inserts: list[list[Row]] = [[(1, "a")], [(2, "b")], [(3, Interruption(at=1))]]
    leader, *others = bench.at_once(*((NUMBERS, rows) for rows in inserts))
    assert isinstance(leader.exception(), KeyboardInterrupt)
    assert all(isinstance(other.exception(), Unavailable) for other in others)
    assert bench.rows(NUMBERS) == []
    bench.writer.insert(bench.connection, NUMBERS, [(4, "d")])
    assert bench.rows(NUMBERS) == [(4, "d")]


def test_an_interruption_between_writes_leaves_what_is_done(bench: Bench) -> None:
    inserts: list[list[Row]] = [[(-1, "a")], [(2, "b")], [(3, Interruption(at=2))], [(4, "d")]]
    leader, done, *others = bench.at_once(*((NUMBERS, rows) for rows in inserts))
    assert isinstance(leader.exception(), KeyboardInterrupt)
    assert done.result() is None
    assert all(isinstance(other.exception(), Unavailable) for other in others)
    assert bench.rows(NUMBERS) == [(2, "b")]


def test_what_is_inserted_by_several_is_committed_before_any_of_them_returns(bench: Bench) -> None:
    seen: list[int] = []

    def insert(n: int) -> None:
        with closing(bench.open()) as connection:
            for m in range(20):
                bench.writer.insert(connection, NUMBERS, [(100 * n + m, "x")])
                assert not connection.in_transaction
                seen.append(
                    connection.execute("SELECT 1 FROM numbers WHERE n = ?", (100 * n + m,)).fetchone()[0]
                )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(insert, range(8)))
    assert len(seen) == len(bench.rows(NUMBERS)) == 160


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 63, 64, 65, 500])
def test_few_statements_serve_every_number_of_rows(bench: Bench, count: int) -> None:
    rows = [(n, None) for n in range(count)]
    sql, parameters = NUMBERS.insertion(rows)
    prepared = sql.count("(?, ?)")
    assert prepared in {1, 2, 4, 8, 16, 32, 64, 128, 256, 512}
    assert count <= prepared < 2 * count
    assert len(parameters) == 2 * prepared
    bench.writer.insert(bench.connection, NUMBERS, rows)
    assert bench.rows(NUMBERS) == rows


def test_a_write_that_waits_too_long_gives_up_and_leaves_no_trace(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "BUSY_SECONDS", 0.01)
    errors: list[BaseException | None] = []

    def hold_up(_connection: sqlite3.Connection) -> None:
        with ThreadPoolExecutor(1) as pool:
            errors.append(pool.submit(bench.insert, NUMBERS, [(1, "late")]).exception(timeout=30))

    bench.writer.write(bench.connection, hold_up)
    assert isinstance(errors[0], Unavailable)
    bench.writer.insert(bench.connection, NUMBERS, [(2, "in time")])
    assert bench.rows(NUMBERS) == [(2, "in time")]


def test_another_process_s_lock_is_waited_for(bench: Bench) -> None:
    other = bench.open()
    other.execute("BEGIN IMMEDIATE")
    waiting = threading.Thread(target=bench.insert, args=(NUMBERS, [(1, "a")]))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    other.execute("COMMIT")
    waiting.join(30)
    other.close()
    assert bench.rows(NUMBERS) == [(1, "a")]


def test_a_lock_that_is_not_given_back_is_an_error_after_a_while(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "BUSY_SECONDS", 0.02)
    with closing(bench.open()) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            bench.writer.insert(bench.connection, NUMBERS, [(1, "a")])
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            bench.writer.write(bench.connection, lambda it: it.execute("DELETE FROM numbers"))
    bench.writer.insert(bench.connection, NUMBERS, [(2, "b")])
    assert bench.rows(NUMBERS) == [(2, "b")]


def busy() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


class Locked:
    """A value at whose first writing the file turns out to be locked."""

    def __init__(self) -> None:
        self._is_locked = True

    def __conform__(self, _protocol: object) -> str:
        if self._is_locked:
            self._is_locked = False
            raise busy()
        return "free"


def test_who_has_waited_for_a_lock_together_does_not_wait_again_one_by_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "patiently", lambda step: step())
    inserts: list[list[Row]] = [[(1, "a")], [(2, Locked())], [(3, "c")]]
    for one in bench.at_once(*((NUMBERS, rows) for rows in inserts)):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            one.result()
    assert bench.rows(NUMBERS) == []


def test_a_lock_is_asked_after_again_within_a_few_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)

    def step() -> str:
        if len(pauses) < 50:
            raise busy()
        return "done"

    assert patiently(step) == "done"
    assert max(pauses) == LONGEST_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[0] < LONGEST_PAUSE / 10


@pytest.mark.parametrize("leads", [True, False], ids=["it leads now", "another is at it"])
def test_a_write_that_has_begun_is_not_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, leads: bool
) -> None:
    monkeypatch.setattr(sqlite_writer, "BUSY_SECONDS", 0)
    mine = _Pending(NUMBERS, [(1, "a")])
    mine.leads = leads
    if leads:
        bench.writer._waiting.append(mine)  # noqa: SLF001 - no other way to be told at the last moment
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bench.writer._await, mine)  # noqa: SLF001
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.05)
        mine.told.release()
        waiting.result(timeout=30)


def test_closing_waits_for_what_is_under_way_and_lets_nothing_begin(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(1) as pool:

        def work(_connection: sqlite3.Connection) -> Future[None]:
            closing_it = pool.submit(bench.writer.close)
            with pytest.raises(TimeoutError):
                closing_it.result(timeout=0.05)
            return closing_it

        bench.writer.write(bench.connection, work).result(timeout=30)
    monkeypatch.setattr(sqlite_writer, "BUSY_SECONDS", 0.01)
    with pytest.raises(Unavailable):
        bench.writer.insert(bench.connection, NUMBERS, [(1, "late")])
    assert bench.rows(NUMBERS) == []
