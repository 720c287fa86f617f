"""Routes of the simulation function."""

from functions.simulation.schemas import ScenarioView
from shared.domain.simulation import PRESETS
from shared.http.routes import Answer, Call, Group

group = Group("simulation", "Simulation: failures on purpose")


@group.route("GET", "/simulation/scenarios", {200: list[ScenarioView]}, public=True)
def list_scenarios(call: Call) -> Answer:
    """List the scenarios that `simulation` may name.

    Environments and deployments are created with it. There are none where scenarios are switched off.
    """
    presets = PRESETS.items() if call.runtime.settings.scenarios else ()
    return Answer(200, [ScenarioView(name=name, description=preset.description) for name, preset in presets])
