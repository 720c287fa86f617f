"""Streams and waits under functions-framework, as the cloud runs a function."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.client import Client
from tests.following import connected, follow
from tests.functions.started import Started, environment, started

NAMES = ("auth", "projects", "environments", "deployments")
SHORT = {"ENVCTL_PROVISIONING_SECONDS": "0.3", "THREADS": "8"}
LONG = {"seconds": 4}
"""A rollout that takes so long that its first entry, if it were held back to the end, would be too late."""
FOLLOWERS = 100
OTHERS = 3
STOP_SECONDS = 5.0
SLOW_SECONDS = 2.5
"""How long a request may take on a busy machine, where one without a thread would wait for a stream's end."""


@dataclass
class Instance:
    """Functions over one data folder, called by one user."""

    home: Path
    functions: dict[str, Started]
    token: str = ""

    def call(self, name: str, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - any JSON value
        with closing(Client(self.functions[name].port, self.token)) as client:
            return client.request(method, f"/api/v1/{name}{path}", **more).body

    def running(self) -> str:
        """A new environment, waited for."""
        project_id = self.call("projects", "POST", "", json={"name": "p"})["id"]
        wanted = {"name": "e", "type": "persistent"}
        opened = self.call("environments", "POST", f"/projects/{project_id}", json=wanted)["id"]
        assert self.call("environments", "GET", f"/{opened}?wait_for=running")["status"] == "running"
        return str(opened)

    def deploy(self, environment_id: str, simulation: object = None) -> str:
        wanted = {"version": "v1", "simulation": simulation}
        made = self.call("deployments", "POST", f"/environments/{environment_id}", json=wanted)
        return str(made["id"])


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home = tmp_path_factory.mktemp("held") / "home"
    with started(NAMES, environment(home, **SHORT)) as functions:
        with closing(Client(functions["auth"].port)) as client:
            client.log_in()
            token = client.token or ""
        yield Instance(home, functions, token)


def test_a_hundred_streams_are_sent_as_they_come_four_at_a_time_and_in_nobodys_way(
    instance: Instance,
) -> None:
    deployment_id, port = instance.deploy(instance.running(), LONG), instance.functions["deployments"].port
    with ThreadPoolExecutor(FOLLOWERS + OTHERS) as pool:
        streams = [pool.submit(follow, port, instance.token, deployment_id) for _ in range(FOLLOWERS)]
        others = [pool.submit(_ask_until_it_has_ended, instance, deployment_id) for _ in range(OTHERS)]
        followed = [stream.result() for stream in streams]
        times = sorted(seconds for other in others for seconds in other.result())
    log = instance.call("deployments", "GET", f"/{deployment_id}/logs")
    for follower, _ in followed:
        assert (follower.entries, follower.end) == (log["entries"], {"status": "succeeded"})
    told_to_come_again = sum(bool(follower.retries) for follower, _ in followed)
    assert 0 < told_to_come_again <= FOLLOWERS - 4
    assert min(latest for _, latest in followed) < LONG["seconds"] - 1, "not held back until the end"
    assert len(times) > 2 * OTHERS
    assert times[int(len(times) * 0.99)] < SLOW_SECONDS


def _ask_until_it_has_ended(instance: Instance, deployment_id: str) -> list[float]:
    """How long each request took."""
    taken: list[float] = []
    with closing(Client(instance.functions["deployments"].port, instance.token)) as client:
        status = ""
        while status != "succeeded":
            began = time.monotonic()
            status = client.request("GET", f"/api/v1/deployments/{deployment_id}").body["status"]
            taken.append(time.monotonic() - began)
            time.sleep(0.02)
    return taken


def test_a_stream_does_not_keep_a_function_from_ending(instance: Instance) -> None:
    environment_id = instance.running()
    slow = environment(instance.home, THREADS="8", ENVCTL_RUNNING_SECONDS="60")
    with started(["deployments"], slow) as functions:
        other = Instance(instance.home, {**instance.functions, **functions}, instance.token)
        deployment_id, function = other.deploy(environment_id), functions["deployments"]
        with connected(function.port, other.token, deployment_id) as stream:
            said = stream.read1(65_536)
            function.process.terminate()
            began = time.monotonic()
            while piece := stream.read1(65_536):
                said += piece
            function.process.wait(STOP_SECONDS)
            assert time.monotonic() - began < STOP_SECONDS
        assert said.endswith(b"retry: 1000\n\n"), "the client comes again, to another instance"
