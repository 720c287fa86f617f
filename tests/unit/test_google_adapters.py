"""What the adapters for Google Cloud load and when: nothing before their first use."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.adapters import cloud_tasks
from shared.adapters.cloud_tasks import CloudTasksQueue
from shared.errors import Unavailable
from shared.ports import Task
from tests.functions.doubles import START

ROOT = Path(__file__).parents[2]
GOOGLES = {"google.api_core", "google.auth", "google.cloud.tasks_v2", "google.protobuf", "grpc", "proto"}
LIBRARIES = {*GOOGLES, "cryptography", "jwt", "requests"}
CONSTRUCT = """
import json, sys
from shared.adapters.cloud_tasks import CloudTasksQueue
from shared.adapters.oidc import OidcCheck
queue = CloudTasksQueue("projects/p/locations/l/queues/q", "https://tasks", "a@b", None)
check = OidcCheck("https://tasks", frozenset({"a@b"}), "https://certificates")
assert queue.horizon
print(json.dumps(sorted(sys.modules)))
"""


def test_constructing_them_loads_no_library() -> None:
    run = subprocess.run(
        [sys.executable, "-c", CONSTRUCT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert LIBRARIES & set(json.loads(run.stdout)) == set()


def test_threads_that_enqueue_at_once_make_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    make = cloud_tasks.make_client

    def count(endpoint: str | None) -> object:
        made.append(endpoint)
        return make(endpoint)

    monkeypatch.setattr(cloud_tasks, "make_client", count)
    queue = CloudTasksQueue("projects/p/locations/l/queues/q", "https://tasks", "a@b", "127.0.0.1:1")

    def enqueue(_: int) -> None:
        with pytest.raises(Unavailable):
            queue.enqueue(Task("/x", {}, START))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(enqueue, range(16)))
    assert len(made) == 1


def test_without_credentials_the_queue_is_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/at/all.json")
    queue = CloudTasksQueue("projects/p/locations/l/queues/q", "https://tasks", "a@b")
    with pytest.raises(Unavailable):
        queue.enqueue(Task("/x", {}, START))
