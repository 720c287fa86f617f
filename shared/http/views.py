"""Views that several functions show."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from shared.changing import Added
from shared.domain.actions import DeploymentAction, deployment_actions
from shared.domain.deployment import Deployment, DeploymentStatus, Kind
from shared.domain.timeline import step_at
from shared.http.answers import represent, text_of
from shared.http.routes import BASE_PATH, Answer, Representation
from shared.http.simulations import SimulationView
from shared.http.types import DeploymentId, EnvironmentId, ProjectId, Resource, Time, View


class StepView(View):
    """A step of a timeline: from `at` on the status is, or will be, `status`."""

    model_config = ConfigDict(from_attributes=True)

    at: Time
    status: str
    reason: str | None = Field(description="Why, in a word.", examples=[None])


class DeploymentStepView(StepView):
    """A step of a deployment's timeline."""

    status: DeploymentStatus


class DeploymentView(Resource):
    """A deployment as it is at this moment."""

    id: DeploymentId
    environment_id: EnvironmentId
    project_id: ProjectId
    version: str = Field(examples=["sha-1234567"])
    number: int = Field(description="1, 2, 3 … within the environment.", examples=[3])
    status: DeploymentStatus
    status_reason: str | None = Field(examples=[None])
    kind: Kind
    rollback_of: DeploymentId | None = Field(
        description="For a rollback, the deployment that it repeats.", examples=[None]
    )
    config: Any = Field(
        description="The environment's when it was asked for; a rollback has that of what it repeats.",
        examples=[{"replicas": 2}],
    )
    simulation: SimulationView | None = Field(
        description="What was asked for of its outcome, if anything.", examples=[None]
    )
    logs_url: str = Field(
        description="Path-absolute.",
        examples=["/api/v1/deployments/dep-5ven5eaicuhzhih2lcpjldkxewmmx4ytdbjayipz6pki2azw/logs"],
    )
    created_at: Time
    updated_at: Time
    allowed_actions: list[DeploymentAction] = Field(description="What may be done with it now.")
    timeline: list[DeploymentStepView] = Field(description="Past and planned.")


def show_deployment(deployment: Deployment, now: datetime, *, is_past: bool = False) -> Representation:
    """A deployment as it is at a moment."""
    step = step_at(deployment.timeline, now)
    return represent(
        DeploymentView,
        id=deployment.id,
        environment_id=deployment.environment_id,
        project_id=deployment.project_id,
        version=deployment.version,
        number=deployment.number,
        kind=deployment.kind,
        rollback_of=deployment.rollback_of,
        config=text_of(deployment.config),
        simulation=deployment.simulation,
        status=step.status,
        status_reason=step.reason,
        logs_url=f"/api/v1/deployments/{deployment.id}/logs",
        created_at=deployment.created_at,
        updated_at=deployment.updated_at(now),
        allowed_actions=[] if is_past else deployment_actions(deployment, now),
        timeline=deployment.timeline,
    )


def created(shown: Representation, path: str, *, is_repeat: bool) -> Answer:
    """The answer of an operation that makes an object, which lies at a path below the base path."""
    repeated = {"Idempotent-Replayed": "true"} if is_repeat else {}
    return Answer(201, shown, {"Location": BASE_PATH + path, **repeated})


def deployed(added: Added) -> Answer:
    """The answer of an operation that makes a deployment."""
    shown = show_deployment(added.deployment, added.now)
    return created(shown, f"/deployments/{added.deployment.id}", is_repeat=added.is_repeat)
