"""A stand-in for Cloud Tasks on this machine, which Google's own client talks to over gRPC.

`python -m local.google.cloud_tasks --folder FOLDER --port PORT --certificates-port PORT --queue NAME` serves
until it is told to end. It takes queues and tasks, holds to the documented limits (`task_limits`), delivers
over HTTP with the headers and OIDC tokens of Cloud Tasks, and serves the certificates to verify these with.

It does not run a task by hand, keep to more than 30 s of a dispatch deadline, slow down by itself on errors,
ask IAM, block a deleted queue's name, or serve App Engine.
"""

import argparse
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.cloud.tasks_v2 import types

from local.dispatcher import LEASE, Dispatcher
from local.google.identity import HOST, Identity, certificates_at
from local.google.task_calls import TaskSender
from local.google.task_limits import Refused, check_queue
from local.google.task_queue import TaskQueue, file_of, names_in
from local.google.task_service import handler_of
from local.signals import ENDING, Signals
from shared.adapters.sqlite_queue import Lease
from shared.clock import Clock, SystemClock
from shared.startup import PortTaken, StartupError

THREADS = 8
"""How many calls a queue makes at the same time at most, whatever more its settings allow."""
SERVING_THREADS = 16
STOP_SECONDS = 1.0
"""How long clients' calls that are under way may take at the end."""


class _Line:
    """A queue and the threads that deliver its tasks; none of them: it is delivered step by step."""

    def __init__(self, queue: TaskQueue, identity: Identity, clock: Clock, threads: int) -> None:
        self.queue = queue
        self._clock = clock
        self._stopping = threading.Event()
        # RateLimits: "The maximum number of concurrent tasks that Cloud Tasks allows to be dispatched".
        at_once = min(max(1, threads), queue.settings.rate_limits.max_concurrent_dispatches)
        sender = TaskSender(queue.get, identity, clock)
        self._dispatcher: Dispatcher[Lease] = Dispatcher(queue, sender, clock, self._stopping.wait, at_once)
        self._thread = threading.Thread(target=self._dispatcher.run, daemon=True) if threads else None
        if self._thread:
            self._thread.start()

    def deliver_due(self) -> None:
        """Call with every task that is due, once."""
        for lease in self.queue.lease(self._clock(), 1_000, LEASE):
            self._dispatcher.deliver(lease)
        self._dispatcher.acknowledge()

    def stop(self) -> None:
        """Deliver no more."""
        self._stopping.set()
        if self._thread:
            self._thread.join()


class Queues:
    """See `task_service.Queues`: each in a file of a folder, with its own threads."""

    def __init__(self, folder: Path, identity: Identity, clock: Clock, threads: int) -> None:
        self._folder = folder
        self._identity = identity
        self._clock = clock
        self._threads = threads
        self._changing = threading.Lock()
        self._lines = {name: self._line(TaskQueue(folder, name, clock)) for name in names_in(folder)}

    def _line(self, queue: TaskQueue) -> _Line:
        return _Line(queue, self._identity, self._clock, self._threads)

    def __getitem__(self, name: str) -> TaskQueue:
        try:
            return self._lines[name].queue
        except KeyError:
            raise Refused(grpc.StatusCode.NOT_FOUND, "Requested entity was not found.") from None

    def __contains__(self, name: str) -> bool:
        return name in self._lines

    def __iter__(self) -> Iterator[TaskQueue]:
        return iter([line.queue for line in self._lines.values()])

    def put(self, settings: types.Queue) -> types.Queue:
        """See `task_service.Queues`."""
        check_queue(settings)
        with self._changing:
            line = self._lines.get(settings.name)
            if line is not None:
                line.stop()
            queue = TaskQueue(self._folder, settings.name, self._clock) if line is None else line.queue
            queue.set(settings)
            self._lines[settings.name] = self._line(queue)
        return queue.settings

    def delete(self, name: str) -> None:
        """See `task_service.Queues`."""
        queue = self[name]
        with self._changing:
            self._lines.pop(name).stop()
            queue.close()
            file_of(self._folder, name).unlink()

    def deliver_due(self) -> None:
        """Call with every task that is due, once: of queues that no threads deliver."""
        for line in list(self._lines.values()):
            line.deliver_due()

    def close(self) -> None:
        """Deliver no more, and close the files."""
        for line in self._lines.values():
            line.stop()
            line.queue.close()


@dataclass(frozen=True, slots=True)
class Peer:
    """A stand-in that is serving."""

    endpoint: str
    """host:port of its gRPC service."""
    certificates_url: str
    identity: Identity
    queues: Queues

    def purge(self) -> None:
        """Drop every task of every queue."""
        for queue in self.queues:
            queue.purge()


@contextmanager
def cloud_tasks_peer(
    folder: Path,
    *,
    queues: Sequence[types.Queue] = (),
    port: int = 0,
    certificates_port: int = 0,
    threads: int = THREADS,
    clock: Clock | None = None,
) -> Iterator[Peer]:
    """Serve on this machine for the time of the block; with the same folder later it goes on where it was.

    Ports are free ones unless given. The queues are made, or set anew, if they are not so already.
    Without threads nothing is delivered but by `queues.deliver_due()`.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    time, identity = clock or SystemClock(), Identity(folder)
    kept = Queues(folder, identity, time, threads)
    try:
        for settings in queues:
            kept.put(settings)
        with certificates_at(identity, certificates_port) as url, _serving(kept, port) as endpoint:
            yield Peer(endpoint, url, identity, kept)
    finally:
        kept.close()


@contextmanager
def _serving(queues: Queues, port: int) -> Iterator[str]:
    # Without the option a second one on the port would take half of the calls.
    server = grpc.server(ThreadPoolExecutor(SERVING_THREADS), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((handler_of(queues),))
    try:
        bound = server.add_insecure_port(f"{HOST}:{port}")
    except RuntimeError as fault:
        raise PortTaken(port, "another process listens on it") from fault
    server.start()
    yield f"{HOST}:{bound}"
    server.stop(STOP_SECONDS).wait()


def main() -> int:
    """Serve until it is told to end; says in one line of JSON where. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.google.cloud_tasks")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificates-port", type=int, default=0)
    parser.add_argument("--queue", action="append", default=[], help="projects/…/locations/…/queues/…")
    given = parser.parse_args()
    signals = Signals(*ENDING)
    queues = [types.Queue(name=name) for name in given.queue]
    ports = {"port": given.port, "certificates_port": given.certificates_port}
    try:
        with cloud_tasks_peer(given.folder, queues=queues, **ports) as peer:
            said = {"endpoint": peer.endpoint, "certificates_url": peer.certificates_url}
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()
            signals.next()
    except StartupError as fault:
        sys.stderr.write(f"cloud_tasks: {fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
