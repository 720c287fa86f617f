"""Settling: carry out what has come due on one document, and ask for the next wake-up.

    task.due_at  ── differs from the document's ──> stale: somebody else moved it on
         │
         ├── equal, not yet due ──────────────────> early: enqueued again; likewise one for `woken_for`
         └── equal and due ───────────────────────> settled (or purged), the next wake-up enqueued; likewise
                                                    one for `woken_for` while the document lags behind it

Idempotent and level-triggered: repetition, reordering, lateness and early arrival are harmless.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum

from shared import documents, durations, ids, listing, project_documents
from shared.changing import Decision, Reading, change_environment, until_committed
from shared.clock import effective_now
from shared.domain import project as projects
from shared.domain.aggregate import Aggregate, replan
from shared.domain.environment import EXPIRED, LIVE, Environment, EnvironmentStatus
from shared.domain.operations import end_environment
from shared.domain.project import Project, Remains
from shared.errors import NotFound
from shared.leaving import desert_projects
from shared.ports import Delete, Document, Order, Page, Query, Ref, Update
from shared.purging import prune, purge
from shared.reading import fetch
from shared.runtime import Runtime
from shared.times import from_text
from shared.waking import wake


class Outcome(StrEnum):
    """What became of a task."""

    SETTLED = "settled"
    STALE = "stale"
    EARLY = "early"
    GONE = "gone"
    PURGED = "purged"
    PURGING = "purging"


def settle(
    runtime: Runtime,
    ref: Ref,
    due_at: datetime,
    deployments: Sequence[str] = (),
    decide: Decision = replan,
) -> Outcome:
    """Settle a document that was due at a moment, according to whoever asks for it.

    The deployments are those that the look will probably read too. `decide` settles the environment.
    """
    if ref.collection == "projects":
        if not ids.is_id("prj", ref.id):
            return Outcome.GONE
        outcome = until_committed(f"Project {ref.id}", lambda: _settle_project(runtime, ref, due_at))
    elif ref.collection == "closed_accounts":
        outcome = until_committed(f"Account {ref.id}", lambda: _settle_closed_account(runtime, ref, due_at))
    else:
        outcome = _settle_environment(runtime, ref, due_at, deployments, decide)
    if outcome in {Outcome.EARLY, Outcome.PURGING}:
        wake(runtime, ref, due_at, runtime.clock(), deployments)
    return outcome


def _judge(
    due_at: datetime, now: datetime, document_due_at: datetime | None, *later: datetime | None
) -> Outcome:
    """What a task for `due_at` is worth when its document is due then, and for certain steps later."""
    if document_due_at is None or due_at not in {document_due_at, *later}:
        return Outcome.STALE
    if now < due_at:
        return Outcome.EARLY
    # Nobody may have looked at an earlier step yet: whoever does, with a clock that is behind, asks for no
    # further wake-up at this moment, so this one must not be used up.
    return Outcome.SETTLED if document_due_at <= due_at else Outcome.STALE


def _settle_environment(
    runtime: Runtime, ref: Ref, due_at: datetime, deployments: Sequence[str], decide: Decision
) -> Outcome:
    outcome = Outcome.GONE

    def is_to_settle(environment: Environment, now: datetime) -> bool:
        nonlocal outcome
        outcome = _judge(due_at, now, environment.due_at, environment.woken_for)
        if outcome == Outcome.SETTLED and environment.purge_at is not None and environment.purge_at <= now:
            outcome = Outcome.PURGING
        return outcome == Outcome.SETTLED

    expected = [documents.deployment_ref(item) for item in deployments]
    reading = Reading(expected, glance=is_to_settle)
    try:
        environment = change_environment(runtime, None, ref.id, decide, reading).aggregate.environment
    except NotFound:
        return Outcome.GONE
    if outcome == Outcome.PURGING and purge(runtime, ref):
        return Outcome.PURGED
    if outcome == Outcome.SETTLED:
        prune(runtime, environment)
    return outcome


def _settle_project(runtime: Runtime, ref: Ref, due_at: datetime) -> Outcome:
    """Carry an ended project's end on: end its environments page by page, look again, purge."""
    fetched = fetch(runtime, [ref])
    document = fetched.documents.get(ref)
    if document is None:
        return Outcome.GONE
    project = project_documents.project(document.data)
    now = effective_now(fetched.clock_time, project.as_of)
    outcome = _judge(due_at, now, project.due_at)
    if outcome != Outcome.SETTLED:
        return outcome
    return _carry_on(runtime, document, project, now)


def _settle_closed_account(runtime: Runtime, ref: Ref, due_at: datetime) -> Outcome:
    """End the projects that an access token has made after its account's end, or leave them to others."""
    fetched = fetch(runtime, [ref])
    document = fetched.documents.get(ref)
    if document is None:
        return Outcome.GONE
    outcome = _judge(due_at, fetched.clock_time, from_text(document.data["due_at"]))
    if outcome != Outcome.SETTLED:
        return outcome
    ended, is_all = desert_projects(runtime, ref.id)
    for project in ended:
        wake(runtime, documents.project_ref(project.id), project.due_at, fetched.clock_time)
    if not is_all:
        return Outcome.PURGING
    runtime.store.commit(Delete(ref, document.version))
    return Outcome.PURGED


def _carry_on(runtime: Runtime, document: Document, project: Project, now: datetime) -> Outcome:
    remains = _end_environments(runtime, project)
    following = projects.carry_on(project, now, remains, durations.tombstone(runtime.settings))
    if following is None:
        runtime.store.commit(Delete(document.ref, document.version))
        return Outcome.PURGED
    runtime.store.commit(Update(document.ref, project_documents.project_data(following), document.version))
    wake(runtime, document.ref, following.due_at, now)
    return Outcome.SETTLED


def _end_environments(runtime: Runtime, project: Project) -> Remains:
    """End a page of the project's environments that are not on their way out."""
    page = _environments(runtime, project, (*LIVE, EXPIRED), limit=100)
    for document in page.documents:
        with suppress(NotFound):  # purged since the page was read
            change_environment(runtime, None, document.ref.id, _end_with_project)
    left = page.documents or _environments(runtime, project, listing.EVERY_STATUS, limit=1).documents
    return Remains(more_to_end=page.next is not None, tombstones=bool(left))


def _end_with_project(aggregate: Aggregate, now: datetime) -> Aggregate:
    """Ended, and settled in any case: what is stored must leave the page that is walked."""
    return replan(end_environment(aggregate, now, "project_deleted"), now)


def _environments(
    runtime: Runtime, project: Project, statuses: Iterable[EnvironmentStatus], limit: int
) -> Page:
    where = listing.environments_of(project.id, statuses)
    return runtime.store.find(Query("environments", where, Order("created_at", descending=True), limit))
