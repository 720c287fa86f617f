"""How simulated work fares: as usual, as a scenario or a request says, and as fast as the instance goes.

Failures are asked for, so that whoever builds on the platform can rehearse them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.domain.timeline import Outcome, Work

PHASES = {"validate": 0.1, "fetch": 0.25, "configure": 0.15, "release": 0.35, "verify": 0.15}
"""The steps of a rollout in their order, each with its share of the whole time."""


class Scenario(StrEnum):
    """What can be asked for by name."""

    FAST = "fast"
    SLOW = "slow"
    FLAKY = "flaky"
    FAILS = "fails"
    HANGS = "hangs"


@dataclass(frozen=True, slots=True)
class Preset:
    """What a scenario stands for."""

    description: str
    times: float = 1
    """How many times the usual time it takes; what hangs takes all that there is."""
    outcome: Outcome = Outcome.SUCCEED
    fail_at: str | None = None


PRESETS: Mapping[Scenario, Preset] = {
    Scenario.FAST: Preset("Succeeds in a tenth of the usual time.", 0.1),
    Scenario.SLOW: Preset("Succeeds after ten times the usual time, but not after the deadline.", 10),
    Scenario.FLAKY: Preset(
        "Succeeds or fails, as likely as not. The seed and the number of the attempt decide: "
        "a deployment's number in its environment, or how many times the environment has been provisioned. "
        "So the same seed gives the same results again. Without a seed the object's id stands for it."
    ),
    Scenario.FAILS: Preset(
        "Fails: an environment when it should be running, a deployment when it should have been released.",
        outcome=Outcome.FAIL,
        fail_at="release",
    ),
    Scenario.HANGS: Preset(
        "Does not get done: it fails at the deadline, because of deadline_exceeded. A deployment's log stops "
        "in the middle of its release.",
        outcome=Outcome.HANG,
        fail_at="release",
    ),
}


@dataclass(frozen=True, slots=True)
class Simulation:
    """What somebody asked for: a scenario and its seed, or what is to happen. None is: as usual."""

    scenario: Scenario | None = None
    seed: int | None = None
    seconds: float | None = None
    outcome: Outcome | None = None
    fail_at: str | None = None


def work_of(simulation: Simulation | None, usual: float, deadline: float) -> Work:
    """The work that is asked for, in planned seconds: `usual` where nothing is said of the time.

    What chance decides of it is left to `by_chance`.
    """
    if simulation is None or simulation.scenario is None:
        asked = simulation or Simulation()
        return Work(asked.seconds or usual, asked.outcome or Outcome.SUCCEED, asked.fail_at)
    preset = PRESETS[simulation.scenario]
    if preset.outcome == Outcome.HANG:
        return Work(deadline, preset.outcome, preset.fail_at)
    return Work(min(usual * preset.times, max(usual, deadline)), preset.outcome, preset.fail_at)


def by_chance(work: Work, simulation: Simulation | None, object_id: str, attempt: int) -> Work:
    """The work of an attempt (1, 2, 3 …): of a flaky one the outcome is decided here.

    The object's id is the seed of one that has none. It comes in nowhere else, for ids are random:
    the same seed shows the same in any environment.
    """
    if simulation is None or simulation.scenario != Scenario.FLAKY:
        return work
    seed = object_id if simulation.seed is None else simulation.seed
    dice = hashlib.sha256(f"{seed} {attempt}".encode()).digest()
    if dice[0] % 2 == 0:
        return replace(work, outcome=Outcome.SUCCEED, fail_at=None)
    return replace(work, outcome=Outcome.FAIL, fail_at=list(PHASES)[dice[1] % len(PHASES)])


def real(planned: float, speed: float) -> float:
    """How long by the clock what is planned to last so long, in whatever unit, at a speed.

    The clock itself stays real: moments that callers name are what they are.
    """
    return planned / speed
