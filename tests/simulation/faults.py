"""Every operation under every kind of fault: `python -m tests.simulation.faults` writes docs/faults.md."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from shared import changing, log
from shared.errors import Conflict, Unavailable
from shared.ports import Task, Write
from tests.functions.api import Api, Reply
from tests.functions.test_isolation import ROUTES
from tests.functions.virtual import VirtualApi
from tests.simulation.requests import Request, asked
from tests.simulation.world import Crash


class Down:
    """A store that doesn't answer."""

    def __getattr__(self, _name: str) -> Callable[..., Any]:
        def fail(*_: Any) -> Any:  # noqa: ANN401 - whatever the port's method takes and gives
            raise Unavailable("database")

        return fail


Fault = Callable[[Api], None]


def _store_down(api: Api) -> None:
    api.store.inner = Down()


def _unknown_commit(api: Api) -> None:
    def fail(_writes: Sequence[Write]) -> None:
        raise Unavailable("database")

    api.store.after_commit = [fail]


def _storm(api: Api) -> None:
    def fail(_writes: Sequence[Write]) -> None:
        raise Conflict("it")

    api.store.before_commit = [fail] * 100_000


def _queue_down(api: Api) -> None:
    api.queue.is_down = True


def _crash(_writes: Sequence[Write]) -> None:
    raise Crash


def _crash_before_commit(api: Api) -> None:
    api.store.before_commit = [_crash]


def _crash_after_commit(api: Api) -> None:
    api.store.after_commit = [_crash]


def _crash_after_enqueue(api: Api) -> None:
    accept = api.queue.enqueue

    def enqueue(task: Task) -> None:
        accept(task)
        raise Crash

    api.queue.enqueue = enqueue  # type: ignore[method-assign]


FAULTS: dict[str, Fault] = {
    "store unavailable": _store_down,
    "unknown commit": _unknown_commit,
    "conflict storm": _storm,
    "queue down": _queue_down,
    "crash before the commit": _crash_before_commit,
    "crash between commit and enqueue": _crash_after_commit,
    "crash after the enqueue": _crash_after_enqueue,
}


@dataclass(frozen=True)
class Cell:
    """What a fault does to an operation."""

    answer: str
    """The status, and the code of a problem; or that there is none."""
    is_changed: bool
    """Whether documents were written."""
    is_settled: bool
    """Whether later everything is carried out that is due, once the fault is over and the sweep has run."""
    repeat: int
    """What the same request is answered then."""


@dataclass(frozen=True)
class Row:
    """An operation."""

    status: int
    """What it is answered undisturbed."""
    reads: bool
    commits: bool
    enqueues: bool
    cells: dict[str, Cell]


def row(name: str) -> Row:
    """What becomes of an operation, undisturbed and under each fault that it can meet."""
    with asked(name) as request:
        api = request.api
        api.store.calls.clear()
        tasks = api.queue.enqueued
        status = request.send().status
        calls = list(api.store.calls)
        commits = any(call.startswith("commit") for call in calls)
        found = Row(status, bool(calls), commits, api.queue.enqueued > tasks, {})
    met = [fault for fault in FAULTS if _is_met(fault, found)]
    return replace(found, cells={fault: _cell(name, fault) for fault in met})


def _is_met(fault: str, found: Row) -> bool:
    if fault == "store unavailable":
        return found.reads
    return found.enqueues if fault in {"queue down", "crash after the enqueue"} else found.commits


def _cell(name: str, fault: str) -> Cell:
    with asked(name) as request:
        api, store = request.api, request.api.store.inner
        before = api.content()
        with patch.object(changing, "RETRY_SECONDS", 0.02):
            FAULTS[fault](api)
            try:
                reply = request.send()
                answer = f"{reply.status}{'' if reply.status < 400 else ' ' + _code(reply)}"
            except Crash:
                answer = "none"
        is_changed = api.content() != before
        _heal(request, store)
        repeat = request.send().status
        return Cell(answer, is_changed, _is_settled(api), repeat)


def _code(reply: Reply) -> str:
    return str(reply["type"]).rpartition(":")[2]


def _heal(request: Request, store: Any) -> None:  # noqa: ANN401 - the port
    api = request.api
    api.store.inner = store
    api.store.before_commit, api.store.after_commit = [], []
    api.queue.is_down = False
    vars(api.queue).pop("enqueue", None)


def _is_settled(api: Api) -> bool:
    """Whether the sweep and the tasks carry everything out: the tombstones' ends are far."""
    for _ in range(3):
        api.advance(120)
        if isinstance(api, VirtualApi):
            api.live(120)
        else:
            api.sweep()
            api.run_due()
    now = api.now() if isinstance(api, VirtualApi) else api.clock.now
    due = api.database.fetch("SELECT json_extract(body, '$.due_at') FROM documents")
    return all(at is None or at > now.isoformat() for (at,) in due)


def table() -> dict[str, Row]:
    """Every route's row."""
    with patch.object(log, "_written", set[str]()):
        return {name: row(name) for name in ROUTES}


def _shown(found: Row, fault: str) -> str:
    cell = found.cells.get(fault)
    if cell is None:
        return "-"
    done = "done" if cell.is_changed else "nothing changed"
    return f"{cell.answer}, {done}; repeat {cell.repeat}"


INTRODUCTION = """# What every operation does when something fails

Generated by `make faults` from `tests/simulation/faults.py`, which runs each cell; `make test` fails when
this page is not what comes out. A cell says what the client is answered (`none`: the server died), whether
the change was carried out, and what the same request is answered once the fault is over, with the same
`Idempotency-Key` where the operation takes one. A dash: the operation doesn't get there. After every cell the
sweep and the tasks carry out everything that is due.

- **store unavailable**: no call is answered. **unknown commit**: it is carried out, and nobody says so.
- **conflict storm**: others win for as long as it is tried. **queue down**: no task is taken.

"""


def page(rows: dict[str, Row]) -> str:
    """The table, for people."""
    head = ["operation", "undisturbed", *FAULTS]
    lines = [head, ["---"] * len(head)]
    lines += [
        [f"`{name}`", str(found.status), *(_shown(found, fault) for fault in FAULTS)]
        for name, found in sorted(rows.items(), key=lambda item: item[0].split()[::-1])
    ]
    return INTRODUCTION + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(table()))
