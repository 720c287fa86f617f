"""Servers as users start them: `python -m local` on a port and a folder of their own."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from local.http_server import free_port
from tests.client import Client
from tests.logged import refuse_secrets

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
POLL_SECONDS = 0.05
"""Each look costs: a request through several processes, or a list of the machine's."""
SHORT = {
    "ENVCTL_PROVISIONING_SECONDS": "0.3",
    "ENVCTL_PENDING_SECONDS": "0.1",
    "ENVCTL_RUNNING_SECONDS": "0.3",
    "ENVCTL_CANCELING_SECONDS": "0.1",
    "ENVCTL_DELETING_SECONDS": "0.2",
}
"""Durations of simulated work, so that tests wait for little."""


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Polls; fails when it has not come true within so many seconds."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"not within {seconds} s: {what}"
        time.sleep(POLL_SECONDS)


def run_local(
    home: Path, port: int | str, settings: Mapping[str, str], module: str = "local"
) -> "subprocess.Popen[str]":
    """Starts the program as a terminal does: in a process group of its own."""
    # Nothing of whoever runs the tests: neither their settings nor their folder.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENVCTL_")}
    return subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**inherited, **SHORT, "ENVCTL_HOME": str(home), "PORT": str(port), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


@dataclass
class Server:
    """A server that was started."""

    port: int
    home: Path
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str | None = None) -> Client:
        return Client(self.port, token)

    def stored(self, collection: str) -> dict[str, dict[str, Any]]:
        """See `stored`."""
        return stored(self.home, collection)

    def is_healthy(self) -> bool:
        client = Client(self.port, timeout=2)
        try:
            return client.request("GET", "/health").status == 200
        except (OSError, HTTPException):
            return False
        finally:
            client.close()

    def wait_until_healthy(self, seconds: float = START_SECONDS) -> None:
        def healthy() -> bool:
            assert self.process.poll() is None, self.process.communicate()
            return self.is_healthy()

        wait_until(healthy, seconds, "the server answers")

    def welcome(self) -> str:
        """What it says once it serves, waited for: it is ended without a word before that."""
        assert self.process.stdout
        lines = [self.process.stdout.readline()]
        while lines[-1] != "Ctrl-C ends it.\n":
            lines.append(self.process.stdout.readline())
            assert lines[-1], "there is more to say"
        return "".join(lines)

    def pids(self) -> list[int]:
        """The main process and everything it started that is still there."""
        return family(self.process.pid)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Ends it by a signal; exit code, output and errors. May be called again."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        if self.process.stdout is None or self.process.stdout.closed:
            return self.process.returncode, "", ""
        output, errors = self.process.communicate(timeout=20)
        refuse_secrets(errors)
        return self.process.returncode, output, errors


@contextmanager
def serving(
    home: Path, settings: Mapping[str, str], port: int | None = None, *, healthy: bool = True
) -> Iterator[Server]:
    """A server while the block lasts, healthy unless that is not awaited."""
    number = port or free_port()
    server = Server(number, home, run_local(home, number, settings))
    try:
        if healthy:
            server.wait_until_healthy()
        yield server
    finally:
        server.end()


def stored(home: Path, collection: str) -> dict[str, dict[str, Any]]:
    """What is in the database of a data folder, by id, whatever readers compute from it."""
    with closing(sqlite3.connect(f"file:{home / 'envctl.db'}?mode=ro", uri=True)) as database:
        sql = "SELECT id, body FROM documents WHERE collection = ?"
        return {name: json.loads(body) for name, body in database.execute(sql, [collection])}


@contextmanager
def hangups(handler: signal.Handlers) -> Iterator[None]:
    """What is started in the block has SIGHUP as a terminal's programs have it, or as nohup's have."""
    before = signal.signal(signal.SIGHUP, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    rows = processes()
    found = [pid] if pid in rows else []
    for parent in found:
        found.extend(child for child, its_parent in rows.items() if its_parent == parent)
    return found


def command_of(pid: int) -> str:
    """What a process was started as; nothing when it has ended."""
    listed = subprocess.run(
        ["ps", "-o", "args=", "-ww", "-p", str(pid)],  # noqa: S607 - likewise
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout


def processes() -> dict[int, int]:
    """The machine's processes, each with its parent; without those that have ended."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat="],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split() for line in listed.splitlines()]
    return {int(pid): int(parent) for pid, parent, status in rows if not status.startswith("Z")}
