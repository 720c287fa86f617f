"""Shapes of the simulation function's answers."""

from pydantic import Field

from shared.domain.simulation import Scenario
from shared.http.types import View


class ScenarioView(View):
    """An outcome that can be asked for by name."""

    name: Scenario
    description: str = Field(examples=["Succeeds in a tenth of the usual time."])
