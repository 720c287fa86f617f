"""Shapes of the platform's own callbacks."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.http.types import Input, View

Collection = Literal["environments", "projects"]
Moment = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]


class SettleTask(Input):
    """Look at this document, which was due at this moment when the task was made."""

    collection: Collection
    id: str
    due_at: Moment


class SweepTask(Input):
    """Look for documents that are overdue, from a place on if an earlier call stopped there."""

    overdue_seconds: float = Field(default=60, ge=0, le=86_400)
    collection: Collection = "environments"
    after_due_at: Moment | None = None
    after_id: str | None = None


class SettleView(View):
    """What became of a task."""

    outcome: Literal["settled", "stale", "early", "gone", "purged", "purging"]


class SweepView(View):
    """What a sweep found."""

    woken: int = Field(description="Overdue documents for which a task was enqueued.")
    complete: bool = Field(description="False when a task goes on where this call stopped.")
