"""What is Firestore's own, but for commits: deadlines, calls that are lost, the client's making."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from google.cloud.firestore_v1.services.firestore import FirestoreClient

from shared.adapters import firestore_connection
from shared.adapters.firestore_connection import BUDGET_SECONDS, TRY_SECONDS
from shared.adapters.firestore_store import FirestoreStore
from shared.changing import until_committed
from shared.errors import MissingIndex, Unavailable
from shared.ports import Create, Document, Ref, Store, Update
from tests.contract.firestore_proxy import UNKNOWN, Codes, Proxy, Spoil, lost_after, lost_before, lost_within
from tests.contract.queries import SHAPES

pytestmark = pytest.mark.google

ROOT = Path(__file__).parents[2]
CROWD = 64
NEW, OLD, GONE = Ref("things", "new"), Ref("things", "old"), Ref("things", "gone")
DUE = SHAPES["overdue environments"]


def existing(store: Store, ref: Ref) -> Document:
    document = store.get(ref)
    assert document
    return document


# calls -------------------------------------------------------------------------------------------

CALLS: dict[str, tuple[Callable[[Store], object], str]] = {
    "get": (lambda store: store.get(NEW), "BatchGetDocuments"),
    "get_many": (lambda store: store.get_many([NEW, OLD, GONE]), "BatchGetDocuments"),
    "find": (lambda store: store.find(DUE), "RunQuery"),
    "count": (lambda store: store.count(DUE), "RunAggregationQuery"),
    "commit": (lambda store: store.commit(Create(NEW, {}), Create(OLD, {})), "Commit"),
}
every_call = pytest.mark.parametrize(("ask", "method"), CALLS.values(), ids=CALLS)
every_read = pytest.mark.parametrize(("ask", "method"), list(CALLS.values())[:4], ids=list(CALLS)[:4])

Ask = Callable[[Store], object]


@every_call
def test_a_call_is_one_call_with_a_deadline_and_names_its_database(
    ours: Store, proxy: Proxy, ask: Ask, method: str
) -> None:
    ask(ours)
    assert proxy.methods == [method]
    (call,) = proxy.calls
    assert call.seconds is not None
    assert 0 < call.seconds < TRY_SECONDS + 0.1  # the server counts more coarsely
    assert str(call.metadata["google-cloud-resource-prefix"]).startswith("projects/envctl-tests/databases/t-")
    assert call.metadata["authorization"] == "Bearer owner"


def test_nothing_is_asked_for_nothing(ours: Store, proxy: Proxy) -> None:
    assert ours.get_many([]) == []
    ours.commit()
    assert proxy.calls == []


@every_read
@pytest.mark.parametrize("code", [*UNKNOWN, Codes.RESOURCE_EXHAUSTED, Codes.ABORTED], ids=str)
def test_a_read_that_failed_is_asked_again(
    ours: Store, proxy: Proxy, ask: Ask, method: str, code: Codes
) -> None:
    proxy.reads += [lost_before(code), lost_after(code)]
    ask(ours)
    assert proxy.methods == [method] * 3


def test_an_answer_that_broke_off_is_asked_for_again(ours: Store, direct: Store, proxy: Proxy) -> None:
    direct.commit(*(Create(Ref("things", str(n)), {"n": n}) for n in range(10)))
    proxy.reads.append(lost_within(Codes.UNAVAILABLE))
    assert None not in ours.get_many([Ref("things", str(n)) for n in range(10)])


@every_call
@pytest.mark.usefixtures("short")
def test_a_server_that_is_not_there_is_unavailable_within_the_budget(ask: Ask, method: str) -> None:
    assert method
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        store = FirestoreStore("envctl-tests", "t-nowhere", f"127.0.0.1:{nobody.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(Unavailable):
            ask(store)
        assert time.monotonic() - started < 2
        store.close()


@every_call
@pytest.mark.usefixtures("short")
def test_a_server_that_says_nothing_is_unavailable_within_the_budget(
    ours: Store, proxy: Proxy, ask: Ask, method: str
) -> None:
    def silence(_forward: object, context: grpc.ServicerContext) -> Iterator[bytes]:
        while context.is_active():
            time.sleep(0.01)
        yield b""

    spoils: list[Spoil] = [silence] * 20
    proxy.reads, proxy.commits = spoils, spoils
    started = time.monotonic()
    with pytest.raises(Unavailable):
        ask(ours)
    assert time.monotonic() - started < 2
    assert 2 <= len(proxy.calls) <= 4
    assert proxy.methods[0] == method


def test_whoever_wants_to_know_soon_is_told_soon(ours: Store, proxy: Proxy) -> None:
    def silence(_forward: object, context: grpc.ServicerContext) -> Iterator[bytes]:
        while context.is_active():
            time.sleep(0.01)
        yield b""

    proxy.reads = [silence] * 20
    started = time.monotonic()
    with pytest.raises(Unavailable):
        ours.get(NEW, within=0.3)
    assert time.monotonic() - started < 2 < BUDGET_SECONDS
    assert all(call.seconds is not None and call.seconds < 0.4 for call in proxy.calls)


def test_a_request_outlives_its_budget() -> None:
    assert BUDGET_SECONDS < 25, "longer than a function may take"


@every_call
def test_what_nobody_may_do_is_unavailable_at_once(ours: Store, proxy: Proxy, ask: Ask, method: str) -> None:
    proxy.reads.append(lost_before(Codes.PERMISSION_DENIED))
    proxy.commits.append(lost_before(Codes.PERMISSION_DENIED))
    with pytest.raises(Unavailable):
        ask(ours)
    assert proxy.methods == [method]


@pytest.mark.parametrize("ask", [lambda store: store.find(DUE), lambda store: store.count(DUE)])
def test_an_index_that_the_database_lacks_is_missing(ours: Store, proxy: Proxy, ask: Ask) -> None:
    proxy.reads.append(lost_before(Codes.FAILED_PRECONDITION))
    with pytest.raises(MissingIndex, match=r"environments\(due_at <; by due_at\)"):
        ask(ours)


# the client --------------------------------------------------------------------------------------

LAZY = """
import os, sys, threading
from shared.adapters.firestore_store import FirestoreStore
from shared.ports import Create, Ref
host, database = sys.argv[1:]
store = FirestoreStore("envctl-tests", database, host)
loaded = {"grpc", "google.api_core", "google.auth", "google.cloud.firestore_v1"} & sys.modules.keys()
assert not loaded, loaded
assert threading.active_count() == 1
children = []
for number in range(3):
    pid = os.fork()
    if not pid:
        store.commit(Create(Ref("things", str(number)), {}))
        os._exit(0 if store.get(Ref("things", str(number))) else 1)
    children.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
assert "grpc" not in sys.modules
"""


def test_the_client_is_made_at_the_first_use_and_after_a_fork(direct: Store, tmp_path: Path) -> None:
    host, database = (tmp_path / "firestore").read_text(encoding="utf-8").split()
    subprocess.run([sys.executable, "-c", LAZY, host, database], cwd=ROOT, check=True, timeout=60)
    assert None not in direct.get_many([Ref("things", str(number)) for number in range(3)])


def test_threads_that_come_first_together_share_a_client(
    direct: FirestoreStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def make(*arguments: object, **named: object) -> object:
        made.append(arguments)
        time.sleep(0.05)
        return connect(*arguments, **named)  # type: ignore[arg-type]

    connect = FirestoreClient
    monkeypatch.setattr(firestore_connection, "FirestoreClient", make)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(direct.get, [NEW] * 16))
    assert len(made) == 1


def test_a_store_that_was_closed_connects_anew(direct: FirestoreStore) -> None:
    direct.commit(Create(NEW, {"n": 1}))
    direct.close()
    assert existing(direct, NEW).data == {"n": 1}


def test_a_crowd_of_threads_on_one_document_loses_nothing(direct: Store) -> None:
    direct.commit(Create(OLD, {"count": 0}))

    def add(_: int) -> None:
        def attempt() -> None:
            document = existing(direct, OLD)
            direct.commit(Update(OLD, {"count": document.data["count"] + 1}, document.version))

        until_committed("the counter", attempt)

    with ThreadPoolExecutor(CROWD) as pool:
        list(pool.map(add, range(CROWD)))
    assert existing(direct, OLD).data == {"count": CROWD}
