"""A deployment's log as a pure function of the deployment and a moment.

Nothing is written: lines follow from id, version, start and work, and appear when their time has
come. They are cut at the actual end, so an end that comes early never rewrites what was shown. A
cancel that has been asked for is no end yet: work goes on until it is over, and a server whose clock
is ahead has shown lines of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.deployment import FAILED, MACHINE, SUCCEEDED, Deployment, failing_phase, phase_end
from shared.domain.simulation import PHASES
from shared.domain.timeline import step_at


class Level(StrEnum):
    """How severe a line is, from the least severe on."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_SEVERITY = list(Level)
_LINES = {
    "validate": ("Validating version {version}", "Version {version} is well-formed"),
    "fetch": ("Fetching {version}", "Fetched image sha256:{digest} ({size} MB)"),
    "configure": ("Applying the environment's configuration", "Configuration applied"),
    "release": ("Starting {version}", "All replicas of {version} are ready"),
    "verify": ("Probing the health endpoint", "{version} answers, {latency} ms"),
}
_ENDS: dict[str, tuple[Level, str]] = {
    SUCCEEDED: (Level.INFO, "Deployment succeeded"),
    FAILED: (Level.ERROR, "Deployment failed: {reason}"),
}
_OTHER_END = (Level.WARNING, "Deployment {status}: {reason}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a log."""

    seq: int
    """1, 2, 3 … within the deployment."""
    time: datetime
    level: Level
    step: str
    """validate, fetch, configure, release or verify."""
    message: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a log."""

    entries: Sequence[Entry]
    next_after: int
    """The entry that the next page starts after."""
    is_last: bool
    """Whether no line will ever follow."""


def entries(deployment: Deployment, now: datetime) -> list[Entry]:
    """The lines whose time has come, in order."""
    lines = _work_lines(deployment)
    ending = _end_line(deployment, now, lines)
    if ending is not None:
        lines = [line for line in lines if line[0] <= ending[0]] + [ending]
    shown = [line for line in lines if line[0] <= now]
    return [Entry(seq, *line) for seq, line in enumerate(shown, start=1)]


def page(
    deployment: Deployment,
    now: datetime,
    after: int = 0,
    least: Level = Level.INFO,
    limit: int | None = None,
) -> Page:
    """The lines after the one with a number, those that are severe enough, so many at most.

    Lines that are too harmless to be shown are passed over for good: the next page starts after them.
    """
    following = [entry for entry in entries(deployment, now) if entry.seq > after]
    severe = [entry for entry in following if _SEVERITY.index(entry.level) >= _SEVERITY.index(least)]
    shown = severe[:limit]
    if len(shown) < len(severe):
        return Page(shown, shown[-1].seq, is_last=False)
    return Page(shown, following[-1].seq if following else after, is_complete(deployment, now))


def next_at(deployment: Deployment, now: datetime) -> datetime | None:
    """When the next line is due by the plan; None when there is none."""
    planned = entries(deployment, deployment.ends_at)
    return next((entry.time for entry in planned if entry.time > now), None)


def is_complete(deployment: Deployment, now: datetime) -> bool:
    """Whether no line will ever be added."""
    return MACHINE.is_terminal(deployment.status_at(now))


_Line = tuple[datetime, Level, str, str]


def _work_lines(deployment: Deployment) -> list[_Line]:
    """What undisturbed work says when a phase begins and when it is over, up to the phase that fails."""
    started_at, work = deployment.started_at, deployment.work
    if started_at is None:
        return []
    facts, failing = _facts(deployment), failing_phase(work)
    lines: list[_Line] = []
    begins = started_at
    for phase, texts in _LINES.items():
        ends = phase_end(work, started_at, phase)
        said = texts[:1] if phase == failing else texts
        times = (begins, ends)
        lines += [
            (at, Level.INFO, phase, text.format(**facts)) for at, text in zip(times, said, strict=False)
        ]
        if phase == failing:
            break
        begins = ends
    return lines


def _end_line(deployment: Deployment, now: datetime, lines: list[_Line]) -> _Line | None:
    last = step_at(deployment.timeline, now)
    if not MACHINE.is_terminal(last.status):
        return None
    level, text = _ENDS.get(last.status, _OTHER_END)
    said = [line[2] for line in lines if line[0] <= last.at]
    message = text.format(status=last.status, reason=last.reason)
    return (last.at, level, said[-1] if said else next(iter(PHASES)), message)


def _facts(deployment: Deployment) -> dict[str, object]:
    """Details that look like a rollout's and are the same at every read."""
    digest = hashlib.sha256(f"{deployment.id} {deployment.version}".encode()).hexdigest()
    return {
        "version": deployment.version,
        "digest": digest[:12],
        "size": 40 + int(digest[12:14], 16),
        "latency": 5 + int(digest[15:17], 16) % 40,
    }
