"""The real client of Cloud Tasks, a stand-in for the service, and the function that it calls."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from google.cloud.tasks_v2 import types

from local.google.cloud_tasks import Peer, cloud_tasks_peer
from local.google.identity import HOST
from local.google.messages import field_of
from shared.adapters.cloud_tasks import CloudTasksQueue
from shared.adapters.sqlite_queue import RetryConfig
from shared.ports import Task

QUEUE = "projects/a-project/locations/europe-west1/queues/envctl"
ACCOUNT = "tasks@a-project.iam.gserviceaccount.com"

Respond = Callable[[str, dict[str, str], bytes], int | None]
"""What the far end makes of a path, headers and a body: a status, or no answer at all."""


def settings(retry: RetryConfig) -> types.Queue:
    """The suite's queue, retrying so."""
    config = types.RetryConfig(
        max_attempts=retry.max_attempts,
        max_retry_duration=field_of(retry.max_retry_duration),
        min_backoff=field_of(retry.min_backoff),
        max_backoff=field_of(retry.max_backoff),
        max_doublings=retry.max_doublings,
    )
    return types.Queue(name=QUEUE, retry_config=config)


class FarEnd:
    """An HTTP server that answers as it is told."""

    def __init__(self, port: int = 0) -> None:
        self.respond: Respond = lambda _path, _headers, _body: 200
        far_end = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = far_end.respond(self.path, dict(self.headers), body)
                if status is not None:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, port), Handler)
        self.url = f"http://{HOST}:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator["FarEnd"]:
        with self._server:
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
            yield self
            self._server.shutdown()


@dataclass
class MovedClock:
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class CloudTasksLine:
    queue: CloudTasksQueue
    peer: Peer
    far_end: FarEnd
    clock: MovedClock
    firsts: dict[str, datetime] = field(default_factory=dict)
    """When each task was due at first, which only its first attempt says."""

    def deliver(self, now: datetime, answer: Callable[[Task], int | None]) -> list[Task]:
        called: list[Task] = []

        def respond(path: str, headers: dict[str, str], body: bytes) -> int | None:
            due = datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(headers["X-CloudTasks-TaskETA"]))
            at = self.firsts.setdefault(headers["X-CloudTasks-TaskName"], due)
            called.append(Task(path, _json(headers, body), at))
            return answer(called[-1])

        self.clock.now = now
        self.far_end.respond = respond
        self.peer.queues.deliver_due()
        return called


def _json(headers: dict[str, str], body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"].startswith("Bearer ey")
    return json.loads(body)


@contextmanager
def cloud_tasks_line(place: Path, retry: RetryConfig) -> Iterator[CloudTasksLine]:
    clock = MovedClock()
    with FarEnd(_same_port(place)).serving() as far_end:
        _keep_port(place, far_end)
        folder = place / "cloud_tasks"
        with cloud_tasks_peer(folder, queues=[settings(retry)], threads=0, clock=clock) as peer:
            queue = CloudTasksQueue(QUEUE, far_end.url, ACCOUNT, peer.endpoint)
            yield CloudTasksLine(queue, peer, far_end, clock)


def _same_port(place: Path) -> int:
    """The far end's port as before in this place: it stands in the tasks that wait there."""
    file = place / "far_end_port"
    return int(file.read_text()) if file.exists() else 0


def _keep_port(place: Path, far_end: FarEnd) -> None:
    (place / "far_end_port").write_text(far_end.url.rpartition(":")[2])
