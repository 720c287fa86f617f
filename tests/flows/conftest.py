"""Running servers for the flows."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.flows.server import Server, free_port, run_local


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
            number = port or free_port()
            server = Server(number, home, run_local(home, number, settings))
            ends.callback(server.end)
            if healthy:
                server.wait_until_healthy()
            return server

        yield start_one


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that leave it running. Each makes accounts of its own."""
    port, home = free_port(), tmp_path_factory.mktemp("home")
    server = Server(port, home, run_local(home, port, {}))
    try:
        server.wait_until_healthy()
        yield server
    finally:
        server.end()
