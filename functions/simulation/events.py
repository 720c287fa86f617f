"""What falls due, one document after the other, and what becomes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from functions.simulation.turns import Turn
from shared import documents, project_documents
from shared.access import Caller
from shared.domain.timeline import Timeline
from shared.ports import Document, Filter, Order, Query
from shared.reading import fetch
from shared.runtime import Runtime
from shared.settling import Outcome, settle
from shared.times import from_text, to_text

Kind = Literal["project", "environment", "deployment"]


@dataclass(frozen=True, slots=True)
class Event:
    """From a moment on an object has a status."""

    at: datetime
    object: Kind
    id: str
    status: str
    """Or `purged`; for a project `ended` while something is left of it."""
    reason: str | None = None


def settle_next(runtime: Runtime, caller: Caller, turn: Turn, target: datetime) -> list[Event] | None:
    """Settle what is due first, at its own moment; the events that the caller may see.

    None when nothing is due up to the target.
    """
    document = _first_due(runtime, target)
    if document is None:
        return None
    due_at = from_text(document.data["due_at"])
    turn.move(due_at)
    if document.ref.collection == "closed_accounts":
        settle(runtime, document.ref, due_at)
        return []
    if document.ref.collection == "projects":
        return _settle_project(runtime, caller, document, due_at)
    return _settle_environment(runtime, caller, document, due_at)


def _first_due(runtime: Runtime, target: datetime) -> Document | None:
    """The document that is due first of all; of those that are due at the same moment always the same one."""
    due = (Filter("due_at", "<=", to_text(target)),)
    found = [
        document
        for collection in ("environments", "projects", "closed_accounts")
        for document in runtime.store.find(Query(collection, due, Order("due_at"), 1)).documents
    ]
    return min(found, key=lambda document: (document.data["due_at"], document.ref), default=None)


def _settle_project(runtime: Runtime, caller: Caller, document: Document, due_at: datetime) -> list[Event]:
    is_purged = settle(runtime, document.ref, due_at) == Outcome.PURGED
    if caller.user_id not in project_documents.project(document.data).roles:
        return []
    return [Event(due_at, "project", document.ref.id, "purged" if is_purged else "ended")]


def _settle_environment(
    runtime: Runtime, caller: Caller, document: Document, due_at: datetime
) -> list[Event]:
    """Settle it, then see which steps have come since it was committed last."""
    before = documents.environment(document.data)
    unfinished = [item.id for item in before.unfinished]
    outcome = settle(runtime, document.ref, due_at, unfinished)
    project_ref = documents.project_ref(before.project_id)
    refs = [documents.deployment_ref(item) for item in unfinished]
    fetched = fetch(runtime, [project_ref, document.ref, *refs])
    project = fetched.documents.get(project_ref)
    if project is None or caller.user_id not in project_documents.project(project.data).roles:
        return []
    if outcome == Outcome.PURGED:
        return [Event(due_at, "environment", before.id, "purged")]
    events: list[Event] = []
    if document.ref in fetched.documents:
        timeline = documents.environment(fetched.documents[document.ref].data).timeline
        events += _steps("environment", before.id, timeline, before.as_of, fetched.clock_time)
    for ref in refs:
        if ref in fetched.documents:
            timeline = documents.deployment(fetched.documents[ref].data).timeline
            events += _steps("deployment", ref.id, timeline, before.as_of, fetched.clock_time)
    return sorted(events, key=lambda event: event.at)


def _steps(kind: Kind, object_id: str, timeline: Timeline, since: datetime, now: datetime) -> Iterator[Event]:
    """The steps that have come since a moment."""
    for step in timeline:
        if since < step.at <= now:
            yield Event(step.at, kind, object_id, step.status, step.reason)
