"""Google's client of Cloud Tasks, the stand-in, what it calls, and a clock to move."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from google.cloud.tasks_v2 import CloudTasksClient, types

from local.google.cloud_tasks import Peer, cloud_tasks_peer
from shared.adapters.cloud_tasks import make_client
from shared.adapters.sqlite_queue import RetryConfig
from tests.contract.cloud_tasks_line import QUEUE, FarEnd, MovedClock, settings

START = datetime(2026, 1, 1, tzinfo=UTC)
Call = tuple[str, dict[str, str], bytes]
"""A path, headers and a body."""


class Bench:
    """A client, the stand-in, what it calls, and the clock."""

    def __init__(self, client: CloudTasksClient, peer: Peer, far_end: FarEnd, clock: MovedClock) -> None:
        self.client, self.peer, self.far_end, self.clock = client, peer, far_end, clock
        self.calls: list[Call] = []
        self.status: int | None = 200
        far_end.respond = self._respond

    def _respond(self, path: str, headers: dict[str, str], body: bytes) -> int | None:
        self.calls.append((path, headers, body))
        return self.status

    def task(self, request: dict[str, Any] | None = None, **fields: Any) -> types.Task:  # noqa: ANN401
        http = {"url": f"{self.far_end.url}/a?b=c", "body": b"{}", **(request or {})}
        return types.Task({"http_request": http, **fields})

    def create(self, task: types.Task | None = None, queue: str = QUEUE) -> types.Task:
        made = self.client.create_task(parent=queue, task=self.task() if task is None else task, timeout=5)
        assert isinstance(made, types.Task)
        return made

    def deliver(self, after: timedelta = timedelta(0)) -> list[Call]:
        self.clock.now += after
        self.calls.clear()
        self.peer.queues.deliver_due()
        return list(self.calls)


@contextmanager
def cloud_tasks_bench(folder: Path) -> Iterator[Bench]:
    clock, queues = MovedClock(START), [settings(RetryConfig())]
    with (
        FarEnd().serving() as far_end,
        cloud_tasks_peer(folder, queues=queues, threads=0, clock=clock) as peer,
    ):
        yield Bench(make_client(peer.endpoint), peer, far_end, clock)
