"""Running servers for the flows."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from local.google.firestore_emulator import Emulator
from local.google.stack import Sweep
from local.http_server import free_port, http_server, is_healthy, listen
from tests.flows.door import Door
from tests.flows.far_end import OK, FarEnd, far_end
from tests.flows.google_stack import GoogleStack, google_stack
from tests.flows.server import SHORT, Server, serving, wait_until


class StartServer(Protocol):
    def __call__(
        self, home: Path, port: int | None = None, *, healthy: bool = True, **settings: str
    ) -> Server:
        """A server, healthy unless that is not awaited. Settings are environment variables."""


@pytest.fixture
def start() -> Iterator[StartServer]:
    """Starts servers that the test may end or kill, and ends those that it leaves running."""
    with ExitStack() as ends:

        def start_one(
            home: Path, port: int | None = None, *, healthy: bool = True, **settings: str
        ) -> Server:
            return ends.enter_context(serving(home, settings, port, healthy=healthy))

        yield start_one


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that leave it running. Each makes accounts of its own."""
    with serving(tmp_path_factory.mktemp("home"), {}) as server:
        yield server


STORY = {
    **SHORT,
    "ENVCTL_RUNNING_SECONDS": "1",
    "ENVCTL_GRACE_SECONDS": "1.5",
    "ENVCTL_DELETING_SECONDS": "1.5",
    "ENVCTL_TOMBSTONE_SECONDS": "4",
    "ENVCTL_LOG_LEVEL": "WARNING",
}
"""Durations so short that a whole life passes while a test looks on."""
OVERDUE_SECONDS = 2.0
"""How late a document is when the sweep of Google's parts looks after it."""


@pytest.fixture(scope="session")
def one_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One machine's parts, with short lives."""
    with serving(tmp_path_factory.mktemp("home"), STORY) as server:
        yield server


@pytest.fixture(scope="session")
def google(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleStack]:
    """Google's parts, with short lives."""
    home, sweep = tmp_path_factory.mktemp("home"), Sweep(1.0, OVERDUE_SECONDS)
    with google_stack(emulator, home, sweep, **STORY) as stack:
        yield stack


@pytest.fixture(scope="module")
def door_processes() -> Iterator[tuple[int, FarEnd, FarEnd]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENVCTL_")}
    with ExitStack() as parts:
        auth, docs = parts.enter_context(far_end()), parts.enter_context(far_end())
        port, ports = free_port(), {"auth": auth.port, "docs": docs.port, "projects": free_port()}
        application = f"local.google.front_door:application({ports})"
        parts.enter_context(http_server(listen(port), "local.google.gunicorn_conf", application, inherited))
        wait_until(lambda: is_healthy(port), 20, "the door is open")
        yield port, auth, docs


@pytest.fixture
def door(door_processes: tuple[int, FarEnd, FarEnd]) -> Door:
    door = Door(*door_processes)
    for end in (door.auth, door.docs):
        end.says(OK)
        end.reads_bodies = True
        end.arrived.clear()
    return door
