"""Many threads and processes on one store, and the death of one: nothing is lost, nobody wins twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path
from threading import Barrier
from typing import TypeVar

from shared.ports import Create, Ref, Store, Update
from tests.contract.adapters import STORES, line_beside
from tests.contract.elsewhere import START, Race, Start, add_one, wins

CROWD = 16
PROCESSES = {"sqlite": CROWD, "firestore": 4}
"""Google's libraries take each process half a second to load."""
TORN = {"sqlite": 0.0, "firestore": 0.05}
"""Which part of the reads may see half a commit. Firestore lets none; its emulator shows the documents of a
commit one after the other, within a millisecond, to whatever kind of read."""
COUNTER = Ref("counters", "one")
TWINS = [Ref("twins", "left"), Ref("twins", "right")]

Answer = TypeVar("Answer")


def count(store: Store) -> int:
    document = store.get(COUNTER)
    assert document
    number: int = document.data["count"]
    return number


def at_once(act: Callable[[int], Answer]) -> list[Answer]:
    """A crowd of threads that act together; what each got."""
    barrier = Barrier(CROWD)

    def start(number: int) -> Answer:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(start, range(CROWD)))


def test_threads_that_update_one_document_lose_no_update(store: Store) -> None:
    store.commit(Create(COUNTER, {"count": 0}))

    def add_ten(_: int) -> None:
        for _ in range(10):
            add_one(store, COUNTER)

    at_once(add_ten)
    assert count(store) == CROWD * 10


def test_processes_that_update_one_document_lose_no_update(adapter: str, tmp_path: Path, race: Race) -> None:
    with STORES[adapter](tmp_path) as store:
        store.commit(Create(COUNTER, {"count": 0}))
        race(PROCESSES[adapter], "count_up", adapter, "10")
        assert count(store) == PROCESSES[adapter] * 10


def test_of_threads_that_create_one_document_one_wins(store: Store) -> None:
    for number in range(20):
        ref = Ref("places", str(number))
        won = at_once(lambda name, ref=ref: wins(store, ref, str(name)))  # type: ignore[misc]
        winner = store.get(ref)
        assert won.count(True) == 1
        assert winner
        assert winner.data == {"by": str(won.index(True))}


def test_of_processes_that_create_one_document_one_wins(adapter: str, race: Race) -> None:
    won = chain(*race(PROCESSES[adapter], "create", adapter, "30"))
    assert sorted(won, key=int) == [str(number) for number in range(30)]


def test_what_a_thread_committed_is_seen_by_every_other(store: Store) -> None:
    refs = [Ref("things", str(number)) for number in range(CROWD)]
    at_once(lambda number: store.commit(Create(refs[number], {})))
    seen = at_once(lambda _: store.get_many(refs))
    assert all(None not in documents for documents in seen)


def test_many_documents_are_read_as_of_one_moment(adapter: str, tmp_path: Path) -> None:
    with STORES[adapter](tmp_path) as store:
        store.commit(*map(Create, TWINS, repeat({"n": 0})))

        def write() -> None:
            for number in range(1, 200):
                versions = [document.version for document in store.get_many(TWINS) if document]
                store.commit(*map(Update, TWINS, repeat({"n": number}), versions))

        with ThreadPoolExecutor(1) as pool:
            writer = pool.submit(write)
            seen = []
            while not writer.done():
                seen.append([document and document.data["n"] for document in store.get_many(TWINS)])
            writer.result()
    whole = [left for left, right in seen if left == right]
    assert len(seen) - len(whole) <= TORN[adapter] * len(seen)
    assert len(set(whole)) > 1


def test_what_was_acknowledged_outlives_the_killed_process(
    adapter: str,
    tmp_path: Path,
    elsewhere: Start,
) -> None:
    process = elsewhere("commit_until_killed", adapter)
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    said = [process.stdout.readline().strip() for _ in range(101)]
    process.kill()  # SIGKILL, most likely within a commit
    acknowledged = said[1:] + process.stdout.read().split()
    assert len(acknowledged) >= 100
    with STORES[adapter](tmp_path) as store:
        assert None not in store.get_many([Ref("numbers", number) for number in acknowledged])
        following = str(len(acknowledged))
        numbers = store.get_many([Ref("numbers", following), Ref("twins", following)])
        assert numbers.count(None) in {0, 2}, "half a commit"
    with line_beside(adapter)(tmp_path) as line:
        tasks = line.deliver(START + timedelta(days=1), lambda _: 200)
        assert {task.payload["number"] for task in tasks} >= set(map(int, acknowledged))
