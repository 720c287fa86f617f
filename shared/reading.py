"""Reading one object: one `get_many` brings it with all that decides who may see it, and when it is."""

from dataclasses import dataclass
from datetime import datetime

from shared import documents, ids
from shared.access import Caller, visible_project
from shared.clock import effective_now
from shared.domain.deployment import Deployment
from shared.domain.environment import DELETED, Environment
from shared.domain.project import Project
from shared.errors import NotFound
from shared.ports import Document
from shared.runtime import Runtime


@dataclass(frozen=True, slots=True)
class ProjectSeen:
    """A project at a moment."""

    project: Project
    document: Document
    now: datetime


@dataclass(frozen=True, slots=True)
class EnvironmentSeen:
    """An environment at a moment."""

    project: Project
    environment: Environment
    document: Document
    now: datetime


@dataclass(frozen=True, slots=True)
class DeploymentSeen:
    """A deployment at a moment, with its environment."""

    environment: Environment
    deployment: Deployment
    now: datetime


def read_project(runtime: Runtime, caller: Caller, project_id: str) -> ProjectSeen:
    """The project as the caller sees it now, or NotFound."""
    _known("prj", "project", project_id)
    clock_time = runtime.clock()
    document = runtime.store.get(documents.project_ref(project_id))
    project = visible_project(_project(document), caller, "project", project_id)
    assert document is not None  # noqa: S101 - a visible project was read from one
    return ProjectSeen(project, document, effective_now(clock_time, project.as_of))


def read_environment(
    runtime: Runtime, caller: Caller, environment_id: str, *, show_deleted: bool = False
) -> EnvironmentSeen:
    """The environment as the caller sees it now, or NotFound. A deleted one only if asked for."""
    _known("env", "environment", environment_id)
    clock_time = runtime.clock()
    project_document, document = runtime.store.get_many(
        [documents.project_ref(ids.project_of(environment_id)), documents.environment_ref(environment_id)]
    )
    project = visible_project(_project(project_document), caller, "environment", environment_id)
    if document is None:
        raise NotFound("environment", environment_id)
    environment = documents.environment(document.data)
    now = effective_now(clock_time, project.as_of, environment.as_of)
    if not show_deleted:
        refuse_deleted(environment, now, "environment", environment_id)
    return EnvironmentSeen(project, environment, document, now)


def read_deployment(
    runtime: Runtime, caller: Caller, deployment_id: str, *, show_deleted: bool = False
) -> DeploymentSeen:
    """The deployment as the caller sees it now, or NotFound.

    One of a deleted environment only if asked for.
    """
    _known("dep", "deployment", deployment_id)
    environment_id = ids.environment_of(deployment_id)
    clock_time = runtime.clock()
    project_document, parent, document = runtime.store.get_many(
        [
            documents.project_ref(ids.project_of(deployment_id)),
            documents.environment_ref(environment_id),
            documents.deployment_ref(deployment_id),
        ]
    )
    project = visible_project(_project(project_document), caller, "deployment", deployment_id)
    if parent is None or document is None:
        raise NotFound("deployment", deployment_id)
    environment = documents.environment(parent.data)
    now = effective_now(clock_time, project.as_of, environment.as_of)
    if not show_deleted:
        refuse_deleted(environment, now, "deployment", deployment_id)
    return DeploymentSeen(environment, documents.deployment(document.data), now)


def refuse_deleted(environment: Environment, now: datetime, kind: str, object_id: str) -> None:
    """NotFound, in the name of what was asked for, if the environment is deleted at this moment."""
    if environment.status_at(now) == DELETED:
        raise NotFound(kind, object_id)


def _project(document: Document | None) -> Project | None:
    return None if document is None else documents.project(document.data)


def _known(shape: str, kind: str, object_id: str) -> None:
    if not ids.is_id(shape, object_id):
        raise NotFound(kind, object_id)
