"""The stand-in for Cloud Tasks under Google's own client: queues, retries, and the calls it makes."""

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate
from google.api_core import exceptions
from google.cloud.tasks_v2 import types
from google.protobuf.field_mask_pb2 import FieldMask

from local.google.cloud_tasks import cloud_tasks_peer
from local.google.messages import field_of
from shared.adapters.cloud_tasks import make_client
from shared.adapters.sqlite_queue import RetryConfig
from tests.contract.cloud_tasks_bench import START, Bench, cloud_tasks_bench
from tests.contract.cloud_tasks_line import ACCOUNT, QUEUE, FarEnd, MovedClock, settings

ROOT = Path(__file__).parents[2]
SECOND = timedelta(seconds=1)
PARENT = QUEUE.rpartition("/queues/")[0]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with cloud_tasks_bench(tmp_path / "peer") as made:
        yield made


BAD_QUEUES: dict[str, types.Queue] = {
    "no name": types.Queue(),
    "an id of 101 characters": types.Queue(name=f"{PARENT}/queues/{'x' * 101}"),
    "an id with an underscore": types.Queue(name=f"{PARENT}/queues/a_b"),
    "501 a second": types.Queue(
        name=f"{QUEUE}x", rate_limits=types.RateLimits(max_dispatches_per_second=501)
    ),
    "5,001 at once": types.Queue(
        name=f"{QUEUE}x", rate_limits=types.RateLimits(max_concurrent_dispatches=5_001)
    ),
    "-2 attempts": types.Queue(name=f"{QUEUE}x", retry_config=types.RetryConfig(max_attempts=-2)),
}


@pytest.mark.parametrize("queue", BAD_QUEUES.values(), ids=BAD_QUEUES.keys())
def test_a_queue_beyond_a_limit_is_refused(bench: Bench, queue: types.Queue) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        bench.client.create_queue(parent=PARENT, queue=queue, timeout=5)


def test_queues_are_made_listed_set_and_deleted(bench: Bench) -> None:
    name = f"{PARENT}/queues/{'x' * 100}"
    made = bench.client.create_queue(parent=PARENT, queue=types.Queue(name=name), timeout=5)
    assert made.retry_config.max_attempts == 100
    assert made.rate_limits.max_dispatches_per_second == 500
    with pytest.raises(exceptions.AlreadyExists):
        bench.client.create_queue(parent=PARENT, queue=types.Queue(name=name), timeout=5)
    assert {queue.name for queue in bench.client.list_queues(parent=PARENT, timeout=5)} == {QUEUE, name}
    changed = types.Queue(name=name, retry_config=types.RetryConfig(max_attempts=7, max_doublings=3))
    mask = FieldMask(paths=["retry_config.max_attempts"])
    bench.client.update_queue(queue=changed, update_mask=mask, timeout=5)
    found = bench.client.get_queue(name=name, timeout=5).retry_config
    assert (found.max_attempts, found.max_doublings) == (7, 16)
    bench.create(queue=name)
    bench.client.delete_queue(name=name, timeout=5)
    assert bench.deliver() == []
    with pytest.raises(exceptions.NotFound):
        bench.create(queue=name)


def _retrying(bench: Bench, **fields: Any) -> None:  # noqa: ANN401 - the message's fields
    queue = types.Queue(name=QUEUE, retry_config=types.RetryConfig(**fields))
    bench.client.update_queue(queue=queue, timeout=5)


def _tries(bench: Bench, seconds: int, step: int = 5) -> list[int]:
    bench.status = 500
    bench.create()
    return [second for second in range(0, seconds, step) if bench.deliver(SECOND * (step if second else 0))]


def test_retries_go_by_the_vendors_example(bench: Bench) -> None:
    """RetryConfig.max_doublings: "will retry at 10s, 20s, 40s, 80s, 160s, 240s, 300s, 300s, …"."""
    _retrying(
        bench,
        max_attempts=9,
        min_backoff=field_of(10 * SECOND),
        max_backoff=field_of(300 * SECOND),
        max_doublings=3,
    )
    tries = _tries(bench, 3_000)
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits == [10, 20, 40, 80, 160, 240, 300, 300]


def test_attempts_go_on_without_an_end_when_they_are_unlimited(bench: Bench) -> None:
    _retrying(bench, max_attempts=-1, min_backoff=field_of(10 * SECOND), max_backoff=field_of(10 * SECOND))
    assert len(_tries(bench, 2_000)) == 200


def test_dispatches_keep_to_the_rate(bench: Bench) -> None:
    limits = types.RateLimits(max_dispatches_per_second=2)
    bench.client.update_queue(queue=types.Queue(name=QUEUE, rate_limits=limits), timeout=5)
    for _ in range(10):
        bench.create()
    assert [len(bench.deliver(SECOND)) for _ in range(6)] == [2, 2, 2, 2, 2, 0]


def test_a_call_is_the_tasks_with_the_headers_of_cloud_tasks(bench: Bench) -> None:
    given = {
        "X-Own": "1",
        "User-Agent": "me",
        "X-Google-Foo": "1",
        "X-AppEngine-Foo": "1",
        "X-CloudTasks-QueueName": "x",
    }
    made = bench.create(bench.task({"headers": given}))
    bench.status = 500
    [(path, headers, body)] = bench.deliver()
    assert (path, body) == ("/a?b=c", b"{}")
    assert headers["X-Own"] == "1"
    assert headers["User-Agent"] == "Google-Cloud-Tasks"
    assert headers["Host"] == bench.far_end.url.removeprefix("http://")
    assert not {"X-Google-Foo", "X-AppEngine-Foo", "Authorization"} & set(headers)
    assert headers["X-CloudTasks-QueueName"] == "envctl"
    assert headers["X-CloudTasks-TaskName"] == made.name.rpartition("/")[2]
    assert headers["X-CloudTasks-TaskRetryCount"] == headers["X-CloudTasks-TaskExecutionCount"] == "0"
    assert headers["X-CloudTasks-TaskETA"] == f"{START.timestamp():.6f}"
    [(_, again, _)] = bench.deliver(SECOND)
    assert again["X-CloudTasks-TaskRetryCount"] == "1"
    assert again["X-CloudTasks-TaskPreviousResponse"] == "500"


@pytest.mark.parametrize("audience", ["https://tasks.example.com", ""])
def test_a_token_verifies_with_the_certificates_that_are_served(bench: Bench, audience: str) -> None:
    asked = {"service_account_email": ACCOUNT, "audience": audience}
    bench.create(bench.task({"oidc_token": asked, "headers": {"Authorization": "Bearer mine"}}))
    [(_, headers, _)] = bench.deliver()
    token = headers["Authorization"].removeprefix("Bearer ")
    with urllib.request.urlopen(bench.peer.certificates_url, timeout=5) as answer:  # noqa: S310 - http, our own
        assert answer.headers["Cache-Control"].startswith("public, max-age=")
        certificates = json.load(answer)
    certificate = certificates[jwt.get_unverified_header(token)["kid"]]
    key = load_pem_x509_certificate(certificate.encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    claims = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience=audience or f"{bench.far_end.url}/a?b=c",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["iss"] == "https://accounts.google.com"
    assert (claims["email"], claims["email_verified"]) == (ACCOUNT, True)
    assert claims["exp"] - claims["iat"] == 3_600
    assert claims["iat"] == START.timestamp()


def test_the_key_the_queues_and_the_tasks_outlive_a_restart_on_the_same_port(tmp_path: Path) -> None:
    folder, clock = tmp_path / "peer", MovedClock(START)
    with FarEnd().serving() as far_end:
        with cloud_tasks_peer(folder, queues=[settings(RetryConfig())], threads=0, clock=clock) as first:
            bench = Bench(make_client(first.endpoint), first, far_end, clock)
            bench.create()
        port = int(first.endpoint.rpartition(":")[2])
        with pytest.raises(exceptions.ServiceUnavailable):
            bench.create()
        with cloud_tasks_peer(folder, port=port, threads=0, clock=clock) as second:
            assert second.endpoint == first.endpoint
            assert second.identity.certificates == first.identity.certificates
            bench.peer = second
            assert len(bench.deliver()) == 1


def test_with_its_threads_it_delivers_by_itself_and_tries_again(tmp_path: Path) -> None:
    statuses = [503, 200]
    done = threading.Event()

    def respond(_path: str, _headers: dict[str, str], _body: bytes) -> int:
        if len(statuses) == 1:
            done.set()
        return statuses.pop(0)

    with FarEnd().serving() as far_end, cloud_tasks_peer(tmp_path, queues=[settings(RetryConfig())]) as peer:
        bench = Bench(make_client(peer.endpoint), peer, far_end, MovedClock())
        far_end.respond = respond
        bench.create()
        assert done.wait(10)
        _until(lambda: not peer.queues[QUEUE].list(1))


def _until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def test_as_a_program_it_outlives_its_death_and_ends_at_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.google.cloud_tasks", "--folder", str(tmp_path), "--queue", QUEUE]
    with FarEnd().serving() as far_end:
        arrived = threading.Event()

        def respond(_path: str, _headers: dict[str, str], _body: bytes) -> int:
            arrived.set()
            return 200

        far_end.respond = respond
        first = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert first.stdout
        endpoint = json.loads(first.stdout.readline())["endpoint"]
        task = {"schedule_time": datetime.now(UTC) + 2 * SECOND, "http_request": {"url": far_end.url}}
        make_client(endpoint).create_task({"parent": QUEUE, "task": task}, timeout=5)
        first.kill()
        first.communicate()
        port = endpoint.rpartition(":")[2]
        second = subprocess.Popen([*command, "--port", port], stdout=subprocess.PIPE, cwd=ROOT)
        assert second.stdout
        assert json.loads(second.stdout.readline())["endpoint"] == endpoint
        third = subprocess.run([*command, "--port", port], cwd=ROOT, capture_output=True, check=False)
        assert (third.returncode, b"Traceback" in third.stderr) == (1, False)
        assert arrived.wait(10)
        second.terminate()
        second.communicate(timeout=10)
        assert second.returncode == 0
