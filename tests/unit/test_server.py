"""What the main process does while everything is at work, and when a part of it is not any more."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import cast

import pytest

from local import server
from local.http_server import HttpServerFailed
from local.signals import ENDING, Signals
from local.welcome import welcome
from tests.flows.server import ROOT, hangups


class Given:
    """Signals that have arrived; then none."""

    def __init__(self, *numbers: int | None) -> None:
        self._numbers = iter(numbers)

    def next(self, seconds: float | None = None) -> int | None:
        assert seconds is not None, "it looks around from time to time"
        return next(self._numbers)


def watch(http: subprocess.Popen[bytes], thread: threading.Thread, *numbers: int | None) -> None:
    server._watch(cast("Signals", Given(*numbers)), http, [thread])  # noqa: SLF001 - the loop by itself


def test_what_it_says_at_the_start_stands_in_columns() -> None:
    places = {"data folder": "here", "  environments": "there"}
    lines = welcome("http://x", places).splitlines()[2:5]
    assert [line.split()[-1] for line in lines] == ["http://x/docs", "here", "there"]
    assert len({len(line) - len(line.split()[-1]) for line in lines}) == 1


@pytest.fixture
def http() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lasts until its standard input ends."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def at_work() -> Iterator[threading.Thread]:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    yield thread
    end.set()
    thread.join()


@pytest.mark.parametrize("number", ENDING)
def test_it_ends_at_a_signal(
    http: subprocess.Popen[bytes], at_work: threading.Thread, number: signal.Signals
) -> None:
    watch(http, at_work, None, signal.SIGCHLD, number)


FIRST_HEARD = """
import os, signal
from local.signals import ENDING, Signals
signals = Signals(*ENDING)
for number in (signal.SIGHUP, signal.SIGTERM):
    os.kill(os.getpid(), number)
print(signals.next(10))
"""


@pytest.mark.parametrize(
    ("handler", "heard"), [(signal.SIG_DFL, signal.SIGHUP), (signal.SIG_IGN, signal.SIGTERM)]
)
def test_a_closed_terminal_ends_what_nohup_did_not_start(
    handler: signal.Handlers, heard: signal.Signals
) -> None:
    with hangups(handler):
        command = [sys.executable, "-c", FIRST_HEARD]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(said.stdout) == heard


def test_a_thread_that_ended_by_itself_ends_it_aloud(http: subprocess.Popen[bytes]) -> None:
    ended = threading.Thread(target=lambda: None, name="sweep")
    ended.start()
    ended.join()
    with pytest.raises(server.WorkFailed, match="sweep ended by itself"):
        watch(http, ended, None)


def test_a_server_that_ended_by_itself_ends_it_aloud(
    http: subprocess.Popen[bytes], at_work: threading.Thread
) -> None:
    http.kill()
    http.wait()
    with pytest.raises(HttpServerFailed, match="ended by itself"):
        watch(http, at_work, signal.SIGCHLD)
