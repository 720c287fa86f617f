"""Routes of the simulation function: HTTP in and out."""

from functions.simulation import use_cases
from functions.simulation.schemas import AdvanceView, ClockView, NewAdvance, ScenarioView, SettledView
from shared.domain.simulation import PRESETS
from shared.errors import ClockAdvancing, ClockIsReal, Contended
from shared.http.routes import Answer, Call, Group

group = Group(
    "simulation", "Simulation: failures on purpose, and a clock that can be advanced", keys=["signing"]
)


@group.route("GET", "/simulation/scenarios", {200: list[ScenarioView]}, public=True)
def list_scenarios(call: Call) -> Answer:
    """List the scenarios that `simulation` may name.

    Environments and deployments are created with it. There are none where scenarios are switched off.
    """
    presets = PRESETS.items() if call.runtime.settings.scenarios else ()
    return Answer(200, [ScenarioView(name=name, description=preset.description) for name, preset in presets])


@group.route("GET", "/simulation/clock", {200: ClockView}, refusals=(ClockIsReal,))
def get_clock(call: Call) -> Answer:
    """Show where the virtual clock stands.

    Only of an instance that was started with `ENVCTL_CLOCK=virtual`, on one machine.
    """
    clock = use_cases.read_clock(call.runtime)
    return Answer(200, ClockView(now=clock.now, started_at=clock.started_at))


@group.route(
    "POST",
    "/simulation/clock/advance",
    {200: AdvanceView},
    refusals=(ClockIsReal, ClockAdvancing, Contended),
)
def advance_clock(call: Call, body: NewAdvance) -> Answer:
    """Advance the virtual clock.

    Everything that falls due is settled, in order, each at its own moment. The clock is everybody's, and
    everybody who has logged in may advance it. It never goes backwards.
    """
    done = use_cases.advance_clock(call.runtime, call.caller, body)
    view = AdvanceView(
        **{"from": done.began_at},
        to=done.target,
        now=done.now,
        complete=done.complete,
        settled=[SettledView.model_validate(event) for event in done.events],
    )
    return Answer(200, view)
