"""One seed, from its world to its verdict."""

from dataclasses import dataclass, field

from tests.simulation.client import Driver
from tests.simulation.plan import plan
from tests.simulation.story import Story
from tests.simulation.world import inhabited


@dataclass
class Verdict:
    """What became of a seed."""

    seed: int
    digest: str
    trace: list[str]
    violations: list[str]
    operations: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    crashed: set[tuple[str, str]] = field(default_factory=set)
    commits: int = 0
    requests: int = 0


def simulate(seed: int, driver: Driver) -> Verdict:
    """Run a seed's lifecycle."""
    planned = plan(seed)
    story = Story(planned, driver)
    with planned.patches(), inhabited(planned.world) as world:
        story.run()
    return Verdict(
        seed,
        world.digest(),
        world.trace,
        story.violations,
        dict(story.done),
        dict(world.chaos.counts),
        world.chaos.crashed,
        len(world.changes),
        story.platform.served,
    )
