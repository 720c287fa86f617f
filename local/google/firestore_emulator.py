"""Google's Firestore emulator, from the first place that has one.

FIRESTORE_EMULATOR_HOST ─ not set ─> Docker, testcontainers ─ no ─> the Cloud SDK's jar ─ no ─> NoEmulator
"""

import gc
import http.client
import re
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from local.google.processes import started
from local.http_server import free_port
from shared import config
from shared.startup import BadSetting, StartupError

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

IMAGE = "gcr.io/google.com/cloudsdktool/google-cloud-cli:emulators"
JAR = Path("platform", "cloud-firestore-emulator", "cloud-firestore-emulator.jar")
MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
JAVA_OPTIONS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.language=en")
"""Little memory; no thorough compilation, which a short life never pays back; and English, the one language
that the emulator's messages are in."""

START_SECONDS = 30.0
DOCKER_SECONDS = 2
"""How long a Docker engine may take to say that it is there."""
ANSWER_SECONDS = 10.0
"""How long an emulator may take for its first read."""
_PORT = 8080
_ANY_READ = "/v1/projects/envctl-local/databases/none/documents/none"


@dataclass(frozen=True, slots=True)
class Emulator:
    """An emulator that answers."""

    host: str
    """host:port, without TLS."""
    source: str
    """Where it comes from, and its version as far as that is known."""
    poll: Callable[[], int | None] = lambda: None
    """The exit code of one that was started here and has ended; None while it runs."""


class NoEmulator(StartupError):
    """No place has a Firestore emulator: why not, place by place."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        found = "; ".join(f"{place}: {reason}" for place, reason in reasons.items())
        super().__init__(f"There is no Firestore emulator. {found}.")


class Lacking(Exception):
    """A place can't give an emulator; the text says why."""


Source = Callable[[], AbstractContextManager[Emulator]]
"""Starts an emulator, which ends with the block. Raises Lacking where there is none to start."""


@contextmanager
def firestore_emulator(sources: Mapping[str, Source] | None = None) -> Iterator[Emulator]:
    """An emulator; one that was started for this ends with the block. Raises NoEmulator, BadSetting."""
    reasons = {}
    with ExitStack() as running:
        for place, source in (SOURCES if sources is None else sources).items():
            try:
                emulator = running.enter_context(source())
            except Lacking as fault:
                reasons[place] = str(fault)
            else:
                yield emulator
                return
    raise NoEmulator(reasons)


@contextmanager
def given() -> Iterator[Emulator]:
    """The one that a variable names. It is not ours to end. Raises BadSetting when it doesn't answer.

    Whoever sets it means that one: another one would take their data where they don't look for it.
    """
    host = config.firestore_emulator()
    if host is None:
        raise Lacking("is not set")
    if not _answers(host):
        raise BadSetting(
            "FIRESTORE_EMULATOR_HOST",
            f"no Firestore emulator answers at {host}. Without the variable one is looked for elsewhere",
        )
    yield Emulator(host, f"FIRESTORE_EMULATOR_HOST={host}")


@contextmanager
def in_docker() -> Iterator[Emulator]:
    """Google's image in a container, which testcontainers removes whatever happens."""
    try:
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - loaded where it is asked for
    except ImportError:
        raise Lacking("testcontainers is not installed (requirements-google.txt has it)") from None
    if not _has_engine():
        raise Lacking("no engine answers")
    command = f"gcloud emulators firestore start --host-port=0.0.0.0:{_PORT}"
    container = DockerContainer(IMAGE).with_command(command).with_exposed_ports(_PORT)
    with ExitStack() as running:
        try:
            _keep_local(container)
            running.enter_context(container)
            host = f"{container.get_container_host_ip()}:{container.get_exposed_port(_PORT)}"
            poll = partial(_exit_code, container)
            _await(host, poll)
        except Exception as fault:
            raise Lacking(f"{IMAGE} did not start: {fault}") from fault
        yield Emulator(host, f"Docker, {IMAGE}", poll)


def _keep_local(container: "DockerContainer") -> None:
    """Where this machine is Docker's host, publish the port on loopback alone.

    The emulator asks nobody who they are.
    """
    from testcontainers.core.config import ConnectionMode  # noqa: PLC0415 - likewise

    client = container.get_docker_client()
    if client.get_connection_mode() is ConnectionMode.docker_host and client.host() == "localhost":
        container.ports[str(_PORT)] = ("127.0.0.1", None)  # type: ignore[assignment]


def _exit_code(container: "DockerContainer") -> int | None:
    """None while it runs. One that Docker knows no more, or whose Docker is gone, was killed."""
    wrapped = container.get_wrapped_container()
    try:
        wrapped.reload()
    except Exception:  # noqa: BLE001 - of Docker's library, or of those below it
        return -signal.SIGKILL
    state = wrapped.attrs["State"]
    return None if state["Running"] else int(state["ExitCode"])


def _has_engine() -> bool:
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415 - likewise

    with warnings.catch_warnings():
        # Docker's library leaves the socket open that it could not connect.
        warnings.simplefilter("ignore", ResourceWarning)
        with suppress(Exception):
            return bool(DockerClient(timeout=DOCKER_SECONDS).client.ping())
        gc.collect()
    return False


@contextmanager
def from_cloud_sdk() -> Iterator[Emulator]:
    """The Cloud SDK's jar, run by Java."""
    jar, java = _jar(), _java()
    program = [java, *JAVA_OPTIONS, "-cp", str(jar), MAIN_CLASS]
    version = _version([*program, "--version"])
    port = free_port()
    host = f"127.0.0.1:{port}"
    with started([*program, "start", "--host=127.0.0.1", f"--port={port}"]) as process:
        _await(host, process.poll)
        yield Emulator(host, f"the Cloud SDK's jar, version {version}", process.poll)


def _java() -> str:
    """The Java that JAVA_HOME names, else the one on the PATH."""
    home = config.java_home()
    if home is not None:
        java = shutil.which(home / "bin" / "java")
        if java is None:
            raise Lacking(f"JAVA_HOME has no bin/java: {home}")
        return java
    java = shutil.which("java")
    if java is None:
        raise Lacking("there is no Java: neither does JAVA_HOME name one, nor is one on the PATH")
    return java


def _jar() -> Path:
    """The emulator's jar: beside the gcloud program itself, or in the folder that it names."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        raise Lacking("there is no gcloud on the PATH")
    beside = Path(gcloud).resolve().parents[1] / JAR
    if beside.is_file():
        return beside
    command = [gcloud, "info", "--format=value(installation.sdk_root)"]
    root = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    if not root or not (Path(root) / JAR).is_file():
        raise Lacking("has no Firestore emulator: gcloud components install cloud-firestore-emulator")
    return Path(root) / JAR


def _version(command: list[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if said.returncode:
        last = (said.stderr.strip().splitlines() or [f"exit code {said.returncode}"])[-1]
        raise Lacking(f"Java can't run the emulator: {last}")
    numbers = re.search(r"[0-9][0-9.]*", said.stdout)
    return numbers[0] if numbers else "unknown"


def _await(host: str, exit_code: Callable[[], int | None]) -> None:
    """Wait until the emulator answers."""
    give_up_at = time.monotonic() + START_SECONDS
    while not _answers(host):
        if exit_code() is not None:
            raise Lacking(f"the emulator ended at its start, with exit code {exit_code()}")
        if time.monotonic() > give_up_at:
            raise Lacking(f"the emulator has not answered within {START_SECONDS:g} s")
        time.sleep(0.02)


def _answers(host: str) -> bool:
    """Whether it has answered a read, the first of which takes Java most of a second, and under load several.

    "Ok" at its root it says before that, and whoever believes that waits where they don't expect it.
    """
    connection = http.client.HTTPConnection(host, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", _ANY_READ)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, ValueError, http.client.HTTPException):  # a name that can't be one is a ValueError
        return False
    finally:
        connection.close()


SOURCES: Mapping[str, Source] = {
    "FIRESTORE_EMULATOR_HOST": given,
    "Docker": in_docker,
    "The Cloud SDK": from_cloud_sdk,
}
"""In the order in which they are asked."""
