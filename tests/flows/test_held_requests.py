"""Streams and waits over real connections: at once, many of them, and in nobody's way."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPException
from itertools import count
from pathlib import Path

import pytest

from tests.client import Client
from tests.events import is_gapless
from tests.flows.conftest import StartServer
from tests.flows.google_stack import GoogleStack
from tests.flows.outage import in_project
from tests.flows.server import Server, processes, wait_until
from tests.following import connected, finds_a_place, follow

FOLLOWERS = 100
OTHERS = 4
STOP_SECONDS = 5.0
SLOW_SECONDS = 2.5
"""How long a request may take on a busy machine, where one without a thread would wait for a stream's end."""
LONG = {"seconds": 5}
"""A rollout that takes so long that its first entry, if it were held back to the end, would be too late."""
LATE_SECONDS = 3.0
"""How late an entry may be on a busy machine."""


def running_environment(client: Client) -> str:
    """A new one that runs, waited for as users do."""
    opened = client.create(in_project(client), name="e", type="persistent")
    shown = client.request("GET", f"/api/v1/environments/{opened['id']}?wait_for=running")
    assert (shown.status, shown.body["status"]) == (200, "running")
    return str(opened["id"])


def deploy(client: Client, environment_id: str, simulation: object = None) -> str:
    target = f"/api/v1/deployments/environments/{environment_id}"
    return str(client.create(target, version="v1", simulation=simulation)["id"])


def test_a_hundred_streams_are_in_nobodys_way(start: StartServer, tmp_path: Path) -> None:
    server = start(tmp_path, ENVCTL_RUNNING_SECONDS="3", ENVCTL_WORKERS="2")
    with closing(server.client()) as client:
        environment_id = running_environment(client)
        token, deployment_id = client.token or "", deploy(client, environment_id)
        with ThreadPoolExecutor(FOLLOWERS + OTHERS) as pool:
            asked = (server, token, environment_id, deployment_id)
            others = [pool.submit(ask_until, *asked) for _ in range(OTHERS)]
            streams = [pool.submit(follow, server.port, token, deployment_id) for _ in range(FOLLOWERS)]
            followed = [stream.result() for stream in streams]
            times = sorted(seconds for other in others for seconds in other.result())
        log = client.request("GET", f"/api/v1/deployments/{deployment_id}/logs").body
    assert log["complete"]
    assert is_gapless(log["entries"])
    for follower, _ in followed:
        assert (follower.entries, follower.end) == (log["entries"], {"status": "succeeded"})
    told_to_come_again = sum(bool(follower.retries) for follower, _ in followed)
    assert 0 < told_to_come_again < FOLLOWERS, "some find no place, and others do"
    assert len(times) > 20
    assert times[int(len(times) * 0.99)] < SLOW_SECONDS


def ask_until(server: Server, token: str, environment_id: str, deployment_id: str) -> list[float]:
    """Ask and write until the deployment has ended; how long each request took."""
    taken, deployment = [], ""
    with closing(server.client(token)) as client:
        for number in count():
            began = time.monotonic()
            shown = client.request("GET", f"/api/v1/deployments/{deployment_id}")
            name = {"name": f"e{number}"}
            changed = client.request("PATCH", f"/api/v1/environments/{environment_id}", json=name)
            taken.append((time.monotonic() - began) / 2)
            assert (shown.status, changed.status) == (200, 200)
            deployment = shown.body["status"]
            if deployment == "succeeded":
                break
    return taken


def test_entries_are_sent_at_once(server: Server) -> None:
    with closing(server.client()) as client:
        deployment_id = deploy(client, running_environment(client), LONG)
        follower, latest = follow(server.port, client.token or "", deployment_id)
    assert follower.end == {"status": "succeeded"}
    assert latest < LATE_SECONDS


def test_who_goes_away_leaves_a_free_place(start: StartServer, tmp_path: Path) -> None:
    """Within seconds: long before the next heartbeat would tell."""
    server = start(tmp_path, ENVCTL_RUNNING_SECONDS="600", ENVCTL_WORKERS="1", ENVCTL_HELD_REQUESTS="1")
    with closing(server.client()) as client:
        deployment_id = deploy(client, running_environment(client))
        token = client.token or ""
    with connected(server.port, token, deployment_id) as response:
        assert response.read1(65_536) == b":\n\n"
        # A stream takes its place when it first has nothing to say.
        wait_until(lambda: not finds_a_place(server.port, token, deployment_id), 5, "the place is taken")
    wait_until(lambda: finds_a_place(server.port, token, deployment_id), 5, "the place is free")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_held_requests_do_not_keep_the_server_from_ending(
    start: StartServer, tmp_path: Path, number: signal.Signals
) -> None:
    server = start(tmp_path, ENVCTL_RUNNING_SECONDS="600")
    with closing(server.client()) as client:
        environment_id = running_environment(client)
        deployment_id, token = deploy(client, environment_id), client.token or ""
    pids = server.pids()
    with ExitStack() as held, ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            held.enter_context(connected(server.port, token, deployment_id)).read1(65_536)
        path = f"/api/v1/environments/{environment_id}?wait_for=deleted"
        waits = [pool.submit(outcome_of, server, token, path) for _ in range(4)]
        wait_until(lambda: all(wait.running() for wait in waits), 5, "they wait")
        began = time.monotonic()
        os.killpg(server.process.pid, number)  # as a terminal's Ctrl-C: the whole group
        code, _, errors = server.end(number)
        assert time.monotonic() - began < STOP_SECONDS
        assert {wait.result(5) for wait in waits} <= {"200", "cut off"}
    assert (code, errors) == (0, "")
    assert not set(pids) & set(processes())


def outcome_of(server: Server, token: str, path: str) -> str:
    with closing(server.client(token)) as client:
        try:
            return str(client.request("GET", path).status)
        except (OSError, HTTPException):
            return "cut off"


@pytest.mark.google
def test_googles_parts_send_at_once_and_let_others_through(google: GoogleStack) -> None:
    with closing(google.client()) as client:
        environment_id = running_environment(client)
        token, deployment_id = client.token or "", deploy(client, environment_id, LONG)
        with ThreadPoolExecutor(12) as pool:
            streams = [pool.submit(follow, google.port, token, deployment_id) for _ in range(12)]
            wait_until(lambda: wait_for_end(client, deployment_id) == "succeeded", 20, "it has ended")
            followed = [stream.result() for stream in streams]
        log = client.request("GET", f"/api/v1/deployments/{deployment_id}/logs").body
    for follower, _ in followed:
        assert (follower.entries, follower.end) == (log["entries"], {"status": "succeeded"})
    assert min(latest for _, latest in followed) < LATE_SECONDS
    assert 0 < sum(bool(follower.retries) for follower, _ in followed) < 12, "some find a place, some don't"


def wait_for_end(client: Client, deployment_id: str) -> str:
    """With which status a wait is answered, whether or not it has found a place."""
    shown = client.request("GET", f"/api/v1/deployments/{deployment_id}?wait_for=terminal")
    assert shown.status == 200
    return str(shown.body["status"])
