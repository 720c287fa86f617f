"""Where a Firestore emulator is looked for, in which order, and what is said when there is none."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.google import firestore_emulator as module
from local.google.firestore_emulator import (
    JAR,
    SOURCES,
    Emulator,
    Lacking,
    NoEmulator,
    Source,
    firestore_emulator,
    from_cloud_sdk,
    given,
    in_docker,
)
from shared.startup import BadSetting
from tests.unit.emulators import answering, says

ROOT = Path(__file__).parents[2]


def having(host: str, ended: list[str]) -> Source:
    @contextmanager
    def source() -> Iterator[Emulator]:
        yield Emulator(host, f"{host}'s")
        ended.append(host)

    return source


@contextmanager
def lacking() -> Iterator[Emulator]:
    raise Lacking("has none")
    yield


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


# the order ---------------------------------------------------------------------------------------


def test_the_variable_comes_before_docker_and_docker_before_the_cloud_sdk() -> None:
    assert list(SOURCES.values()) == [given, in_docker, from_cloud_sdk]


@pytest.mark.parametrize("first", [0, 1, 2])
def test_the_first_place_that_has_one_gives_it_and_ends_it(first: int) -> None:
    ended: list[str] = []
    sources: Mapping[str, Source] = {
        str(n): having(f"host{n}", ended) if n >= first else lacking for n in range(3)
    }
    with firestore_emulator(sources) as emulator:
        assert emulator.host == f"host{first}"
        assert ended == []
    assert ended == [f"host{first}"]


def test_what_is_raised_while_it_is_used_is_nobody_elses_fault() -> None:
    ended: list[str] = []
    with pytest.raises(KeyError), firestore_emulator({"a": having("a", ended), "b": having("b", ended)}):
        raise KeyError
    with pytest.raises(Lacking), firestore_emulator({"a": having("a", ended), "b": having("b", ended)}):
        raise Lacking("of another kind")


def test_when_no_place_has_one_it_is_said_why_for_each() -> None:
    with (
        pytest.raises(NoEmulator, match=r"no Firestore emulator\. Here: has none; There: has none\."),
        firestore_emulator({"Here": lacking, "There": lacking}),
    ):
        pass


# the variable ------------------------------------------------------------------------------------


@pytest.fixture
def port() -> Iterator[int]:
    with answering() as port:
        yield port


def test_one_that_is_named_is_used(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    host = f"127.0.0.1:{port}"
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", host)
    with given() as emulator:
        assert (emulator.host, emulator.poll()) == (host, None)
        assert emulator.source == f"FIRESTORE_EMULATOR_HOST={host}"


@pytest.mark.parametrize("value", [None, ""])
def test_none_that_is_named_is_no_mistake(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    if value is not None:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", value)
    assert says(given) == "is not set"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("127.0.0.1:1", r"no Firestore emulator answers at 127\.0\.0\.1:1\."),
        ("[::1]:1", r"no Firestore emulator answers at \[::1\]:1\."),
        ("127.0.0.1:99999", "no Firestore emulator answers"),
        ("a..b:8080", "no Firestore emulator answers"),
        ("localhost", "'localhost' is no host:port"),
        ("localhost:http", "is no host:port"),
        ("http://localhost:8080", "is no host:port"),
        (" localhost:8080", "is no host:port"),
    ],
)
def test_one_that_is_named_and_can_not_be_used_is_a_mistake(
    monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", value)
    with pytest.raises(BadSetting, match=f"^FIRESTORE_EMULATOR_HOST: .*{said}"), firestore_emulator():
        pass


def test_tests_fail_where_the_one_that_is_named_does_not_answer() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/functions/test_fork.py"]
    environment = {**os.environ, "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    assert "FIRESTORE_EMULATOR_HOST: no Firestore emulator answers at 127.0.0.1:1" in run.stdout
    assert "Traceback" not in run.stdout


# the Cloud SDK -----------------------------------------------------------------------------------


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is the whole PATH, but for what a script needs."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    folder = tmp_path / "sdk" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_a_machine_without_gcloud_or_java(tools: Path) -> None:
    assert says(from_cloud_sdk) == "there is no gcloud on the PATH"
    program(tools, "gcloud", "exit 1")
    assert says(from_cloud_sdk).endswith("gcloud components install cloud-firestore-emulator")
    (tools.parent / JAR).parent.mkdir(parents=True)
    (tools.parent / JAR).touch()
    assert says(from_cloud_sdk).startswith("there is no Java: ")


def test_the_jar_lies_beside_gcloud_or_where_it_says(tools: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    program(tools, "gcloud", f'[ "$1" = info ] && echo {elsewhere}')
    program(tools, "java", 'echo "$@" >&2; exit 1')
    (elsewhere / JAR).parent.mkdir(parents=True)
    (elsewhere / JAR).touch()
    assert f"-cp {elsewhere / JAR} " in says(from_cloud_sdk)
    (tools.parent / JAR).parent.mkdir(parents=True)
    (tools.parent / JAR).touch()
    assert f"-cp {tools.parent / JAR} " in says(from_cloud_sdk)


def test_a_java_that_can_not_run_it_is_quoted(tools: Path) -> None:
    program(tools, "gcloud", "exit 1")
    (tools.parent / JAR).parent.mkdir(parents=True)
    (tools.parent / JAR).touch()
    program(tools, "java", "echo UnsupportedClassVersionError >&2; exit 1")
    assert says(from_cloud_sdk) == "Java can't run the emulator: UnsupportedClassVersionError"
    program(tools, "java", 'case "$*" in *--version) echo emulator 1.2.3;; *) exit 7;; esac')
    assert says(from_cloud_sdk) == "the emulator ended at its start, with exit code 7"


def test_the_java_of_java_home_comes_first(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tools, "gcloud", "exit 1")
    (tools.parent / JAR).parent.mkdir(parents=True)
    (tools.parent / JAR).touch()
    program(tools, "java", "echo the one on the PATH >&2; exit 1")
    monkeypatch.setenv("JAVA_HOME", "")
    assert says(from_cloud_sdk).endswith("the one on the PATH")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    assert says(from_cloud_sdk) == f"JAVA_HOME has no bin/java: {tmp_path / 'jdk'}"
    program(tmp_path / "jdk" / "bin", "java", "echo the one of JAVA_HOME >&2; exit 1")
    assert says(from_cloud_sdk).endswith("the one of JAVA_HOME")


def test_one_that_never_answers_is_given_up_and_ended(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_SECONDS", 0.3)
    program(tools, "gcloud", "exit 1")
    (tools.parent / JAR).parent.mkdir(parents=True)
    (tools.parent / JAR).touch()
    script = 'case "$*" in *--version) echo emulator 1.2.3;; *) echo $$ > {0}; exec /bin/sleep 60;; esac'
    program(tools, "java", script.format(tools / "pid"))
    assert says(from_cloud_sdk) == "the emulator has not answered within 0.3 s"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tools / "pid").read_text()), 0)
