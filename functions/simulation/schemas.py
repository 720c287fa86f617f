"""Shapes of the simulation function's requests and answers."""

from typing import Literal

from pydantic import ConfigDict, Field

from functions.simulation.durations import Duration
from functions.simulation.events import Kind
from shared.domain.deployment import DeploymentStatus
from shared.domain.environment import EnvironmentStatus
from shared.domain.simulation import Scenario
from shared.http.shapes import shape, shapes
from shared.http.types import DeploymentId, EnvironmentId, Input, Moment, ProjectId, Time, View


class ScenarioView(View):
    """An outcome that can be asked for by name."""

    name: Scenario
    description: str = Field(examples=["Succeeds in a tenth of the usual time."])


class NewAdvance(Input):
    """How far to advance the clock: one of the two, 366 days at most."""

    model_config = ConfigDict(
        json_schema_extra=shapes(shape("by", without=("to",)), shape("to", without=("by",)))
    )

    by: Duration | None = Field(
        default=None,
        description="From where it stands: weeks, days, hours, minutes, seconds.",
        examples=["PT3S", "P7DT12H"],
    )
    to: Moment | None = Field(
        default=None, description="Instead of `by`: a moment that is not past.", examples=[None]
    )


class ClockView(View):
    """The virtual clock, which stands still until it is advanced."""

    now: Time
    started_at: Time = Field(description="Where it began: the real time of the instance's first start.")


class SettledView(View):
    """Something that happened while the clock was advanced."""

    model_config = ConfigDict(from_attributes=True)

    at: Time
    object: Kind
    id: EnvironmentId | DeploymentId | ProjectId
    status: EnvironmentStatus | DeploymentStatus | Literal["purged", "ended"] = Field(
        description="The object's status from then on; `purged` for what was removed for good, `ended` for a "
        "deleted project of which something is left."
    )
    reason: str | None = Field(description="Why, in a word.", examples=[None])


class AdvanceView(View):
    """What happened, in order."""

    model_config = ConfigDict(serialize_by_alias=True)

    from_: Time = Field(alias="from", description="Where the clock stood.")
    to: Time = Field(description="Where it was to be advanced to.")
    now: Time = Field(description="Where it stands.")
    complete: bool = Field(
        description="Whether it has arrived. If not, one request was not enough: send `to` as it is here."
    )
    settled: list[SettledView] = Field(
        description="What became of the caller's objects. Those of others are carried on too, and not shown."
    )
