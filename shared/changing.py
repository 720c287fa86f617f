"""Changing documents: read, decide, commit under the versions that were read, then enqueue.

    read ── decide ── commit ──────────────── enqueue the wake-up for due_at
      ^                  │ conflict              │ lost? the document says due_at,
      └──────────────────┘                       └ and the sweep makes it up

Decisions are pure functions of an aggregate and a moment. Every commit settles.
"""

import itertools
import random
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from shared import documents, ids, project_documents
from shared.access import Caller, visible_project
from shared.clock import effective_now
from shared.domain.aggregate import Aggregate, needs_wake, replan
from shared.domain.deployment import Deployment
from shared.domain.environment import Environment
from shared.domain.project import Project
from shared.errors import AlreadyExists, Conflict, Contended, NotFound
from shared.idempotency import Intent
from shared.ports import Create, Data, Document, Ref, Update, Write
from shared.reading import fetch, refuse_deleted
from shared.runtime import Runtime
from shared.waking import wake_environment

RETRY_SECONDS = 10.0

T = TypeVar("T")
Decision = Callable[[Aggregate, datetime], Aggregate]
Glance = Callable[[Environment, datetime], bool]
"""Whether an environment alone leaves anything to decide; if not, its deployments aren't read."""
Beside = Callable[[Environment, datetime], Sequence[str]]
"""Which deployments a decision looks at besides the unfinished ones."""


Matching = Callable[[Aggregate, datetime], None]
"""Raises PreconditionFailed for what is not as the client believes."""


def anything(_aggregate: Aggregate, _now: datetime) -> None:
    """Whatever there is will do."""


def nothing_beside(_environment: Environment, _now: datetime) -> Sequence[str]:
    """Unfinished deployments are all that a decision looks at."""
    return ()


def until_committed(what: str, attempt: Callable[[], T]) -> T:
    """What the attempt returns, tried again with full-jitter back-off while others win, for 10 s."""
    give_up_at = time.monotonic() + RETRY_SECONDS
    pause = 0.002
    while True:
        try:
            return attempt()
        except (Conflict, AlreadyExists) as lost:
            if time.monotonic() + pause > give_up_at:
                raise Contended(what) from lost
        time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter is no secret
        pause = min(pause * 2, 0.5)


@dataclass(frozen=True, slots=True)
class Created:
    """What is in a document's place after it was to be created."""

    data: Data
    is_new: bool
    """Whether it is certain that this create made it. What was there before may be ours too, from an
    attempt that got through although it reported a conflict: then the data are equal."""


def create(runtime: Runtime, ref: Ref, data: Data, what: str) -> Created:
    """Create a document where there is none."""

    def attempt() -> Created:
        try:
            runtime.store.commit(Create(ref, data))
        except AlreadyExists:
            existing = runtime.store.get(ref)
            if existing is None:  # deleted in between
                raise
            return Created(existing.data, is_new=False)
        return Created(data, is_new=True)

    return until_committed(what, attempt)


@dataclass(frozen=True, slots=True)
class Changed:
    """An aggregate as it was committed, and the moment."""

    aggregate: Aggregate
    now: datetime
    is_repeat: bool = False
    """Whether an earlier request with the same idempotency key has done it."""


@dataclass(frozen=True, slots=True)
class Added:
    """A new deployment at a moment."""

    deployment: Deployment
    now: datetime
    is_repeat: bool
    """Whether an earlier request with the same idempotency key has added it."""


@dataclass(frozen=True, slots=True)
class _Read:
    environment: Environment
    documents: dict[Ref, Document]
    """What has been read so far."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """What a change reads beside its environment, that one's project and its unfinished deployments."""

    expecting: Sequence[Ref] = ()
    """Deployments that are probably unfinished, or are to be looked at: read in the same call."""
    beside: Beside = nothing_beside
    """Names further ones, once the environment is known: read with what is unfinished."""
    glance: Glance = lambda _environment, _now: True
    """Where it says no, nothing more is read, and nothing is decided."""
    adding: Ref | None = None
    """The deployment that the decision adds. Should it be there already, the aggregate is answered with
    it, and nothing is done twice: an attempt may have got through although it reported a conflict."""
    is_repeatable: bool = False
    """Whether an earlier request may have added it: then it is looked for from the first attempt on."""
    matching: Matching = anything
    """Asked at every attempt before the decision."""


def change_environment(
    runtime: Runtime,
    caller: Caller | None,
    environment_id: str,
    decide: Decision,
    reading: Reading = Reading(),
) -> Changed:
    """Carry a decision out on an environment and its unfinished deployments, as one commit.

    A caller must be able to see the environment; None is the platform itself.
    """
    if not ids.is_id("env", environment_id):
        raise NotFound("environment", environment_id)
    refs = [*reading.expecting, *([reading.adding] if reading.adding and reading.is_repeatable else [])]
    attempts = itertools.count(1)

    def attempt() -> Changed:
        number, read = next(attempts), _read(runtime, caller, environment_id, refs, reading.adding)
        if reading.adding is not None and reading.adding not in refs:
            refs.append(reading.adding)
        if not reading.glance(read.environment, read.now):
            return Changed(Aggregate(read.environment), read.now)
        if reading.adding in read.documents:
            return _added_before(runtime, read, read.documents[reading.adding], is_ours=number > 1)
        aggregate = _read_unfinished(runtime, read, reading.beside(read.environment, read.now))
        reading.matching(aggregate, read.now)
        return _carry_out(runtime, read, aggregate, decide(aggregate, read.now))

    # The platform doesn't queue behind a busy environment's callers: every commit settles, so whoever
    # gets in first does its work, and its tasks would keep others' from being delivered.
    with nullcontext() if caller is None else runtime.locks.hold(environment_id):
        return until_committed(f"Environment {environment_id}", attempt)


def _added_before(runtime: Runtime, read: _Read, document: Document, *, is_ours: bool) -> Changed:
    """What is to be added is there. If an attempt of ours may have done it, the wake-up may be missing."""
    aggregate = Aggregate(read.environment, (documents.deployment(document.data),))
    if is_ours:
        wake_environment(runtime, aggregate, read.now)
    return Changed(aggregate, read.now, is_repeat=True)


def _carry_out(runtime: Runtime, read: _Read, before: Aggregate, decided: Aggregate) -> Changed:
    """Commit what was decided, if that is anything, and then ask for the next wake-up.

    Where nothing is to be changed because of steps that have just come, these are committed: what is
    answered is history then, for a server whose clock is behind too.
    """
    due_at = before.environment.due_at
    if decided is before and due_at is not None and due_at <= read.now:
        decided = replan(before, read.now)
    if decided is not before:
        runtime.store.commit(*_writes(read, decided))
        if needs_wake(before.environment, decided.environment):
            wake_environment(runtime, decided, read.now)
    return Changed(decided, read.now)


def add_deployment(
    runtime: Runtime,
    caller: Caller,
    environment_id: str,
    intent: Intent,
    ask: Callable[[Aggregate, str, datetime], Aggregate],
    reading: Reading = Reading(),
) -> Added:
    """A new deployment as it was committed; `ask` is given its id.

    If the intent's was added before: that one, as it is now. Raises KeyReused for another request's.
    """
    deployment_id = ids.new_deployment_id(environment_id, intent.part)

    def decide(aggregate: Aggregate, now: datetime) -> Aggregate:
        return ask(aggregate, deployment_id, now)

    ref = documents.deployment_ref(deployment_id)
    reading = replace(reading, adding=ref, is_repeatable=intent.is_repeatable)
    changed = change_environment(runtime, caller, environment_id, decide, reading)
    added = changed.aggregate.deployment(deployment_id)
    assert added is not None  # noqa: S101 - it was committed
    intent.refuse_another(added.fingerprint)
    return Added(added, changed.now, intent.is_repeatable and changed.is_repeat)


def _read(
    runtime: Runtime,
    caller: Caller | None,
    environment_id: str,
    more: Sequence[Ref],
    adding: Ref | None,
) -> _Read:
    ref = documents.environment_ref(environment_id)
    refs = [ref, *more]
    if caller is not None:
        refs.append(documents.project_ref(ids.project_of(environment_id)))
    fetched = fetch(runtime, refs, caller)
    found = dict(fetched.documents)
    as_ofs = []
    if caller is not None:
        project = _visible(found, caller, environment_id)
        as_ofs.append(project.as_of)
    if ref not in found:
        raise NotFound("environment", environment_id)
    environment = documents.environment(found[ref].data)
    now = effective_now(fetched.clock_time, environment.as_of, *as_ofs)
    if caller is not None and adding not in found:  # what was added stays so
        refuse_deleted(environment, now, "environment", environment_id)
    return _Read(environment, found, now)


def _visible(found: dict[Ref, Document], caller: Caller, environment_id: str) -> Project:
    document = found.get(documents.project_ref(ids.project_of(environment_id)))
    project = None if document is None else project_documents.project(document.data)
    return visible_project(project, caller, "environment", environment_id)


def _read_unfinished(runtime: Runtime, read: _Read, others: Sequence[str]) -> Aggregate:
    """The environment with its unfinished deployments; those that have not been read are read now.

    Others, and further ones that have been read, stand beside them.
    """
    refs = [documents.deployment_ref(item.id) for item in read.environment.unfinished]
    wanted = dict.fromkeys([*refs, *map(documents.deployment_ref, others)])
    more = runtime.store.get_many([ref for ref in wanted if ref not in read.documents])
    read.documents.update({document.ref: document for document in more if document is not None})
    found = {
        ref: documents.deployment(document.data)
        for ref, document in read.documents.items()
        if ref.collection == "deployments"
    }
    unfinished = sorted((found[ref] for ref in refs if ref in found), key=lambda item: item.number)
    beside = tuple(item for ref, item in found.items() if ref not in refs)
    return Aggregate(read.environment, tuple(unfinished), beside)


def _writes(read: _Read, decided: Aggregate) -> list[Write]:
    """The environment always, as a fence; of the deployments what differs. Creates come first."""
    environment = decided.environment
    fence = documents.environment_ref(environment.id)
    data = {fence: documents.environment_data(environment)}
    for item in decided.deployments:
        data[documents.deployment_ref(item.id)] = documents.deployment_data(item, environment.as_of)
    creates = [Create(ref, fields) for ref, fields in data.items() if ref not in read.documents]
    updates = [
        Update(ref, fields, read.documents[ref].version)
        for ref, fields in data.items()
        if ref in read.documents and (ref == fence or fields != read.documents[ref].data)
    ]
    return [*creates, *updates]
