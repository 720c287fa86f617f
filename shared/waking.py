"""Asking for the next look at a document: after the commit, and never as what decides anything."""

from collections.abc import Sequence
from datetime import datetime

from shared import documents, log
from shared.domain.aggregate import Aggregate
from shared.domain.timeline import next_at
from shared.errors import Unavailable
from shared.ports import Ref, Task
from shared.runtime import Runtime
from shared.times import to_text

SETTLE_PATH = "/api/v1/tasks/settle"
SWEEP_PATH = "/api/v1/tasks/sweep"


def wake_environment(runtime: Runtime, aggregate: Aggregate, now: datetime) -> None:
    """Ask for a look at an environment when it is due, naming the deployments that it is due for."""
    environment = aggregate.environment
    due = [
        item.id
        for item in aggregate.deployments
        if next_at(item.timeline, environment.as_of) == environment.due_at
    ]
    wake(runtime, documents.environment_ref(environment.id), environment.due_at, now, due)


def wake(
    runtime: Runtime,
    ref: Ref,
    due_at: datetime | None,
    now: datetime,
    deployments: Sequence[str] = (),
    *,
    repair: bool = False,
) -> None:
    """Ask for a look at a document when it is due. A queue that is down is no error: the sweep covers it.

    Nor is a moment beyond the queue's horizon: the sweep asks once it lies within. The deployments are
    those that the look will probably read too. A repair stands in for a wake-up that got lost.
    """
    horizon = runtime.queue.horizon
    if due_at is not None and (horizon is None or due_at <= now + horizon):
        payload = {"collection": ref.collection, "id": ref.id, "due_at": to_text(due_at)}
        more: dict[str, object] = {"deployments": list(deployments)} if deployments else {}
        more |= {"repair": True} if repair else {}
        enqueue(runtime, Task(SETTLE_PATH, {**payload, **more}, due_at))


def enqueue(runtime: Runtime, task: Task) -> None:
    """Enqueue a task after its commit. A queue that is down is logged and no error: the sweep covers it."""
    try:
        runtime.queue.enqueue(task)
    except Unavailable as fault:
        log.write(
            "WARNING",
            "enqueue failed; the sweep makes it up",
            error=str(fault),
            cause=fault.__cause__,
            **task.payload,
        )
