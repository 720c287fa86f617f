"""Views that several functions show."""

from shared.domain.timeline import Timeline
from shared.http.types import Time, View


class StepView(View):
    """A step of a timeline: from `at` on the status is, or will be, `status`."""

    at: Time
    status: str
    reason: str | None


def steps(timeline: Timeline) -> list[StepView]:
    """A timeline as clients see it."""
    return [StepView(at=step.at, status=str(step.status), reason=step.reason) for step in timeline]
