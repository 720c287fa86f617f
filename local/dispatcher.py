"""Delivers the tasks of the durable queue on one machine as Cloud Tasks does, over HTTP.

due ── lease ──> in hand ── POST ──> 2xx: acknowledged, with others, at the next look
                    │          └───> else, or no answer: due again after a back-off
                    └── the process dies: due again when the lease ends

At least once, in no order.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar

from local.callbacks import DEADLINE_SECONDS, NoAnswer, Send
from shared import log
from shared.clock import Clock
from shared.errors import Unavailable
from shared.ports import Task
from shared.times import to_text

LEASE = timedelta(seconds=DEADLINE_SECONDS + 5)
"""How long a task is ours: the longest call, and a short wait before it."""

IDLE_SECONDS = 0.05
"""How often the queue is looked at when nothing is due."""
BUSY_SECONDS = 0.002
"""How soon it is looked at again when there is as much in hand as may be."""
TROUBLE_SECONDS = 1.0
"""How soon it is looked at again when it could not be read."""
STOP_SECONDS = 1.0
"""How long calls that are under way may take at the end."""
QUEUE_NAME = "envctl"

Pause = Callable[[float], bool]
"""Wait so many seconds; True, at once, when it is time to stop."""


class Lease(Protocol):
    """One attempt at a task."""

    @property
    def id(self) -> str:
        """The task's name."""

    @property
    def task(self) -> Task:
        """The call to make."""

    @property
    def attempt(self) -> int:
        """Counts from 1."""

    @property
    def scheduled_for(self) -> datetime:
        """When this attempt was due."""

    @property
    def executions(self) -> int:
        """How many answers below 500 there have been."""

    @property
    def previous_status(self) -> int | None:
        """The last attempt's answer, None when there was none."""


LeaseT = TypeVar("LeaseT", bound=Lease)


class LeasingQueue(Protocol[LeaseT]):
    """The dispatcher's side of a queue."""

    def lease(self, now: datetime, limit: int, lease_for: timedelta) -> Sequence[LeaseT]:
        """Tasks that are due, which are nobody else's for so long."""

    def acknowledge(self, *leases: LeaseT) -> None:
        """The tasks are done."""

    def retry(self, lease: LeaseT, now: datetime, status: int | None) -> datetime | None:
        """The attempt failed; when the next one is due, None when there is none."""


def headers(lease: Lease) -> Mapping[str, str]:
    """What Cloud Tasks says about an attempt."""
    said = {
        "X-CloudTasks-QueueName": QUEUE_NAME,
        "X-CloudTasks-TaskName": lease.id,
        "X-CloudTasks-TaskRetryCount": str(lease.attempt - 1),
        "X-CloudTasks-TaskExecutionCount": str(lease.executions),
        "X-CloudTasks-TaskETA": f"{lease.scheduled_for.timestamp():.6f}",
    }
    if lease.attempt > 1 and lease.previous_status is None:
        said["X-CloudTasks-TaskRetryReason"] = "no answer"
    elif lease.attempt > 1:
        said["X-CloudTasks-TaskPreviousResponse"] = str(lease.previous_status)
        said["X-CloudTasks-TaskRetryReason"] = f"answered {lease.previous_status}"
    return said


class Dispatcher(Generic[LeaseT]):
    """Leases what is due and delivers it with a few threads."""

    def __init__(
        self, queue: LeasingQueue[LeaseT], send: Send, clock: Clock, pause: Pause, threads: int = 3
    ) -> None:
        self._queue = queue
        self._send = send
        self._clock = clock
        self._pause = pause
        self._threads = threads
        self._waiting: SimpleQueue[LeaseT | None] = SimpleQueue()
        self._done: SimpleQueue[LeaseT] = SimpleQueue()
        self._counting = threading.Lock()
        self._in_hand = 0

    def run(self) -> None:
        """Deliver until `pause` says that it is time to stop. What is under way then gets a second."""
        workers = [
            threading.Thread(target=self._work, name=f"dispatcher {number}", daemon=True)
            for number in range(self._threads)
        ]
        for worker in workers:
            worker.start()
        while not self._pause(self.look()):
            pass
        self._give_back()
        for _ in workers:
            self._waiting.put(None)
        give_up_at = time.monotonic() + STOP_SECONDS
        for worker in workers:
            worker.join(max(0.0, give_up_at - time.monotonic()))
        self.acknowledge()

    def look(self) -> float:
        """Lease what the threads can deliver soon; the seconds until it is worth another look."""
        self.acknowledge()
        room = 2 * self._threads - self._in_hand
        if room < self._threads:
            return BUSY_SECONDS
        try:
            leases = self._queue.lease(self._clock(), room, LEASE)
        except Exception as fault:  # noqa: BLE001 - whatever it is, later looks may succeed
            log.write("ERROR", "the queue could not be read", fault=repr(fault))
            return TROUBLE_SECONDS
        with self._counting:
            self._in_hand += len(leases)
        for lease in leases:
            self._waiting.put(lease)
        return 0.0 if len(leases) == room else IDLE_SECONDS

    def deliver(self, lease: LeaseT) -> None:
        """Make the call and tell the queue what became of it."""
        status = reason = None
        try:
            status = self._send(lease.task.path, lease.task.payload, headers(lease))
        except NoAnswer as fault:
            reason = str(fault)
        if status is not None and 200 <= status < 300:
            self._done.put(lease)
            return
        at = self._queue.retry(lease, self._clock(), status)
        log.write(
            "WARNING",
            "task failed",
            task=lease.id,
            path=lease.task.path,
            attempt=lease.attempt,
            status=status,
            reason=reason,
            again_at=at and to_text(at),
        )

    def acknowledge(self) -> None:
        """Tell the queue of all that is done, as one write. What it can't take now it is told again."""
        done = [self._done.get_nowait() for _ in range(self._done.qsize())]
        if not done:
            return
        try:
            self._queue.acknowledge(*done)
        except Exception as fault:  # noqa: BLE001 - at worst the tasks are due again when their leases end
            log.write("ERROR", "tasks could not be acknowledged", fault=repr(fault))
            for lease in done:
                self._done.put(lease)

    def _work(self) -> None:
        while (lease := self._waiting.get()) is not None:
            try:
                self.deliver(lease)
            except Exception as fault:  # noqa: BLE001 - the task is due again when its lease ends
                log.write("ERROR", "delivery failed", task=lease.id, fault=repr(fault))
            finally:
                with self._counting:
                    self._in_hand -= 1

    def _give_back(self) -> None:
        """What no thread has begun is due again soon, for whoever dispatches then."""
        try:
            while (lease := self._waiting.get_nowait()) is not None:
                self._queue.retry(lease, self._clock(), None)
        except Empty:
            pass
        except Unavailable as fault:
            log.write("WARNING", "leases could not be given back; they end", fault=repr(fault))
