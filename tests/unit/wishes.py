"""What somebody may ask for, at random: environments, leases, deployments. Some of it can't be."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from shared.domain.deployment import Rollout
from shared.domain.environment import Environment, EnvironmentType, Pace, Policy
from shared.domain.lease import Lease
from shared.domain.simulation import PHASES, Scenario, Simulation
from shared.domain.timeline import Outcome, Work

TICK = timedelta(microseconds=1)
LONGEST = timedelta(seconds=5_000)
"""The longest lifetime of an environment."""


@dataclass(frozen=True)
class Ask:
    """What an operation is asked to do, beyond its name."""

    lease: Lease
    policy: Policy | None
    """For this deployment alone."""
    new: Rollout
    """The deployment to add."""
    number: int | None = None
    """The deployment that it is about."""
    target: str | None = None
    """The deployment to go back to, that one or one of another environment; None: the default."""

    def until(self, now: datetime) -> datetime:
        """When the lease ends, possible or not."""
        wish = self.lease.wish
        return wish if isinstance(wish, datetime) else now + timedelta(hours=wish)


def random_ask(random: Random, environment: Environment, now: datetime) -> Ask:
    policy = random.choice([None, None, None, *Policy])
    return Ask(random_lease(random, environment, now), policy, random_rollout(random, environment))


def random_environment(random: Random, now: datetime, name: str) -> Environment:
    """One of any type, lease, work and pace, as it is before it is opened."""
    kind = random.choice((EnvironmentType.EPHEMERAL, EnvironmentType.EPHEMERAL, EnvironmentType.PERSISTENT))
    lease = random.choice((1, 2, 5, 5, 10, 10, 60, random.uniform(0.001, 20)))
    ends = kind == EnvironmentType.EPHEMERAL
    return Environment(
        id=name,
        project_id="prj-a",
        name="a",
        type=kind,
        on_conflict=random.choice(list(Policy)),
        config=None,
        created_at=now,
        changed_at=now,
        expires_at=now + timedelta(seconds=lease) if ends else None,
        work=Work(
            random.choice((0, 1, 2, random.uniform(0, 3))),
            random.choices(list(Outcome), (6, 2, 1))[0],
        ),
        pace=random_pace(random),
        timeline=(),
        as_of=now,
        simulation=random_simulation(random),
    )


def random_simulation(random: Random) -> Simulation | None:
    """None mostly. What isn't flaky is work like any other: it is drawn as such."""
    return random.choice((None, None, None, Simulation(Scenario.FLAKY, random.randrange(20))))


def random_lease(random: Random, environment: Environment, now: datetime) -> Lease:
    """One that ends soon, late, at the last moment possible, or that can't be."""
    ceiling = environment.created_at + LONGEST
    if random.random() < 0.5:
        seconds = random.choice((1, 5, 5, 10, 60, random.uniform(0.001, 20), 0, 6_000))
        return Lease("hours", seconds / 3_600, LONGEST / timedelta(hours=1))
    moments = [now, now + TICK, ceiling, ceiling + TICK]
    if environment.expires_at is not None:
        moments += [environment.expires_at + timedelta(seconds=more) for more in (0, 1, 5, -0.5)]
    return Lease("until", random.choice(moments), LONGEST / timedelta(hours=1))


def random_pace(random: Random) -> Pace:
    """Round ones, so that moments coincide, crooked ones, and steps that take no time at all."""
    return Pace(
        pending=random.choice((0, 0.5, 0.5, random.random())),
        canceling=1,
        deleting=random.choice((0, 2, 2, random.random())),
        grace=random.choice((0, 5, 5, 3600)),
        tombstone=random.choice((0, 60, 604800)),
    )


def random_rollout(random: Random, environment: Environment) -> Rollout:
    return Rollout(
        id=f"dep-{environment.last_number + 1}",
        version=random.choice(("1.0", "2.0")),
        work=Work(
            random.choice((0, 0.5, 2.5, 2.5, random.uniform(0, 6), 30)),
            random.choice(list(Outcome)),
            random.choice((None, *PHASES)),
        ),
        simulation=random_simulation(random),
    )
