"""Every operation has its documented answer and after-effect under every kind of fault."""

from pathlib import Path

import pytest

from tests.functions.test_isolation import ROUTES
from tests.simulation.faults import FAULTS, Cell, Row, page, table

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return table()


def _cells(rows: dict[str, Row], fault: str) -> dict[str, tuple[Row, Cell]]:
    found = {name: (row, row.cells[fault]) for name, row in rows.items() if fault in row.cells}
    assert len(found) >= 5, "hardly any operation meets it"
    return found


def test_the_page_is_what_comes_out(rows: dict[str, Row]) -> None:
    assert set(rows) == set(ROUTES)
    refused = [name for name, row in rows.items() if row.status >= 400]
    assert refused == [], "it is not the operation that meets the faults, but its refusal"
    assert PAGE.read_text(encoding="utf-8") == page(rows), "make faults"


@pytest.mark.parametrize(
    ("fault", "answer"), [("store unavailable", "unavailable"), ("conflict storm", "contended")]
)
def test_what_was_not_carried_out_is_503_and_can_be_repeated(
    rows: dict[str, Row], fault: str, answer: str
) -> None:
    for name, (row, cell) in _cells(rows, fault).items():
        wanted = f"503 {answer}"
        if (name, fault) == ("POST /simulation/clock/advance", "conflict storm"):
            wanted = "409 clock_advancing"  # the others who win are advancing it too
        assert (cell.answer, cell.is_changed, cell.repeat) == (wanted, False, row.status), name


def test_a_commit_that_nobody_knows_of_is_503_and_done(rows: dict[str, Row]) -> None:
    for name, (_, cell) in _cells(rows, "unknown commit").items():
        assert (cell.answer, cell.is_changed) == ("503 unavailable", True), name


def test_a_queue_that_is_down_changes_no_answer(rows: dict[str, Row]) -> None:
    for name, (row, cell) in _cells(rows, "queue down").items():
        assert cell.answer == str(row.status), name


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.startswith("crash")])
def test_a_server_that_dies_has_done_all_or_nothing(rows: dict[str, Row], fault: str) -> None:
    for name, (row, cell) in _cells(rows, fault).items():
        assert cell.answer == "none", name
        assert cell.is_changed == (row.commits and fault != "crash before the commit"), name


@pytest.mark.parametrize("fault", FAULTS)
def test_afterwards_all_that_is_due_is_carried_out(rows: dict[str, Row], fault: str) -> None:
    assert [name for name, (_, cell) in _cells(rows, fault).items() if not cell.is_settled] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_what_takes_an_idempotency_key_can_be_repeated_after_any_fault(
    rows: dict[str, Row], fault: str
) -> None:
    for name, row in rows.items():
        if ROUTES[name].repeatable and fault in row.cells:
            assert row.cells[fault].repeat == row.status, name
