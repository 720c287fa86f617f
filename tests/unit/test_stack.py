"""What becomes of the stack when a part of it ends: what is started again, what ends everything."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from local.google import functions
from local.google.child import Child
from local.google.firestore_emulator import Emulator
from local.google.functions import FunctionFailed, Functions
from local.google.identity import Identity
from local.google.stack import PartEnded, Stack
from local.http_server import HttpServerFailed, Server
from tests.flows.server import wait_until

LASTS = ["timeit", "-n", "1", "-s", "import time", "time.sleep(60)"]
ENDS = ["timeit", "-n", "1", "-r", "1", "pass"]


def stack(door: int | None = None, peer: int | None = None, emulator: int | None = None) -> Stack:
    """A stack of parts that have ended with these codes."""
    return Stack(
        port=1,
        emulator=Emulator("host:1", "somewhere", lambda: emulator),
        peer=cast("Child", SimpleNamespace(exit_code=peer)),
        peer_endpoint="host:2",
        identity=cast("Identity", None),
        functions=cast("Functions", None),
        door=cast("Server", SimpleNamespace(poll=lambda: door, returncode=door)),
    )


def test_a_stack_that_is_at_work_is_not_refused() -> None:
    stack().refuse_ended()


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (stack(emulator=0), r"^Firestore's emulator ended by itself, with exit code 0\."),
        (stack(peer=-9), r"^The peer of Cloud Tasks ended by itself, with exit code -9\."),
    ],
)
def test_a_part_that_ended_is_named(ended: Stack, said: str) -> None:
    with pytest.raises(PartEnded, match=said):
        ended.refuse_ended()


def test_a_front_door_that_ended_is_an_http_server_that_failed() -> None:
    with pytest.raises(HttpServerFailed, match="ended by itself, with exit code 3"):
        stack(door=3).refuse_ended()


Start = Callable[[list[str]], Functions]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Start]:
    """Starts "functions" that are other programs."""
    running: list[Functions] = []

    def start_one(command: list[str]) -> Functions:
        monkeypatch.setattr(functions, "_command", lambda _name, _port: command)
        running.append(Functions({"auth": 1}, dict(os.environ), tmp_path))
        running[0].start()
        return running[0]

    yield start_one
    running[0].end()


def has_ended(one: Child) -> bool:
    return one.exit_code is not None


def test_a_function_that_ends_before_its_first_answer_is_a_fault(start: Start) -> None:
    started = start(ENDS)
    wait_until(lambda: has_ended(started["auth"]), 10, "it ends")
    with pytest.raises(FunctionFailed, match="The function auth ended while it started, with exit code 0"):
        started.have_started()


def test_a_function_that_ended_is_started_again_but_not_all_the_time(
    start: Start, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(functions, "AGAIN_SECONDS", 1_000)
    started = start(LASTS)
    first = started["auth"].pid
    started.mend()
    assert started["auth"].pid == first
    os.killpg(first, 9)
    wait_until(lambda: has_ended(started["auth"]), 10, "it ends")
    started.mend()
    assert started["auth"].pid == first, "not so soon after its start"
    monkeypatch.setattr(functions, "AGAIN_SECONDS", 0)
    started.mend()
    assert started["auth"].pid != first
    assert started["auth"].exit_code is None
    assert '"a function ended and is started again", "function": "auth"' in capsys.readouterr().err
