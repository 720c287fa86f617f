"""The Firestore emulator through Docker, without Docker: what is asked of testcontainers, and its answers."""

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import pytest
from testcontainers.core.config import ConnectionMode

from local.google import firestore_emulator as module
from local.google.firestore_emulator import Emulator, in_docker
from tests.unit.emulators import answering, says


@pytest.fixture
def port() -> Iterator[int]:
    with answering() as port:
        yield port


def test_docker_without_testcontainers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "testcontainers.core.container", None)
    assert says(in_docker).startswith("testcontainers is not installed")


def test_docker_without_an_engine_is_noticed_quickly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    started = time.monotonic()
    assert says(in_docker) == "no engine answers"
    assert time.monotonic() - started < 10


class Container:
    """What testcontainers' class does here, without a container."""

    said: list[object]
    mode: ConnectionMode
    state: Mapping[str, object]

    def __init__(self, image: str) -> None:
        type(self).said = [image]
        self.ports: dict[str, object] = {}

    def with_command(self, command: str) -> "Container":
        self.said.append(command)
        return self

    def with_exposed_ports(self, port: int) -> "Container":
        self.ports[str(port)] = None
        return self

    def __enter__(self) -> Self:
        self.said.append(self.ports)
        return self

    def get_docker_client(self) -> Self:
        return self

    def get_connection_mode(self) -> ConnectionMode:
        return self.mode

    def host(self) -> str:
        return "localhost"

    def get_wrapped_container(self) -> Self:
        return self

    def reload(self) -> None:
        if not self.state:
            raise ConnectionError("no such container")

    @property
    def attrs(self) -> Mapping[str, object]:
        return {"State": self.state}

    def __exit__(self, *_: object) -> None:
        self.said.append("removed")

    def get_container_host_ip(self) -> str:
        return "127.0.0.1"

    def get_exposed_port(self, _: int) -> int:
        raise ConnectionError("no such image")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_has_engine", lambda: True)
    monkeypatch.setattr("testcontainers.core.container.DockerContainer", Container)
    monkeypatch.setattr(Container, "mode", ConnectionMode.docker_host, raising=False)
    monkeypatch.setattr(Container, "state", {"Running": True}, raising=False)


@pytest.mark.usefixtures("engine")
def test_docker_s_is_google_s_image_for_this_machine_alone_and_is_removed(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(Container, "get_exposed_port", lambda *_: port)
    with in_docker() as emulator:
        assert emulator == Emulator(f"127.0.0.1:{port}", f"Docker, {module.IMAGE}", emulator.poll)
        command = "gcloud emulators firestore start --host-port=0.0.0.0:8080"
        assert Container.said == [module.IMAGE, command, {"8080": ("127.0.0.1", None)}]
    assert Container.said[3:] == ["removed"]


@pytest.mark.usefixtures("engine")
def test_where_this_machine_is_a_container_docker_publishes_the_port_for_it(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(Container, "get_exposed_port", lambda *_: port)
    monkeypatch.setattr(Container, "mode", ConnectionMode.gateway_ip)
    with in_docker():
        assert Container.said[2:] == [{"8080": None}]


@pytest.mark.usefixtures("engine")
def test_the_end_of_docker_s_is_noticed(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(Container, "get_exposed_port", lambda *_: port)
    with in_docker() as emulator:
        assert emulator.poll() is None
        monkeypatch.setattr(Container, "state", {"Running": False, "ExitCode": 137})
        assert emulator.poll() == 137
        monkeypatch.setattr(Container, "state", {})
        assert emulator.poll() == -signal.SIGKILL, "nobody knows it any more"


@pytest.mark.usefixtures("engine")
def test_an_image_that_ends_at_its_start_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Container, "get_exposed_port", lambda *_: 1)
    monkeypatch.setattr(Container, "state", {"Running": False, "ExitCode": 2})
    assert says(in_docker).endswith("the emulator ended at its start, with exit code 2")
    assert Container.said[3:] == ["removed"]


@pytest.mark.usefixtures("engine")
def test_an_image_that_can_not_be_had_is_said_and_removed() -> None:
    assert says(in_docker) == f"{module.IMAGE} did not start: no such image"
    assert Container.said[3:] == ["removed"]
