"""Views that several functions show."""

from pydantic import ConfigDict

from shared.http.types import Time, View


class StepView(View):
    """A step of a timeline: from `at` on the status is, or will be, `status`."""

    model_config = ConfigDict(from_attributes=True)

    at: Time
    status: str
    reason: str | None
