"""How long things last on an instance: its settings and what requests ask for, at its speed."""

from datetime import timedelta

from shared.config import Settings
from shared.domain.environment import Pace
from shared.domain.simulation import Simulation, real, work_of
from shared.domain.timeline import Work


def pace(settings: Settings) -> Pace:
    """How long the steps of a new environment take."""
    planned = {
        "pending": settings.pending_seconds,
        "canceling": settings.canceling_seconds,
        "deleting": settings.deleting_seconds,
        "grace": settings.grace_seconds,
        "tombstone": settings.tombstone_seconds,
    }
    return Pace(**{name: real(seconds, settings.speed) for name, seconds in planned.items()})


def provisioning(settings: Settings, simulation: Simulation | None) -> Work:
    """The provisioning of an environment, as usual or as it is asked for."""
    return _work(settings, simulation, settings.provisioning_seconds)


def rollout(settings: Settings, simulation: Simulation | None = None) -> Work:
    """The rollout of a deployment, likewise."""
    return _work(settings, simulation, settings.running_seconds)


def _work(settings: Settings, simulation: Simulation | None, usual: float) -> Work:
    planned = work_of(simulation, usual, settings.deadline_seconds)
    return Work(real(planned.seconds, settings.speed), planned.outcome, planned.fail_at)


def tombstone(settings: Settings) -> timedelta:
    """How long what is deleted stays readable."""
    return timedelta(seconds=real(settings.tombstone_seconds, settings.speed))
