"""`python -m local.google` as a user meets it: its start, its end, and what it says when it can't go on."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from local.google.firestore_emulator import Emulator
from local.http_server import free_port
from shared.groups import names
from tests.flows.server import Server, command_of, hangups, processes, run_local, wait_until
from tests.flows.test_readme import STORY, need_programs, run_tour, tells

START_SECONDS = 60
STOP_SECONDS = 15
pytestmark = pytest.mark.google


@contextmanager
def started(home: Path, **settings: str) -> Iterator[Server]:
    """The stack, once it serves."""
    port = free_port()
    server = Server(port, home, run_local(home, port, settings, "local.google"))
    try:
        server.wait_until_healthy(START_SECONDS)
        yield server
    finally:
        server.end()


def pids_of(server: Server, what: str) -> list[int]:
    """Those of its processes that were started with this word."""
    return [pid for pid in server.pids() if what in command_of(pid)]


def wait_until_gone(pids: list[int]) -> None:
    wait_until(lambda: not set(pids) & set(processes()), STOP_SECONDS, "all processes are gone")


def test_it_says_where_everything_is_serves_the_tour_and_ends_at_a_signal(
    emulator: Emulator, tmp_path: Path
) -> None:
    del emulator  # one can be had; this one is its own
    need_programs("bash", "curl")
    home = tmp_path / "home"
    with started(home) as server:
        tells(run_tour(server.url, tmp_path), STORY)
        pids = server.pids()
        assert len(pids_of(server, "--target")) >= 2 * len(names()), "a server and a worker for each function"
        assert pids_of(server, "CloudFirestore") or "FIRESTORE_EMULATOR_HOST" in os.environ
        began = time.monotonic()
        os.killpg(server.process.pid, signal.SIGINT)  # as a terminal's Ctrl-C: the whole group
        code, output, errors = server.end(signal.SIGINT)
        assert time.monotonic() - began < STOP_SECONDS
    wait_until_gone(pids)
    assert (code, errors) == (0, "")
    assert output.startswith(f"envctl serves {server.url}\n")
    assert output.endswith("Ctrl-C ends it.\n")
    assert all(f"  {name} " in output for name in names())
    assert sorted(file.name for file in home.iterdir()) == ["identity.key", "signing.key"]


def test_a_closed_terminal_ends_it(emulator: Emulator, tmp_path: Path) -> None:
    with hangups(signal.SIG_DFL), started(tmp_path, FIRESTORE_EMULATOR_HOST=emulator.host) as server:
        pids = server.pids()
        os.killpg(server.process.pid, signal.SIGHUP)
        code, _, errors = server.end(signal.SIGHUP)
    assert (code, errors) == (0, "")
    wait_until_gone(pids)


def test_kill_9_leaves_nothing(emulator: Emulator, tmp_path: Path) -> None:
    del emulator
    with started(tmp_path) as server:
        pids = server.pids()
        server.process.kill()
        wait_until_gone(pids)


def test_a_part_that_dies_is_said_and_ends_everything(emulator: Emulator, tmp_path: Path) -> None:
    with started(tmp_path, FIRESTORE_EMULATOR_HOST=emulator.host) as server:
        pids, (peer, *_) = server.pids(), pids_of(server, "local.google.cloud_tasks")
        os.kill(peer, signal.SIGKILL)
        server.process.wait(STOP_SECONDS)
        code, _, errors = server.end()
        assert code == 1
        assert "envctl: The peer of Cloud Tasks ended by itself, with exit code -9." in errors
        wait_until_gone(pids)


def refusal(home: Path, **settings: str) -> str:
    """The one line with which it refuses to start."""
    process = run_local(home, settings.pop("PORT", str(free_port())), settings, "local.google")
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert errors.startswith("envctl: ")
    assert errors.count("\n") == 1
    return errors


def test_what_it_cannot_start_without_is_one_line(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        assert f"Port {port} can't be used" in refusal(tmp_path, PORT=port)
    assert "ENVCTL_RUNNING_SECONDS" in refusal(tmp_path, ENVCTL_RUNNING_SECONDS="-1")
    assert "ENVCTL_PROJECT, ENVCTL_QUEUE: says where" in refusal(
        tmp_path, ENVCTL_PROJECT="acme", ENVCTL_QUEUE="projects/acme/locations/x/queues/y"
    )
    away = "FIRESTORE_EMULATOR_HOST: no Firestore emulator answers at 127.0.0.1:1"
    assert away in refusal(tmp_path, FIRESTORE_EMULATOR_HOST="127.0.0.1:1")
    nothing = {"PATH": str(tmp_path), "DOCKER_HOST": "tcp://127.0.0.1:9", "FIRESTORE_EMULATOR_HOST": ""}
    assert "There is no Firestore emulator" in refusal(tmp_path, **nothing)
