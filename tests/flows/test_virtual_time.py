"""A server with virtual time: a week in a second, at the same moments as ever."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from local.http_server import free_port
from shared.times import from_text, to_text
from tests.client import Client
from tests.flows.conftest import StartServer
from tests.flows.server import Server, run_local, serving, stored, wait_until

CLOCK = "/api/v1/simulation/clock"
ADVANCE = f"{CLOCK}/advance"


VIRTUAL = {
    "ENVCTL_CLOCK": "virtual",
    "ENVCTL_PROVISIONING_SECONDS": "2",
    "ENVCTL_PENDING_SECONDS": "0.5",
    "ENVCTL_RUNNING_SECONDS": "2.5",
    "ENVCTL_DELETING_SECONDS": "2",
}
"""With durations as they are by default."""


def start_virtual(start: StartServer, home: Path) -> Server:
    return start(home, None, healthy=True, **VIRTUAL)


@pytest.fixture
def virtual(start: StartServer, tmp_path: Path) -> Server:
    return start_virtual(start, tmp_path / "home")


@pytest.fixture
def client(virtual: Server) -> Iterator[Client]:
    with closing(virtual.client()) as client:
        client.log_in()
        yield client


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests that leave it running."""
    with serving(tmp_path_factory.mktemp("home"), VIRTUAL) as server:
        yield server
        code, _, errors = server.end()
        assert (code, errors) == (0, "")


@pytest.fixture
def guest(lasting: Server) -> Iterator[Client]:
    with closing(lasting.client()) as client:
        client.log_in()
        yield client


def advance(client: Client, **body: str) -> list[tuple[str, str, str]]:
    """What happened: when, to what, and what it is from then on."""
    answer = client.request("POST", ADVANCE, json=body)
    assert (answer.status, answer.body["complete"]) == (200, True), answer
    return [(event["at"], event["object"], event["status"]) for event in answer.body["settled"]]


def open_environment(client: Client, hours: float = 24) -> str:
    project = client.create("/api/v1/projects", name="p")["id"]
    path = f"/api/v1/environments/projects/{project}"
    return str(client.create(path, name="e", type="ephemeral", ttl_hours=hours)["id"])


def test_a_week_passes_in_a_moment(virtual: Server, client: Client) -> None:
    began, at = time.monotonic(), from_text(client.request("GET", CLOCK).body["now"])
    environment = open_environment(client)
    path, deploying = f"/api/v1/environments/{environment}", f"/api/v1/deployments/environments/{environment}"

    def after(**length: float) -> str:
        return to_text(at + timedelta(**length))

    def show() -> Any:  # noqa: ANN401 - any JSON object
        return client.request("GET", f"{path}?show_deleted=true").body

    assert advance(client, by="PT2S") == [(after(seconds=2), "environment", "running")]
    for version in ("v1", "v2"):
        client.create(deploying, version=version)
        assert [what for _, *what in advance(client, by="PT3S")] == [
            ["deployment", "running"],
            ["deployment", "succeeded"],
        ]
        assert show()["active_deployment"]["version"] == version
    client.create(f"{path}/rollback")
    assert advance(client, by="PT1H")[-1] == (after(seconds=11), "deployment", "succeeded")
    assert show()["active_deployment"]["version"] == "v1"
    extended = client.request("POST", f"{path}/extend", json={"hours": 48}).body
    assert extended["expires_at"] == after(hours=49, seconds=8)
    assert advance(client, to=after(hours=49, seconds=7.999999)) == []
    assert show()["status"] == "running"
    assert advance(client, by="PT0.000001S") == [(extended["expires_at"], "environment", "expired")]
    restored = client.request("POST", f"{path}/restore", json={"hours": 24}).body
    assert (restored["status"], restored["expires_at"]) == ("running", after(hours=73, seconds=8))
    assert advance(client, by="P3D") == [
        (after(hours=73, seconds=8), "environment", "expired"),
        (after(hours=74, seconds=8), "environment", "deleting"),
        (after(hours=74, seconds=10), "environment", "deleted"),
    ]
    assert client.request("GET", path).status == 404
    assert show()["status"] == "deleted"
    purged_at = after(days=7, hours=74, seconds=10)
    assert advance(client, by="P7D") == [(purged_at, "environment", "purged")]
    assert client.request("GET", f"{path}?show_deleted=true").status == 404
    assert {**virtual.stored("environments"), **virtual.stored("deployments")} == {}
    assert client.request("GET", CLOCK).body["now"] == after(days=12, hours=1, seconds=8)
    assert time.monotonic() - began < 10, "alone on a machine it takes a fraction of a second"


def test_a_wait_is_answered_at_once_because_nothing_happens_meanwhile(guest: Client) -> None:
    path = f"/api/v1/environments/{open_environment(guest)}?wait_for=running&timeout=20"
    began = time.monotonic()
    assert guest.request("GET", path).body["status"] == "provisioning"
    assert time.monotonic() - began < 10
    advance(guest, by="PT2S")
    assert guest.request("GET", path).body["status"] == "running"


def test_no_task_is_queued(lasting: Server, guest: Client) -> None:
    open_environment(guest)
    with closing(sqlite3.connect(f"file:{lasting.home / 'envctl.db'}?mode=ro", uri=True)) as database:
        assert database.execute("SELECT count(*) FROM tasks").fetchall() == [(0,)]


def test_it_says_that_time_is_virtual_and_how_to_advance_it(lasting: Server) -> None:
    output = lasting.welcome()
    assert "Time is virtual" in output
    assert f"curl -s {lasting.url}{ADVANCE}" in output


def test_the_clock_outlasts_the_server(start: StartServer, virtual: Server, client: Client) -> None:
    environment = open_environment(client)
    advance(client, by="P1D")
    before = client.request("GET", CLOCK).body
    virtual.end()
    with closing(start_virtual(start, virtual.home).client()) as again:
        again.log_in()
        assert again.request("GET", CLOCK).body == before
        assert again.request("GET", f"/api/v1/environments/{environment}").body["status"] == "expired"


def test_what_a_killed_advance_left_is_made_up(start: StartServer, virtual: Server, client: Client) -> None:
    project = client.create("/api/v1/projects", name="p")["id"]
    path = f"/api/v1/environments/projects/{project}"
    made = [client.create(path, name="e", type="ephemeral", ttl_hours=1)["id"] for _ in range(200)]
    began_at = from_text(client.request("GET", CLOCK).body["now"])
    target = to_text(began_at + timedelta(hours=3))
    advancing = Thread(target=_advance, args=(virtual.client(client.token), target))
    advancing.start()

    def some_have_expired() -> bool:
        statuses = {one["status"] for one in virtual.stored("environments").values()}
        return "expired" in statuses

    wait_until(some_have_expired, 30, "it is in the middle")
    virtual.end(signal.SIGKILL)
    advancing.join()
    with closing(start_virtual(start, virtual.home).client()) as again:
        again.log_in()
        stood_at = from_text(again.request("GET", CLOCK).body["now"])
        assert began_at < stood_at < from_text(target)
        due = {one["due_at"] for one in stored(virtual.home, "environments").values()}
        assert min(map(from_text, due)) >= stood_at
        while not again.request("POST", ADVANCE, json={"to": target}).body["complete"]:
            pass
        assert again.request("GET", CLOCK).body["now"] == target
    lives = [one["timeline"] for one in stored(virtual.home, "environments").values()]
    assert {one["status"] for one in stored(virtual.home, "environments").values()} == {"deleted"}
    assert len(lives) == len(made)
    for steps in lives:
        lengths = [from_text(step["at"]) - from_text(steps[0]["at"]) for step in steps]
        assert [length.total_seconds() for length in lengths] == [0, 2, 3_600, 7_200, 7_202]


def _advance(client: Client, target: str) -> None:
    with closing(client), suppress(OSError, HTTPException):
        client.request("POST", ADVANCE, json={"to": target})


@pytest.mark.parametrize(("first", "then"), [("virtual", "real"), ("real", "virtual")])
def test_a_folder_of_the_other_clock_is_refused_in_a_line(
    start: StartServer, tmp_path: Path, first: str, then: str
) -> None:
    server = start(tmp_path, ENVCTL_CLOCK=first)
    with closing(server.client()) as client:
        client.log_in()
        open_environment(client)
    server.end()
    status, output, errors = refused(tmp_path, ENVCTL_CLOCK=then)
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert f"has run on {'a' if first == 'virtual' else 'the'} {first} clock" in errors
    assert str(tmp_path) in errors


def test_on_googles_parts_time_is_real(tmp_path: Path) -> None:
    status, output, errors = refused(tmp_path, "local.google", ENVCTL_CLOCK="virtual")
    assert (status, output, errors.count("\n")) == (1, "", 1)
    assert errors.startswith("envctl: ENVCTL_CLOCK: ")


def refused(home: Path, module: str = "local", **settings: str) -> tuple[int, str, str]:
    process = run_local(home, free_port(), settings, module)
    output, errors = process.communicate(timeout=30)
    return process.returncode, output, errors
