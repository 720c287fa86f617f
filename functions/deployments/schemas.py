"""Shapes of the deployments function's requests and answers."""

from typing import Annotated

from pydantic import Field

from shared.domain.deployment import MACHINE, DeploymentStatus
from shared.domain.environment import Policy
from shared.domain.logs import Level
from shared.domain.timeline import TERMINAL
from shared.http.simulations import Phase, Simulated
from shared.http.types import (
    CommaSeparated,
    Input,
    Limit,
    OneOf,
    PageParameters,
    Parameters,
    ShowDeleted,
    Time,
    Version,
    View,
    Wait,
    Whole,
)


class NewDeployment(Input):
    """A version to roll out."""

    version: Version = Field(examples=["sha-1234567"])
    on_conflict: Policy | None = Field(
        default=None,
        strict=False,
        description="What becomes of it while another is unfinished: the environment's policy if left out.",
        examples=[None],
    )
    simulation: Simulated = None


class DeploymentFilters(PageParameters, ShowDeleted):
    """Which deployments to list."""

    status: Annotated[tuple[DeploymentStatus, ...], CommaSeparated] | None = Field(
        default=None, description="Only these statuses, separated by commas."
    )


class DeploymentWait(Wait):
    """What to wait for."""

    wait_for: Annotated[str, OneOf(*MACHINE.statuses, TERMINAL)] | None = Field(
        default=None,
        description="Answer when it has this status, or can't come to have it any more. `terminal` "
        "stands for each of those that nothing follows.",
    )


class LogParameters(ShowDeleted):
    """Which part of a log."""

    after: Whole = Field(default=0, description="Only entries after the one with this `seq`.")
    limit: Limit = Field(default=1_000, description="How many entries at most. A stream has no limit.")
    level: Level = Field(default=Level.INFO, description="The least severe level that is shown.")


class LogHeaders(Parameters):
    """Where a stream goes on."""

    last_event_id: Whole | None = Field(
        default=None,
        alias="Last-Event-ID",
        description="Of a stream: go on after this event. It comes before `after`.",
    )


class EntryView(View):
    """A line of a log."""

    seq: int = Field(description="1, 2, 3 … within the deployment.")
    time: Time
    level: Level
    step: Phase
    message: str = Field(examples=["Validating version sha-1234567"])


class LogView(View):
    """A log as far as it has come."""

    entries: list[EntryView]
    next_after: int = Field(description="What to send as `after` for the entries that follow.")
    complete: bool = Field(description="Whether none will follow.")


class EndView(View):
    """The data of a stream's last event."""

    status: DeploymentStatus
