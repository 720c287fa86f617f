"""Servers as processes: started, awaited, measured, stopped and killed. Needs Linux's /proc."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.wire import HOST
from local.http_server import free_port

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"
LOG = BUILD / "benchmark-servers.log"
"""What the servers complained about."""
START_SECONDS = 60.0
EMPTY_THREADS = 8
TOKEN_SECONDS = "7200"  # noqa: S105 - a time
"""Longer than any run takes: clients log in once."""
_TICKS = os.sysconf("SC_CLK_TCK")
_SECRET = "benchmark-callback-secret-of-no-use"  # noqa: S105 - for a server that lives for seconds


class ServerFailed(Exception):
    """A server ended, or never answered."""


def tree(pid: int) -> list[int]:
    """A process and those that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                children.setdefault(int(_fields(int(entry.name))[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name: state, parent and so on."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


class Server:
    """A server process, answering 200 at a path once it is up."""

    def __init__(self, command: Sequence[str], port: int, variables: Mapping[str, str], probe: str) -> None:
        self.port = port
        self._command = command
        self._variables = {**os.environ, **variables}
        self._probe = probe
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; the seconds until its first 200."""
        BUILD.mkdir(exist_ok=True)
        began = time.perf_counter()
        with LOG.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        while (took := time.perf_counter() - began) < START_SECONDS:
            if self._process.poll() is not None:
                raise ServerFailed(f"{self._command} ended with {self._process.returncode}")
            if self._answers():
                return time.perf_counter() - began
            time.sleep(0.005)
        self.kill()
        raise ServerFailed(f"{self._command} did not answer in {took:.0f} s")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", self._probe)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """SIGKILL to all of its processes at once, as a power cut would end them."""
        if self._process is None:
            return
        pids = tree(self._process.pid)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)  # so that none of them notices that others are gone
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after 20 s."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    @property
    def cpu_seconds(self) -> float:
        """The CPU that its processes have used."""
        return self._sum(lambda pid: (int(_fields(pid)[11]) + int(_fields(pid)[12])) / _TICKS)

    @property
    def megabytes(self) -> float:
        """Its processes' resident memory; pages that they share count for each."""
        page = os.sysconf("SC_PAGE_SIZE")
        return self._sum(lambda pid: int(_fields(pid)[21]) * page / 1e6)

    def _sum(self, of: Callable[[int], float]) -> float:
        total = 0.0
        for pid in tree(self._process.pid) if self._process else ():
            with contextlib.suppress(OSError):
                total += of(pid)
        return total


def platform_server(home: Path) -> Server:
    """The whole platform on one machine, as `make run` starts it."""
    port = free_port()
    variables = {"PORT": str(port), "ENVCTL_HOME": str(home), "ENVCTL_ACCESS_TOKEN_SECONDS": TOKEN_SECONDS}
    return Server([sys.executable, "-m", "local"], port, variables, "/health")


def function_server(
    source: str, target: str, home: Path, probe: str = "/health", more: Mapping[str, str] | None = None
) -> Server:
    """One function, as the cloud starts it."""
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "functions-framework"),
        "--source",
        source,
        "--target",
        target,
    ]
    variables = {
        "ENVCTL_HOME": str(home),
        "ENVCTL_CALLBACK_SECRET": _SECRET,
        "ENVCTL_ACCESS_TOKEN_SECONDS": TOKEN_SECONDS,
        "ENVCTL_LOG_LEVEL": "WARNING",
        "THREADS": str(EMPTY_THREADS),
        "PYTHONDONTWRITEBYTECODE": "",  # whatever is set here: building a Cloud Function compiles it
        **(more or {}),
    }
    return Server([*command, "--host", HOST, "--port", str(port)], port, variables, probe)


def empty_server(home: Path) -> Server:
    """An empty function with eight threads, to compare with."""
    return function_server("benchmarks/empty.py", "empty", home, "/")


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server for as long as the block lasts."""
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def data_folder() -> Iterator[Path]:
    """An empty folder for a server's data, on a disk (not in memory)."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="benchmark-") as folder:
        yield Path(folder)
