"""Shapes of the docs function's answers."""

from pydantic import Field

from shared.http.types import View


class MachineView(View):
    """The statuses of one kind of object, and what leads from one to another."""

    initial: str = Field(examples=["pending"])
    statuses: list[str] = Field(description="In the order of a life.", examples=[["pending", "running"]])
    moves: dict[str, list[str]] = Field(
        description="Each status with those that may follow it.",
        examples=[{"pending": ["running", "canceled", "superseded"]}],
    )
    transient: list[str] = Field(
        description="Statuses that another follows by itself.", examples=[["pending", "running"]]
    )
    terminal: list[str] = Field(description="Statuses that none follows.", examples=[["succeeded"]])
    actions: dict[str, list[str]] = Field(
        description="Each action with the statuses that it is for.",
        examples=[{"cancel": ["pending", "running"]}],
    )


class QuotaView(View):
    """A limit, and what has been used of it."""

    limit: int | None = Field(description="null: there is none.")
    used: int


class QuotasView(View):
    """What the instance may have, and has."""

    projects: QuotaView
    environments: QuotaView = Field(description="Those that are provisioning, running or failed.")


class StateMachinesView(View):
    """The lifecycles."""

    environment: MachineView
    deployment: MachineView
