"""The audit: who did what, when, from where, and what became of it.

    a change  ──> its first commit carries the event too: both are there, or neither
    a refusal ──> the event is written by itself, if it can be, and not oftener than it is useful

Reads leave none, nor do requests that change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shared import documents, ids, log
from shared.domain.event import Event, Outcome
from shared.errors import EnvctlError
from shared.ports import Create, Data, Delete, Document, Page, Query, Ref, Store, Write
from shared.runtime import Runtime
from shared.times import from_text, to_text

REFUSALS_PER_MINUTE = 60
"""How many refusals a process writes down per caller, or per address of callers that it doesn't know."""
OUTSIDERS_PER_MINUTE = 6
"""How many of them a process shows to a project's owners, of callers who don't see what they asked for: an
owner learns that somebody tries, and nobody, however many accounts he has, can bury what else happened."""

_PERSONAL = {"users", "sessions"}
"""The collections whose documents tell of a user."""
_OUTSIDE = {"not_found", "unauthenticated"}
"""What who isn't known, or doesn't see the object, is answered."""


def event_data(event: Event, days: int) -> Data:
    """An event as a document, which the database removes so many days later."""
    return {
        "id": event.id,
        "at": to_text(event.at),
        "actor_id": event.actor_id,
        "api_token_id": event.api_token_id,
        "action": event.action,
        "outcome": str(event.outcome),
        "code": event.code,
        "project_id": event.project_id,
        "object_id": event.object_id,
        "request_id": event.request_id,
        "address": event.address,
        "ttl_at": to_text(event.at + timedelta(days=days)),
    }


def event(data: Data) -> Event:
    """The event of a document."""
    return Event(
        id=data["id"],
        at=from_text(data["at"]),
        actor_id=data["actor_id"],
        api_token_id=data["api_token_id"],
        action=data["action"],
        outcome=Outcome(data["outcome"]),
        code=data["code"],
        project_id=data["project_id"],
        object_id=data["object_id"],
        request_id=data["request_id"],
        address=data["address"],
    )


@dataclass(slots=True)
class Audit:
    """One request's line."""

    event: Event
    is_written: bool = False


def unaudited(store: Store) -> Store:
    """The store for what is written down because a request is refused: that has an event of its own."""
    return store.inner if isinstance(store, AuditedStore) else store


def apart(store: Store, project_id: str, object_id: str) -> Store:
    """The store for what a request does to a project beside what it is for.

    Its first commit carries an event of its own, which the project's owners see.
    """
    return store.apart(project_id, object_id) if isinstance(store, AuditedStore) else store


class AuditedStore:
    """A store in which a request's first commit carries its event."""

    def __init__(self, inner: Store, audit: Audit, days: int) -> None:
        self.inner = inner
        self._audit = audit
        self._days = days

    def apart(self, project_id: str, object_id: str) -> "AuditedStore":
        """One with an event of its own."""
        event = replace(self._audit.event, id=ids.new_event_id(), project_id=project_id, object_id=object_id)
        return AuditedStore(self.inner, Audit(event), self._days)

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        """See the port, here as below."""
        return self.inner.get(ref, within)

    def get_many(self, refs: Sequence[Ref]) -> list[Document | None]:
        """As it is."""
        return self.inner.get_many(refs)

    def find(self, query: Query) -> Page:
        """As it is."""
        return self.inner.find(query)

    def count(self, query: Query) -> int:
        """As it is."""
        return self.inner.count(query)

    def commit(self, *writes: Write) -> None:
        """Commit the writes, the first of a request with its event behind them."""
        if self._audit.is_written:
            self.inner.commit(*writes)
            return
        event = _told_by(writes, self._audit.event)
        self.inner.commit(*writes, Create(documents.event_ref(event.id), event_data(event, self._days)))
        self._audit.is_written = True


def _told_by(writes: Sequence[Write], event: Event) -> Event:
    """The event with what only its writes tell: what was made, who was added, and who signed in."""
    made = next((one.data.get("id") for one in writes if isinstance(one, Create)), None)
    users = [*filter(None, map(_user_in, writes))]
    actor_id = event.actor_id or next(iter(users), None)
    added = next((user_id for user_id in users if user_id != actor_id), None)
    return replace(
        event,
        actor_id=actor_id,
        object_id=made or added or event.object_id,
        project_id=event.project_id or project_in(made),
    )


def _user_in(write: Write) -> str | None:
    """The user whose account or session is written."""
    if write.ref.collection not in _PERSONAL:
        return None
    name = write.ref.id if isinstance(write, Delete) else str(write.data.get("id"))
    if ids.is_id("usr", name):
        return name
    return ids.user_of(name) if ids.is_id("ses", name) else None


def project_in(object_id: str | None) -> str | None:
    """The project that an object belongs to, or is."""
    is_below = object_id is not None and any(ids.is_id(kind, object_id) for kind in ("prj", "env", "dep"))
    return ids.project_of(object_id) if object_id is not None and is_below else None


def _told_to_owners(runtime: Runtime, event: Event) -> Event:
    """The event, without its project if the owners have been told of enough outsiders for now."""
    if event.project_id is None or event.code not in _OUTSIDE:
        return event
    key = "outsiders", event.project_id
    if runtime.buckets.wait(key, OUTSIDERS_PER_MINUTE, event.at) > timedelta(0):
        return replace(event, project_id=None)
    runtime.buckets.add(key, OUTSIDERS_PER_MINUTE, event.at)
    return event


def note_refusal(runtime: Runtime, event: Event) -> None:
    """Write a refusal down, best effort: never so often that it does harm, and no fault is one."""
    key, now = ("refusals", event.actor_id or event.address), event.at
    if runtime.buckets.wait(key, REFUSALS_PER_MINUTE, now) > timedelta(0):
        return
    runtime.buckets.add(key, REFUSALS_PER_MINUTE, now)
    event = _told_to_owners(runtime, event)
    try:
        runtime.store.commit(
            Create(documents.event_ref(event.id), event_data(event, runtime.settings.audit_days))
        )
    except EnvctlError as fault:
        log.write("WARNING", "a refusal is not in the audit", request_id=event.request_id, fault=str(fault))
