"""Google's parts as `local.google` runs them, in the test's hands: to stop, to kill, to look into."""

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import grpc
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from local.google.firestore_emulator import Emulator
from local.google.stack import PROJECT, QUEUE, Stack, Sweep, running, sweeping
from local.http_server import HOST, free_port, listen
from tests.client import Client
from tests.flows.server import wait_until

START_SECONDS = 60


@dataclass
class GoogleStack:
    """A stack that is at work."""

    stack: Stack
    database: str

    @property
    def port(self) -> int:
        return self.stack.port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def client(self, token: str | None = None) -> Client:
        return Client(self.port, token)

    def stored(self, collection: str) -> dict[str, dict[str, Any]]:
        """What is in the database, by id, whatever readers compute from it. Numbers are text."""
        path = f"/v1/projects/{PROJECT}/databases/{self.database}/documents/{collection}"
        found, token = {}, ""
        with closing(HTTPConnection(self.stack.emulator.host, timeout=10)) as connection:
            while token is not None:
                connection.request("GET", f"{path}?pageSize=300&pageToken={token}")
                page = json.load(connection.getresponse())
                for document in page.get("documents", []):
                    fields = document["fields"].items()
                    values = {name: next(iter(value.values())) for name, value in fields}
                    found[document["name"].rpartition("/")[2]] = values
                token = page.get("nextPageToken")
        return found

    def purge_queue(self) -> None:
        """Drop every task, as an operator does it."""
        with grpc.insecure_channel(self.stack.peer_endpoint) as channel:
            CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel)).purge_queue(name=QUEUE)

    @contextmanager
    def without_queue(self) -> Iterator[None]:
        """Cloud Tasks is down for the time of the block: nobody listens."""
        self.stack.peer.kill()
        try:
            yield
        finally:
            self.stack.peer.start()

    @contextmanager
    def with_deaf_queue(self) -> Iterator[None]:
        """Cloud Tasks takes connections, and answers none of them, for the time of the block."""
        self.stack.peer.kill()
        try:
            with socket.create_server((HOST, int(self.stack.peer_endpoint.rpartition(":")[2]))):
                yield
        finally:
            self.stack.peer.start()

    def kill_function(self, name: str) -> None:
        """`kill -9`, server and worker."""
        os.killpg(self.stack.functions[name].pid, signal.SIGKILL)


@contextmanager
def google_stack(emulator: Emulator, home: Path, sweep: Sweep, **settings: str) -> Iterator[GoogleStack]:
    """A stack with a database of its own, mended as its main process would."""
    database = f"t-{os.urandom(8).hex()}"
    with ExitStack() as parts:
        listener = parts.enter_context(closing(listen(free_port())))
        stack = parts.enter_context(running(listener, home, emulator, database, **settings))
        wait_until(stack.is_ready, START_SECONDS, "every part answers")
        parts.enter_context(sweeping(stack, sweep))
        parts.enter_context(_mending(stack))
        yield GoogleStack(stack, database)


@contextmanager
def _mending(stack: Stack) -> Iterator[None]:
    ended = threading.Event()

    def mend() -> None:
        while not ended.wait(0.1):
            stack.functions.mend()

    mending = threading.Thread(target=mend)
    mending.start()
    try:
        yield
    finally:
        ended.set()
        mending.join()
