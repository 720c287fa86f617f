"""Shapes of the platform's own callbacks."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.http.types import Input, View
from shared.times import from_text, to_text

Collection = Literal["environments", "projects", "closed_accounts"]


def _moment(text: str) -> str:
    """The text, if it is one that `to_text` made."""
    try:
        is_ours = to_text(from_text(text)) == text
    except (ValueError, OverflowError):
        is_ours = False
    if not is_ours:
        raise PydanticCustomError("moment", "must be a moment as the platform writes it")
    return text


Moment = Annotated[str, AfterValidator(_moment)]
DeploymentId = Annotated[str, Field(pattern=r"^dep-[a-z2-7]{48}$")]


class SettleTask(Input):
    """Look at this document, which was due at this moment when the task was made."""

    collection: Collection
    id: str
    due_at: Moment
    deployments: Annotated[list[DeploymentId], Field(max_length=20)] = Field(default_factory=list)
    """Those that the environment was due for then: what the look will probably read too."""
    repair: bool = False
    """Whether it stands in for a task that got lost."""


class SweepTask(Input):
    """Look for documents that are overdue, from a place on if an earlier call stopped there."""

    overdue_seconds: float = Field(default=60, ge=0, le=86_400)
    collection: Collection = "environments"
    ahead: bool = False
    """Among documents that nobody has asked for yet; without it among those that are overdue."""
    at_start: bool = False
    """Nobody was there when it fell due: nothing has got lost, and nothing is noted as a repair."""
    after_due_at: Moment | None = None
    after_id: str | None = None


class SettleView(View):
    """What became of a task."""

    outcome: Literal["settled", "stale", "early", "gone", "purged", "purging"]


class SweepView(View):
    """What a sweep found."""

    woken: int = Field(description="Overdue documents for which a task was enqueued.")
    reached: int = Field(description="Documents that nobody had asked for yet, likewise.")
    complete: bool = Field(description="False when a task goes on where this call stopped.")
