"""Simulations as requests ask for them and objects show them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared import durations
from shared.config import Settings
from shared.domain.deployment import Rollout
from shared.domain.simulation import Scenario, Simulation
from shared.domain.timeline import Outcome
from shared.errors import Fault, InvalidInput
from shared.http.shapes import shape, shapes
from shared.http.types import Input, View
from shared.idempotency import Intent

Phase = Literal["validate", "fetch", "configure", "release", "verify"]
Result = Literal["succeed", "fail"]

LARGEST_SEED = 2**53 - 1
"""The largest whole number that every JSON reader knows exactly."""


_LONGEST: dict[str, JsonValue] = {"maximum": 31_536_000}
"""For the document: no instance has a longer deadline."""


def _whole(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A whole number that is written with a decimal point as what it is: in JSON 7.0 is 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class NewSimulation(Input):
    """How it is to fare: a scenario, or what is to happen. What is left out or null is as usual.

    As an object shows it, it can be asked for again.
    """

    model_config = ConfigDict(
        json_schema_extra=shapes(
            shape("scenario", without=("seconds", "outcome", "fail_at")),
            shape(without=("scenario", "seed", "fail_at")),
            shape("fail_at", without=("scenario", "seed"), outcome="fail"),
        )
    )

    scenario: Scenario | None = Field(
        default=None, strict=False, description="By name; then nothing but a seed stands beside it."
    )
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED), BeforeValidator(_whole)] | None = Field(
        default=None,
        description="What the outcomes of `flaky` follow from: the same seed, the same outcomes. If left "
        "out, the object's id.",
        examples=[7],
    )
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False, json_schema_extra=_LONGEST)] | None = Field(
        default=None,
        description="How long it takes: as long as usual if left out, the instance's deadline (60) at most.",
    )
    outcome: Result | None = Field(default=None, description="`succeed` if left out.")
    fail_at: Phase | None = Field(
        default=None,
        description="Of a deployment that is to fail, the step at whose end it does: the last if left out.",
    )

    @field_validator("seed")
    @classmethod
    def _belongs_to_a_scenario(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - of any field
        if value is not None and info.data.get("scenario", "") is None:
            raise PydanticCustomError("seed", "must be left out where no scenario is given")
        return value

    @field_validator("seconds", "outcome", "fail_at")
    @classmethod
    def _stands_without_a_scenario(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - likewise
        if value is not None and info.data.get("scenario") is not None:
            raise PydanticCustomError("scenario", "must be left out where a scenario is given")
        return value

    @field_validator("fail_at")
    @classmethod
    def _belongs_to_a_failure(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - likewise
        if value is not None and info.data.get("outcome", "fail") != "fail":
            raise PydanticCustomError("fail_at", "must be left out unless outcome is fail")
        return value


def _spelt_out(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """A scenario's name alone as what it stands for: faults are told at the place that was sent."""
    if isinstance(value, str) and value in list(Scenario):
        return {"scenario": value}
    if value is not None and not isinstance(value, dict):
        raise PydanticCustomError("simulation", f"must be {', '.join(Scenario)} or an object")
    return value


Simulated = Annotated[
    NewSimulation | None,
    BeforeValidator(_spelt_out, json_schema_input_type=Scenario | NewSimulation | None),
    Field(
        description="How it is to fare, by a scenario's name or in full: it succeeds if left out.",
        examples=[None, "flaky", {"scenario": "flaky", "seed": 7}, {"seconds": 4, "outcome": "fail"}],
    ),
]
"""A scenario's name, or all that can be said."""


class SimulationView(View):
    """What was asked for of the outcome, as it was asked for."""

    model_config = ConfigDict(from_attributes=True)

    scenario: Scenario | None
    seed: int | None
    seconds: float | None
    outcome: Result | None
    fail_at: Phase | None


def asked(settings: Settings, new: NewSimulation | None, *, has_steps: bool = True) -> Simulation | None:
    """What a request asks for. Raises InvalidInput where the instance or the object does not allow it."""
    if new is None:
        return None
    if not settings.scenarios:
        raise InvalidInput([Fault("/simulation", "must be left out: scenarios are switched off here")])
    if new.seconds is not None and new.seconds > settings.deadline_seconds:
        most = f"must be at most {settings.deadline_seconds:g}, the deadline"
        raise InvalidInput([Fault("/simulation/seconds", most)])
    if new.fail_at is not None and not has_steps:
        detail = "must be left out: only deployments have steps to fail at"
        raise InvalidInput([Fault("/simulation/fail_at", detail)])
    outcome = None if new.outcome is None else Outcome(new.outcome)
    return Simulation(new.scenario, new.seed, new.seconds, outcome, new.fail_at)


def rollout(
    settings: Settings, deployment_id: str, intent: Intent, new: NewSimulation | None, version: str = ""
) -> Rollout:
    """A deployment to be, to fare as a request asks for. Raises InvalidInput likewise."""
    simulation = asked(settings, new)
    work = durations.rollout(settings, simulation)
    return Rollout(deployment_id, work, version, simulation, intent.fingerprint)
