"""Shapes of the environments function's requests and answers."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue

from shared.domain.actions import EnvironmentAction
from shared.domain.deployment import DeploymentStatus
from shared.domain.environment import MACHINE, EnvironmentStatus, EnvironmentType, NoteAction, Policy
from shared.http.shapes import shape, shapes
from shared.http.simulations import Simulated, SimulationView
from shared.http.types import (
    Action,
    CommaSeparated,
    Config,
    DeploymentId,
    EnvironmentId,
    Input,
    Moment,
    Name,
    OneOf,
    PageParameters,
    ProjectId,
    Resource,
    ShowDeleted,
    Time,
    View,
    Wait,
)
from shared.http.views import StepView

_LONGEST: dict[str, JsonValue] = {"maximum": 8_760}
"""For the document: no instance has a longer maximum."""

Hours = Annotated[float, Field(gt=0, allow_inf_nan=False, examples=[24], json_schema_extra=_LONGEST)]

_WITHOUT_STEPS = Field(json_schema_extra={"properties": {"fail_at": {"const": None}}})
"""For the document: provisioning has no steps to fail at."""


class NewEnvironment(Input):
    """An environment to open."""

    model_config = ConfigDict(
        json_schema_extra=shapes(
            shape(without=("ttl_hours", "expires_at")),
            shape(without=("expires_at",), type=EnvironmentType.EPHEMERAL),
            shape(without=("ttl_hours",), type=EnvironmentType.EPHEMERAL),
        )
    )

    name: Name = Field(examples=["preview-pr-123"])
    type: EnvironmentType = Field(strict=False, examples=["ephemeral"])
    ttl_hours: Hours | None = Field(
        default=None,
        description="How long an ephemeral environment lasts, counted from its creation: the instance's "
        "default (24) if left out, the instance's maximum (720) at most.",
        examples=[24],
    )
    expires_at: Moment | None = Field(
        default=None, description="Instead of `ttl_hours`: when it expires.", examples=[None]
    )
    on_conflict: Policy | None = Field(
        default=None,
        strict=False,
        description="What becomes of a new deployment while another is unfinished: `latest` if left out, "
        "for a persistent environment `queue`.",
        examples=[None],
    )
    config: Config = Field(default=None, examples=[{"replicas": 2}])
    simulation: Annotated[Simulated, _WITHOUT_STEPS] = None


class NewLease(Action):
    """How long an environment is to last: one of the two. The maximum counts from its creation."""

    model_config = ConfigDict(
        json_schema_extra=shapes(shape("hours", without=("until",)), shape("until", without=("hours",)))
    )

    hours: Hours | None = Field(default=None, description="From now on.", examples=[24])
    until: Moment | None = Field(
        default=None, description="Instead of `hours`: when it expires.", examples=[None]
    )


class NewRollback(Action):
    """What to go back to."""

    to: str | None = Field(
        default=None,
        description="A deployment of this environment that succeeded. If left out: the one that is live "
        "while another runs, else the one that was live before it.",
        examples=[None],
    )
    simulation: Simulated = None


class EnvironmentChanges(Input):
    """Fields to change; what is left out stays, null unsets what may be unset."""

    # May be left out and not be null; the default is never looked at, nor shown in the document.
    name: Name = Field(default_factory=str, examples=["preview-pr-123"])
    config: Config = Field(default=None, examples=[{"replicas": 2}])


class EnvironmentFilters(PageParameters, ShowDeleted):
    """Which environments to list."""

    status: Annotated[tuple[EnvironmentStatus, ...], CommaSeparated] | None = Field(
        default=None, description="Only these statuses, separated by commas."
    )
    type: EnvironmentType | None = Field(default=None, description="Only this type.")


class EnvironmentWait(Wait):
    """What to wait for."""

    wait_for: Annotated[str, OneOf(*MACHINE.statuses)] | None = Field(
        default=None,
        description="Answer when it has this status, or can't come to have it any more by itself.",
    )


class TimelineParameters(PageParameters, ShowDeleted):
    """Which page of a life."""


class HistoryView(View):
    """A step of an environment or of a deployment, or something that was done to the environment."""

    at: Time
    planned: bool = Field(description="Whether it is still to come, and may change.")
    object: Literal["environment", "deployment"]
    id: EnvironmentId | DeploymentId = Field(description="The object's.")
    number: int | None = Field(description="The deployment's; null for the environment.", examples=[None])
    status: EnvironmentStatus | DeploymentStatus | None = Field(
        description="The object's from then on; null for something that was done."
    )
    reason: str | None = Field(description="Why, in a word.", examples=[None])
    action: NoteAction | None = Field(
        description="What was done to the environment; null for a step. `repaired`: what was due was carried "
        "out late because a wake-up had got lost; readers saw it in time.",
        examples=[None],
    )
    until: Time | None = Field(
        description="When the environment expires from then on; null if unchanged.", examples=[None]
    )


class EnvironmentStepView(StepView):
    """A step of an environment's timeline."""

    status: EnvironmentStatus


class ActiveView(View):
    """What is live: the deployment that succeeded last."""

    id: DeploymentId
    version: str = Field(examples=["sha-1234567"])
    number: int = Field(examples=[3])


class EnvironmentView(Resource):
    """An environment as it is at this moment."""

    id: EnvironmentId
    project_id: ProjectId
    name: str = Field(examples=["preview-pr-123"])
    type: EnvironmentType
    status: EnvironmentStatus
    status_reason: str | None = Field(examples=[None])
    on_conflict: Policy
    active_deployment: ActiveView | None
    config: Any = Field(description="Free JSON.", examples=[{"replicas": 2}])
    simulation: SimulationView | None = Field(
        description="What was asked for of its provisioning, if anything.", examples=[None]
    )
    base_url: str | None = Field(
        description="Where it is reached; null until it has been running.", examples=[None]
    )
    created_at: Time
    updated_at: Time
    expires_at: Time | None = Field(description="When its TTL is over; null for a persistent one.")
    allowed_actions: list[EnvironmentAction] = Field(
        description="What may be done with it now; `rollback` if there is something to go back to by default."
    )
    timeline: list[EnvironmentStepView] = Field(description="Past and planned.")
