"""What kind of world a seed makes: its servers, its queue, its faults, its settings."""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from unittest.mock import patch

from functions.tasks import sweeping
from shared import purging
from shared.config import Settings
from tests.simulation import chaos, sites
from tests.simulation.chaos import Chaos
from tests.simulation.ports import FaultyQueue, FaultyStore, Line
from tests.simulation.world import SECRET, Server, World, new_runtime

SKEWS = ((0, 0, 0), (0, 0.3, -0.3), (-2, 0, 2), (2, -2, 0.1), (0, 5, -5))
RATES = (0.02, 0.08, 0.2)
HORIZON = timedelta(days=30)

SETTINGS = [
    Settings.model_validate({"callback_secret": SECRET, **fields})
    for fields in (
        {},
        {"grace_seconds": 5, "tombstone_seconds": 60},
        {
            "pending_seconds": 0.01,
            "provisioning_seconds": 0.01,
            "grace_seconds": 0.5,
            "deleting_seconds": 0.01,
        },
        {"running_seconds": 30, "canceling_seconds": 10, "grace_seconds": 60},
        {"quota_projects": 3, "quota_environments": 3},
    )
]

POINTS = [(point, when) for point in sites.points() for when in ("before", "after")]


@dataclass
class Plan:
    """A world before anything happens in it."""

    world: World
    line: Line
    is_calm: bool
    """Whether nothing goes wrong that the sweep would have to repair."""
    traffic: float
    """How likely others act while a request waits for its store."""
    is_cramped: bool
    """Whether pages are so small that every walk takes several, and few deployments are kept."""

    def patches(self) -> ExitStack:
        """What the world's size asks for."""
        stack = ExitStack()
        if self.is_cramped:
            for module in (purging, sweeping):
                stack.enter_context(patch.object(module, "PAGE", 1))
                stack.enter_context(patch.object(module, "MOST_PAGES", 1))
            stack.enter_context(patch.object(purging, "KEPT_DEPLOYMENTS", 1))
        return stack


def plan(seed: int) -> Plan:
    """The world of a seed."""
    random = Random(seed)
    is_calm = random.random() < 0.15
    rate = random.choice((0, 0.2)) if is_calm else random.choice(RATES)
    kinds = frozenset(chaos.HARMLESS if is_calm else chaos.KINDS)
    target = None if is_calm else POINTS[seed % len(POINTS)]
    world = World(seed, random, Chaos(random, rate, kinds, target))
    line = Line(horizon=random.choice((None, None, HORIZON)))
    settings = random.choice(SETTINGS)
    for number, seconds in enumerate(random.choice(SKEWS)):
        skew = timedelta(seconds=seconds)
        store, queue = FaultyStore(world), FaultyQueue(world, line)
        server = Server(f"server-{number}", skew, new_runtime(world, settings, store, queue, skew))
        store.server = queue.server = server
        world.servers.append(server)
    return Plan(world, line, is_calm, random.choice((0, 0.03, 0.1, 0.4)), is_cramped=random.random() < 0.25)
