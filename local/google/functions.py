"""Every function in a process of its own, started as Cloud Functions starts it, and started again."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from local.google.child import Child, end
from local.http_server import HOST, free_ports, is_healthy
from shared import groups, log
from shared.startup import StartupError

THREADS = "8"
"""How many requests an instance works on at the same time, as in the cloud."""
STOP_SECONDS = 3.0
SOCKET_FOLDER_BYTES = 103 - len("/environments/gunicorn.ctl")
"""How long the folder's path may be: a socket's takes 104 bytes on macOS, 108 on Linux, the zero included."""
AGAIN_SECONDS = 1.0
"""How long after its last start a function that has ended is started again."""


class FunctionFailed(StartupError):
    """A function ended before it had ever answered."""

    def __init__(self, name: str, exit_code: int) -> None:
        super().__init__(
            f"The function {name} ended while it started, with exit code {exit_code}. "
            "Lines above this one may say why."
        )


class Functions:
    """The processes, by the functions' names."""

    def __init__(self, ports: Mapping[str, int], environment: Mapping[str, str], folder: Path) -> None:
        self.ports = ports
        self._children = {
            name: Child(name, _command(name, port), {**environment, **_own(folder / name)})
            for name, port in ports.items()
        }
        self._missing = set(ports)

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    def start(self) -> None:
        """Start them all, at the same time."""
        for child in self._children.values():
            child.start()

    def end(self) -> None:
        """End them all."""
        end(self._children.values(), STOP_SECONDS)

    def have_started(self) -> bool:
        """Whether each has answered once. Raises FunctionFailed when one has ended before that."""
        for name in sorted(self._missing):
            code = self._children[name].exit_code
            if code is not None:
                raise FunctionFailed(name, code)
            if is_healthy(self.ports[name]):
                self._missing.discard(name)
        return not self._missing

    def mend(self) -> None:
        """Start those again that have ended."""
        for name, child in self._children.items():
            code = child.exit_code
            if code is not None and time.monotonic() >= child.started_at + AGAIN_SECONDS:
                log.write("WARNING", "a function ended and is started again", function=name, exit_code=code)
                child.start()


@contextmanager
def functions(environment: Mapping[str, str], ports: Mapping[str, int], folder: Path) -> Iterator[Functions]:
    """All functions, being started; they end with the block, or with this process.

    Each has a folder of its own in that one, for what it runs with.
    """
    with _short(folder) as place:
        started = Functions(ports, environment, place)
        started.start()
        try:
            yield started
        finally:
            started.end()


@contextmanager
def _short(folder: Path) -> Iterator[Path]:
    """The folder; for the time of the block another one where its sockets' paths would be too long."""
    if len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES:
        yield folder
        return
    with TemporaryDirectory(prefix="envctl-") as other:
        yield Path(other)


def function_ports() -> dict[str, int]:
    """A free port for every function."""
    names = groups.names()
    return dict(zip(names, free_ports(len(names)), strict=True))


def _own(folder: Path) -> dict[str, str]:
    """Of a function alone. Its gunicorn's control socket would else be everybody's, in the user's home."""
    folder.mkdir()
    return {"THREADS": THREADS, "XDG_RUNTIME_DIR": str(folder)}


def _command(name: str, port: int) -> list[str]:
    program = ["functions_framework", "--source", "main.py", "--host", HOST]
    return [*program, "--target", name, "--port", str(port)]
