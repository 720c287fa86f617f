"""What every test of the contract starts from: an empty store or queue of each adapter."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.adapters import firestore_connection
from shared.adapters.firestore_store import FirestoreStore
from shared.adapters.sqlite import Database
from shared.ports import Store
from tests.contract.adapters import LINES, STORES, Line, firestore_store
from tests.contract.elsewhere import Race, Start
from tests.contract.firestore_proxy import Proxy, proxy_to
from tests.contract.places import ALL_STORE_NAMES, STORE_NAMES, prepare

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=ALL_STORE_NAMES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    prepare(tmp_path, request.param, request)
    with STORES[request.param](tmp_path) as store:
        yield store


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An SQLite file that is not there yet."""
    database = Database(tmp_path / "envctl.db")
    yield database
    database.close()


@pytest.fixture(params=LINES)
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    with LINES[request.param](tmp_path) as line:
        yield line


@pytest.fixture(params=STORE_NAMES)
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The adapter's name, for tests that open one place several times."""
    name: str = request.param
    prepare(tmp_path, name, request)
    return name


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Start]:
    """Starts `elsewhere.py` in a process of its own, over the test's place. It waits for a line."""
    with ExitStack() as processes:

        def start(action: str, adapter: str, *arguments: str) -> "subprocess.Popen[str]":
            command = [sys.executable, "-m", "tests.contract.elsewhere", action, adapter, str(tmp_path)]
            process = subprocess.Popen(
                [*command, *arguments],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            processes.enter_context(process)
            processes.callback(process.kill)
            return process

        yield start


@pytest.fixture
def race(elsewhere: Start) -> Race:
    """Runs one action in many processes at once; the lines that each printed."""

    def run(count: int, *arguments: str) -> list[list[str]]:
        processes = [elsewhere(*arguments) for _ in range(count)]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate()[0].splitlines() for process in processes]
        assert [process.returncode for process in processes] == [0] * count
        return answers

    return run


# Firestore's own ---------------------------------------------------------------------------------


@pytest.fixture
def direct(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[FirestoreStore]:
    """A store that reaches the emulator undisturbed: everybody else's."""
    prepare(tmp_path, "firestore", request)
    with firestore_store(tmp_path) as store:
        yield store


@pytest.fixture
def proxy(direct: Store, tmp_path: Path) -> Iterator[Proxy]:
    assert direct
    host, _ = (tmp_path / "firestore").read_text(encoding="utf-8").split()
    with proxy_to(host) as proxy:
        yield proxy


@pytest.fixture
def ours(proxy: Proxy, tmp_path: Path) -> Iterator[FirestoreStore]:
    """A store on the same database, with a network in between."""
    _, database = (tmp_path / "firestore").read_text(encoding="utf-8").split()
    store = FirestoreStore("envctl-tests", database, proxy.host)
    yield store
    store.close()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience."""
    monkeypatch.setattr(firestore_connection, "BUDGET_SECONDS", 0.6)
    monkeypatch.setattr(firestore_connection, "TRY_SECONDS", 0.2)
