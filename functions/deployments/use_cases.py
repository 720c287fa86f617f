"""What the deployments function does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from functions.deployments.schemas import DeploymentFilters, NewDeployment
from shared import documents, ids, listing
from shared.access import Caller
from shared.changing import Added, Reading, add_deployment, change_environment
from shared.domain import operations
from shared.domain.aggregate import Aggregate
from shared.domain.deployment import Deployment
from shared.domain.environment import Environment
from shared.errors import NotFound
from shared.http.simulations import rollout
from shared.idempotency import Intent
from shared.ports import Cursor, Document, Filter, Order, Query
from shared.reading import read_environment
from shared.runtime import Runtime

_NEWEST_FIRST = Order("number", descending=True)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of deployments and the moment at which they are shown."""

    deployments: list[Deployment]
    now: datetime
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Canceled:
    """A deployment at a moment, after it was asked to stop."""

    deployment: Deployment
    now: datetime
    is_new: bool
    """Whether it was this request that changed something."""


def create_deployment(
    runtime: Runtime, caller: Caller, environment_id: str, intent: Intent, wanted: NewDeployment
) -> Added:
    """A new deployment.

    Raises EnvironmentNotRunning, Busy, TooManyUnfinished, KeyReused, or InvalidInput for a simulation that
    can't be.
    """

    def ask(aggregate: Aggregate, deployment_id: str, now: datetime) -> Aggregate:
        new = rollout(runtime.settings, deployment_id, intent, wanted.simulation, wanted.version)
        return operations.deploy(aggregate, new, now, wanted.on_conflict)

    return add_deployment(runtime, caller, environment_id, intent, ask)


def cancel_deployment(
    runtime: Runtime, caller: Caller, deployment_id: str, matching: Callable[[Deployment, datetime], None]
) -> Canceled:
    """A deployment stopped, or on its way there.

    Raises NotFound, NotPossible when it has ended, or what `matching` does for what it is now.
    """
    if not ids.is_id("dep", deployment_id):
        raise NotFound("deployment", deployment_id)
    is_new = False

    def require_match(aggregate: Aggregate, now: datetime) -> None:
        item = aggregate.deployment(deployment_id)
        if item is not None:
            matching(item, now)

    def decide(aggregate: Aggregate, now: datetime) -> Aggregate:
        nonlocal is_new
        after = operations.cancel(aggregate, now, deployment_id)
        is_new = after is not aggregate
        return after

    environment_id, ref = ids.environment_of(deployment_id), documents.deployment_ref(deployment_id)
    try:
        reading = Reading([ref], matching=require_match)
        changed = change_environment(runtime, caller, environment_id, decide, reading)
    except NotFound as missing:
        raise NotFound("deployment", deployment_id) from missing
    canceled = changed.aggregate.deployment(deployment_id)
    assert canceled is not None  # noqa: S101 - the operation has found it
    return Canceled(canceled, changed.now, is_new)


def list_deployments(
    runtime: Runtime, caller: Caller, environment_id: str, filters: DeploymentFilters, after: Cursor | None
) -> Listed:
    """A page of an environment's deployments, newest first.

    With a filter by status, unfinished ones are looked at too when the environment is due to be settled.
    """
    seen = read_environment(runtime, caller, environment_id, show_deleted=filters.show_deleted)
    where = [Filter("environment_id", "==", environment_id)]
    if filters.status is not None:
        where.append(Filter("status", "in", tuple(sorted(set(filters.status)))))
    page = runtime.store.find(Query("deployments", tuple(where), _NEWEST_FIRST, filters.page_size, after))
    if filters.status is not None:
        lagging = _lagging(runtime, seen.environment, seen.now)
        page = listing.merge(page, lagging, _NEWEST_FIRST, filters.page_size, after)

    def shown(document: Document) -> Deployment | None:
        item = documents.deployment(document.data)
        return item if filters.status is None or item.status_at(seen.now) in filters.status else None

    return Listed(listing.project(page, shown), seen.now, page.next)


def _lagging(runtime: Runtime, environment: Environment, now: datetime) -> list[Document]:
    """The deployments whose stored status may lag: the unfinished ones of an environment that is due."""
    if environment.due_at is None or environment.due_at > now:
        return []
    refs = [documents.deployment_ref(item.id) for item in environment.unfinished]
    return [document for document in runtime.store.get_many(refs) if document is not None]
