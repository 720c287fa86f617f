"""Shapes of the deployments function's requests and answers."""

from typing import Annotated, Literal

from pydantic import Field

from shared.domain.deployment import DeploymentStatus
from shared.domain.environment import Policy
from shared.http.types import (
    CommaSeparated,
    Input,
    PageParameters,
    ShowDeleted,
    Time,
    Version,
    View,
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


class DeploymentFilters(PageParameters, ShowDeleted):
    """Which deployments to list."""

    status: Annotated[tuple[DeploymentStatus, ...], CommaSeparated] | None = Field(
        default=None, description="Only these statuses, separated by commas."
    )


class EntryView(View):
    """A line of a log."""

    seq: int = Field(description="1, 2, 3 … within the deployment.")
    time: Time
    level: Literal["info", "warning", "error"]
    step: Literal["validate", "fetch", "configure", "release", "verify"]
    message: str


class LogView(View):
    """A log as far as it has come."""

    entries: list[EntryView]
    complete: bool = Field(description="Whether no entry will be added.")
