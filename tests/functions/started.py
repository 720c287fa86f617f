"""Functions as processes, started as the cloud starts them: functions-framework, one per function."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from local.http_server import free_port
from tests.logged import refuse_secrets

ROOT = Path(__file__).parents[2]
SECRET = "s" * 40
OWN = {
    "auth": ("POST", "/api/v1/auth/register", {"email": "a@example.com", "password": "secret123"}, 201),
    "projects": ("GET", "/api/v1/projects/", None, 401),
    "environments": ("GET", "/api/v1/environments/x", None, 401),
    "deployments": ("POST", "/api/v1/deployments/environments/x", {}, 401),
    "simulation": ("GET", "/api/v1/simulation/scenarios", None, 200),
    "tasks": ("POST", "/api/v1/tasks/sweep", {}, 200),
    "docs": ("GET", "/docs", None, 200),
}
"""By function: a request that it answers and no other does, and with which status."""

_KEY = base64.b64encode(bytes(range(32))).decode()
ON_GOOGLE = {
    "ENVCTL_PROJECT": "envctl-tests",
    "ENVCTL_DATABASE": "started",
    "ENVCTL_QUEUE": "projects/envctl-tests/locations/europe-west1/queues/started",
    "ENVCTL_TASKS_URL": "https://tasks.example.com",
    "ENVCTL_TASKS_ACCOUNT": "tasks@envctl-tests.iam.gserviceaccount.com",
    "ENVCTL_SIGNING_KEY": _KEY,
    "ENVCTL_IDENTITY_KEY": _KEY,
}
"""The variables of a function on Google's parts."""


def command(name: str, port: int, python: Path | None = None) -> list[str]:
    """How a function is started, by this Python or by another one with its own packages."""
    program = [str(python or sys.executable), "-m", "functions_framework", "--source", "main.py"]
    return [*program, "--host", "127.0.0.1", "--target", name, "--port", str(port)]


def environment(home: Path, **variables: str) -> dict[str, str]:
    """The variables of a function whose data lies on this machine."""
    return {**os.environ, "ENVCTL_HOME": str(home), "ENVCTL_CALLBACK_SECRET": SECRET, **variables}


@dataclass
class Started:
    process: "subprocess.Popen[bytes]"
    port: int
    errors: IO[bytes]

    @property
    def said(self) -> str:
        """What it has written to stderr so far."""
        return os.pread(self.errors.fileno(), 1_000_000, 0).decode()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str, bytes]:  # noqa: ANN401 - any JSON value
        """Status, request id and body of the answer."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - our own server
                return response.status, response.headers["X-Request-Id"], response.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers["X-Request-Id"], refused.read()


@contextmanager
def started(
    names: Iterable[str], variables: Mapping[str, str], folder: Path = ROOT, python: Path | None = None
) -> Iterator[dict[str, Started]]:
    """These functions, each a process of its own, started at once; here as soon as all of them listen."""
    running = {name: _start(name, variables, folder, python) for name in names}
    try:
        _wait(list(running.values()))
        yield running
    finally:
        for one in running.values():
            one.process.terminate()
        for one in running.values():
            one.process.wait(20)
            refuse_secrets(one.said)
            one.errors.close()


def _start(name: str, variables: Mapping[str, str], folder: Path, python: Path | None) -> Started:
    port, errors = free_port(), TemporaryFile()  # noqa: SIM115 - closed when the function has ended
    process = subprocess.Popen(
        command(name, port, python),
        cwd=folder,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        start_new_session=True,
    )
    return Started(process, port, errors)


def _wait(functions: list[Started]) -> None:
    give_up_at = time.monotonic() + 40
    while not all(_is_up(one.port) for one in functions):
        assert time.monotonic() < give_up_at, "a function does not listen"
        for one in functions:
            assert one.process.poll() is None, one.said
        with suppress(subprocess.TimeoutExpired):
            functions[0].process.wait(0.05)


def _is_up(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
