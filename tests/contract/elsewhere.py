"""What the suite's other processes do: `python -m tests.contract.elsewhere ACTION ADAPTER PLACE …`."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from shared.adapters import sqlite_writer
from shared.adapters.sqlite import Database
from shared.errors import AlreadyExists, Conflict
from shared.ports import Create, Ref, Store, Task, Update
from tests.contract.adapters import STORES, line_beside

Start = Callable[..., "subprocess.Popen[str]"]
"""Starts one of the actions with its arguments, in a process of its own."""

Race = Callable[..., list[list[str]]]
"""Runs one of the actions in so many processes at once; the lines that each of them said."""

START = datetime(2026, 1, 1, tzinfo=UTC)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def wait_for_the_others() -> None:
    say("ready")
    sys.stdin.readline()


def add_one(store: Store, ref: Ref) -> None:
    """Count up in a document, as often as it takes to be the one that does."""
    while True:
        document = store.get(ref)
        assert document
        try:
            return store.commit(Update(ref, {"count": document.data["count"] + 1}, document.version))
        except Conflict:
            continue


def wins(store: Store, ref: Ref, name: str) -> bool:
    """Is it this creator that the document comes from?"""
    try:
        store.commit(Create(ref, {"by": name}))
    except AlreadyExists:
        return False
    return True


def count_up(adapter: str, place: str, times: str) -> None:
    with STORES[adapter](Path(place)) as store:
        wait_for_the_others()
        for _ in range(int(times)):
            add_one(store, Ref("counters", "one"))


def create(adapter: str, place: str, rounds: str) -> None:
    """Say which of the documents this process created."""
    with STORES[adapter](Path(place)) as store:
        wait_for_the_others()
        for number in range(int(rounds)):
            if wins(store, Ref("places", str(number)), "a process"):
                say(str(number))


def commit_until_killed(adapter: str, place: str) -> None:
    """Say each number whose document and task were acknowledged."""
    with STORES[adapter](Path(place)) as store, line_beside(adapter)(Path(place)) as line:
        wait_for_the_others()
        for number in itertools.count():
            store.commit(
                Create(Ref("numbers", str(number)), {"number": number}),
                Create(Ref("twins", str(number)), {"number": number}),
            )
            line.queue.enqueue(Task("/number", {"number": number}, START))
            say(str(number))


def open_new_files(_adapter: str, place: str, count: str) -> None:
    """Be among the first to open each of some SQLite files."""
    wait_for_the_others()
    for number in range(int(count)):
        database = Database(Path(place, f"{number}.db"))
        database.fetch("SELECT * FROM documents")
        database.close()


ACTIONS: dict[str, Callable[..., None]] = {
    action.__name__: action for action in (count_up, create, commit_until_killed, open_new_files)
}

if __name__ == "__main__":
    sqlite_writer.BUSY_SECONDS = 60.0  # however busy the machine is, nobody gives up
    ACTIONS[sys.argv[1]](*sys.argv[2:])
