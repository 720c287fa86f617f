"""A lifecycle as an ordered list of steps: those whose time has come are history, the rest is the plan.

The status at a moment is that of the last step whose time has come. Several steps may share a
moment; the last of them counts.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from shared.errors import TimelineFull

TERMINAL = "terminal"
"""What stands for every terminal status where one may be waited for."""
MOST_STEPS = 200
"""A timeline is part of a document, and a document is bounded."""


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on the status is `status`, because of `reason` (a snake_case word, or None)."""

    at: datetime
    status: str
    reason: str | None = None


Timeline = tuple[Step, ...]


def step_at(timeline: Timeline, now: datetime) -> Step:
    """The last step whose time has come; the first one before that."""
    reached = timeline[0]
    for step in timeline[1:]:
        if step.at > now:
            break
        reached = step
    return reached


def history(timeline: Timeline, now: datetime) -> list[Step]:
    """The steps whose time has come. They never change again."""
    return [step for step in timeline if step.at <= now]


def next_at(timeline: Timeline, now: datetime) -> datetime | None:
    """When the next planned step is due; None when nothing is planned."""
    return next((step.at for step in timeline if step.at > now), None)


class IllegalTimeline(ValueError):
    """Steps that no lifecycle may contain: out of order, an illegal move, or no end."""


@dataclass(frozen=True)
class Machine:
    """The legal moves of one kind of object, as data: the API serves it, the docs draw it, tests walk it."""

    name: str
    moves: Mapping[str, AbstractSet[str]]
    """Every status with those that may follow it."""
    initial: str
    stable: AbstractSet[str]
    """Statuses that a plan may end in: nobody has to do anything for the object to be all right."""

    @property
    def statuses(self) -> list[str]:
        """Every status, in the order of a life."""
        return list(self.moves)

    @property
    def transient(self) -> list[str]:
        """Statuses that something follows by itself."""
        return [status for status in self.moves if status not in self.stable]

    @property
    def terminal(self) -> list[str]:
        """Statuses that nothing follows."""
        return [status for status in self.moves if self.is_terminal(status)]

    def following(self, status: str) -> list[str]:
        """The statuses that may follow one, in the order of a life."""
        return [other for other in self.moves if other in self.moves[status]]

    def is_terminal(self, status: str) -> bool:
        """Whether nothing follows the status."""
        return not self.moves[status]

    def is_ahead(self, target: str, status: str) -> bool:
        """Whether a life in one status may yet come to another, or to `terminal`, by going on.

        Moves back in the order of a life don't count: what has failed or expired lives on only if
        somebody has it begin anew.
        """
        if target == TERMINAL:
            return not self.is_terminal(status)
        order = self.statuses
        onward = [other for other in self.moves[status] if order.index(other) > order.index(status)]
        return target in onward or any(self.is_ahead(target, other) for other in onward)

    def timeline(self, steps: Iterable[Step]) -> Timeline:
        """The steps as a timeline; raises IllegalTimeline, or TimelineFull beyond 200 steps.

        One that ends in a transient status can't be made, so nothing can be stuck.
        """
        timeline = tuple(steps)
        if not timeline or timeline[0].status != self.initial:
            raise IllegalTimeline(f"a {self.name} starts as {self.initial}")
        for before, after in pairwise(timeline):
            if after.at < before.at or after.status not in self.moves[before.status]:
                raise IllegalTimeline(f"{self.name}: {after} can't follow {before}")
        if timeline[-1].status not in self.stable:
            raise IllegalTimeline(f"a {self.name} can't end {timeline[-1].status}")
        if len(timeline) > MOST_STEPS:
            raise TimelineFull(self.name, MOST_STEPS)
        return timeline


DEADLINE_EXCEEDED = "deadline_exceeded"
"""The reason of a step to `failed` of what hangs."""


class Outcome(StrEnum):
    """How a piece of simulated work ends."""

    SUCCEED = "succeed"
    FAIL = "fail"
    HANG = "hang"
    """It does not get done; at its deadline it has failed."""


@dataclass(frozen=True, slots=True)
class Work:
    """Simulated work, fixed when it is begun: how long it takes and how it ends."""

    seconds: float
    """By the clock; to the deadline if it hangs."""
    outcome: Outcome = Outcome.SUCCEED
    fail_at: str | None = None
    """The step of a deployment at whose end it fails, or in which it hangs; None means the last one."""
