"""Reading one object: one `get_many` brings it with all that decides who may see it, and when it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared import api_tokens, documents, ids, project_documents, virtual_clock
from shared.access import Caller, visible_project
from shared.clock import effective_now
from shared.domain.deployment import Deployment
from shared.domain.environment import DELETED, Environment
from shared.domain.project import Project
from shared.domain.timeline import Timeline
from shared.errors import NotFound
from shared.ports import Document, Ref
from shared.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Fetched:
    """What there was of some documents, as of one moment, and what the clock showed just before.

    A virtual clock is a document itself: what it showed at that moment.
    """

    documents: Mapping[Ref, Document]
    clock_time: datetime


def fetch(runtime: Runtime, refs: Sequence[Ref], caller: Caller | None = None) -> Fetched:
    """Documents and the time, by one call to the store: every look begins with it.

    If the caller comes with an API token, its document is read in the same call. Raises Unauthenticated.
    """
    is_time_virtual = runtime.settings.is_time_virtual
    credential = None if caller is None else caller.credential
    beside = [*([virtual_clock.REF] if is_time_virtual else []), *([credential.ref] if credential else [])]
    clock_time = runtime.clock()
    found = runtime.store.get_many([*refs, *beside] if beside else refs)
    by_ref = {document.ref: document for document in found if document is not None}
    if is_time_virtual:
        clock_time = virtual_clock.time_of(by_ref.pop(virtual_clock.REF, None))
    if credential is not None:
        # Tokens live by the real clock, whatever time the lifecycles have.
        api_tokens.prove(credential, by_ref.get(credential.ref), runtime.clock())
    return Fetched(by_ref, clock_time)


def prove(runtime: Runtime, caller: Caller | None) -> None:
    """Look at the caller's API token, if nothing has been read so far. Raises Unauthenticated."""
    if caller is not None and not caller.is_proven:
        fetch(runtime, [], caller)


@dataclass(frozen=True, slots=True)
class ProjectSeen:
    """A project at a moment."""

    project: Project
    document: Document
    now: datetime
    beside: Mapping[Ref, Document]
    """What there was of the documents that were to be read with it."""


@dataclass(frozen=True, slots=True)
class EnvironmentSeen:
    """An environment at a moment."""

    project: Project
    environment: Environment
    document: Document
    now: datetime

    @property
    def timeline(self) -> Timeline:
        """What was asked for, in its steps."""
        return self.environment.timeline


@dataclass(frozen=True, slots=True)
class DeploymentSeen:
    """A deployment at a moment, with its environment."""

    environment: Environment
    deployment: Deployment
    now: datetime

    @property
    def timeline(self) -> Timeline:
        """Likewise."""
        return self.deployment.timeline


def read_project(
    runtime: Runtime, caller: Caller, project_id: str, beside: Sequence[Ref] = ()
) -> ProjectSeen:
    """The project as the caller sees it now, or NotFound; with it what there is of other documents."""
    _known("prj", "project", project_id)
    ref = documents.project_ref(project_id)
    fetched = fetch(runtime, [ref, *beside], caller)
    project = visible_project(_project(fetched, project_id), caller, "project", project_id)
    now = effective_now(fetched.clock_time, project.as_of)
    return ProjectSeen(project, fetched.documents[ref], now, fetched.documents)


def read_environment(
    runtime: Runtime, caller: Caller, environment_id: str, *, show_deleted: bool = False
) -> EnvironmentSeen:
    """The environment as the caller sees it now, or NotFound. A deleted one only if asked for."""
    _known("env", "environment", environment_id)
    ref, project_id = documents.environment_ref(environment_id), ids.project_of(environment_id)
    fetched = fetch(runtime, [documents.project_ref(project_id), ref], caller)
    project = visible_project(_project(fetched, project_id), caller, "environment", environment_id)
    if ref not in fetched.documents:
        raise NotFound("environment", environment_id)
    environment = documents.environment(fetched.documents[ref].data)
    now = effective_now(fetched.clock_time, project.as_of, environment.as_of)
    if not show_deleted:
        refuse_deleted(environment, now, "environment", environment_id)
    return EnvironmentSeen(project, environment, fetched.documents[ref], now)


def read_deployment(
    runtime: Runtime, caller: Caller, deployment_id: str, *, show_deleted: bool = False
) -> DeploymentSeen:
    """The deployment as the caller sees it now, or NotFound.

    One of a deleted environment only if asked for.
    """
    _known("dep", "deployment", deployment_id)
    project_id = ids.project_of(deployment_id)
    parent, ref = (
        documents.environment_ref(ids.environment_of(deployment_id)),
        documents.deployment_ref(deployment_id),
    )
    fetched = fetch(runtime, [documents.project_ref(project_id), parent, ref], caller)
    project = visible_project(_project(fetched, project_id), caller, "deployment", deployment_id)
    if parent not in fetched.documents or ref not in fetched.documents:
        raise NotFound("deployment", deployment_id)
    environment = documents.environment(fetched.documents[parent].data)
    now = effective_now(fetched.clock_time, project.as_of, environment.as_of)
    if not show_deleted:
        refuse_deleted(environment, now, "deployment", deployment_id)
    return DeploymentSeen(environment, documents.deployment(fetched.documents[ref].data), now)


def refuse_deleted(environment: Environment, now: datetime, kind: str, object_id: str) -> None:
    """NotFound, in the name of what was asked for, if the environment is deleted at this moment."""
    if environment.status_at(now) == DELETED:
        raise NotFound(kind, object_id)


def _project(fetched: Fetched, project_id: str) -> Project | None:
    document = fetched.documents.get(documents.project_ref(project_id))
    return None if document is None else project_documents.project(document.data)


def _known(shape: str, kind: str, object_id: str) -> None:
    if not ids.is_id(shape, object_id):
        raise NotFound(kind, object_id)
