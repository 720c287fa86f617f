"""While Cloud Tasks can't be reached everything but callbacks goes on, and the sweep makes them up."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from local.google.cloud_tasks import cloud_tasks_peer
from local.google.messages import moment
from shared.adapters import cloud_tasks
from shared.adapters.cloud_tasks import CloudTasksQueue
from shared.adapters.sqlite_queue import RetryConfig
from tests.contract.cloud_tasks_line import ACCOUNT, QUEUE, settings
from tests.functions.api import Api
from tests.functions.doubles import START

REQUEST_SECONDS = 25


@contextmanager
def _nobody() -> Iterator[str]:
    """A port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def _silence() -> Iterator[str]:
    """A port whose listener never says a word."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(100)
        yield f"127.0.0.1:{held.getsockname()[1]}"


def _on(api: Api, endpoint: str) -> CloudTasksQueue:
    queue = CloudTasksQueue(QUEUE, "http://127.0.0.1:1", ACCOUNT, endpoint)
    api.runtime = replace(api.runtime, queue=queue)
    return queue


def _timed(act: Callable[[], object]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


@pytest.fixture(params=[_nobody, _silence], ids=["nobody listens", "nobody answers"])
def outage(request: pytest.FixtureRequest) -> Iterator[str]:
    with request.param() as endpoint:
        yield endpoint


def test_an_outage_fails_no_create_and_no_other_change(
    api: Api, outage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud_tasks, "TRY_SECONDS", 0.2)
    _on(api, outage)
    environment_id = api.environment()
    api.advance(2)
    api.deploy(environment_id)
    assert api.patch(f"/api/v1/environments/{environment_id}", {"name": "x"}).status == 200
    assert api.delete(f"/api/v1/environments/{environment_id}").status == 202
    assert api.status(environment_id) == "deleting"


def test_a_request_waits_7_seconds_at_most_and_the_following_ones_2(
    api: Api, outage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = cloud_tasks.TRIES * cloud_tasks.TRY_SECONDS + 3 * cloud_tasks.PAUSE_SECONDS
    assert longest <= 7 < REQUEST_SECONDS
    monkeypatch.setattr(cloud_tasks, "TRY_SECONDS", 0.4)
    _on(api, outage)
    assert _timed(api.environment) < 3 * 0.4 + 3 * cloud_tasks.PAUSE_SECONDS + 0.5
    assert _timed(api.environment) < 0.4 + 0.3
    with ThreadPoolExecutor(8) as pool:
        assert _timed(lambda: list(pool.map(lambda _: api.environment(), range(8)))) < 0.4 + 1


def test_after_an_outage_the_sweep_makes_up_what_was_not_enqueued(api: Api, tmp_path: Path) -> None:
    with cloud_tasks_peer(tmp_path / "peer", queues=[settings(RetryConfig())], threads=0) as peer:
        port = int(peer.endpoint.rpartition(":")[2])
    _on(api, peer.endpoint)
    environment_id = api.environment()
    api.advance(62.1)
    with cloud_tasks_peer(tmp_path / "peer", port=port, threads=0) as peer:
        deadline = time.monotonic() + 10
        while not peer.queues[QUEUE].list(10) and time.monotonic() < deadline:
            assert api.sweep()["woken"] == 1
        [task] = peer.queues[QUEUE].list(10)
        assert environment_id in task.http_request.body.decode()


def test_a_queue_that_is_not_there_fails_no_create_and_is_not_waited_for(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with cloud_tasks_peer(tmp_path / "peer", threads=0) as peer:
        _on(api, peer.endpoint)
        assert _timed(api.environment) < 1
    assert "Requested entity was not found" in capsys.readouterr().err, "the log says what it was"


def test_the_task_is_the_call_that_cloud_tasks_is_to_make(api: Api, tmp_path: Path) -> None:
    clock = api.clock
    queues = [settings(RetryConfig())]
    with cloud_tasks_peer(tmp_path / "peer", queues=queues, threads=0, clock=clock) as peer:
        _on(api, peer.endpoint)
        environment_id = api.environment()
        [task] = peer.queues[QUEUE].list(10)
    request = task.http_request
    assert (request.url, request.http_method.name) == ("http://127.0.0.1:1/api/v1/tasks/settle", "POST")
    assert dict(request.headers) == {"Content-Type": "application/json"}
    assert environment_id.encode() in request.body
    assert request.oidc_token.service_account_email == ACCOUNT
    assert request.oidc_token.audience == "http://127.0.0.1:1"
    assert str(task.dispatch_deadline) == "0:00:30"
    assert moment(task.schedule_time) == START + timedelta(seconds=2)
