"""What goes wrong, how often, and how often it has."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

COMMIT = {
    "conflict": "refused for too many writers at once, nothing written",
    "storm": "conflicts one after the other, for seconds",
    "timeout": "not carried out, Unavailable",
    "unknown": "carried out, Unavailable",
    "late": "Unavailable, carried out seconds later",
    "repeated": "carried out; a first try of it arrives once more seconds later",
    "overwritten": "carried out and written over by somebody else before it was looked for: Conflict",
    "misreported": "a create carried out that reports AlreadyExists",
}
READ = {"read": "Unavailable"}
ENQUEUE = {
    "queue down": "Unavailable, not accepted",
    "queue unknown": "accepted, Unavailable",
    "lost": "accepted, never delivered",
    "doubled": "delivered twice",
    "early": "delivered before its time",
    "reordered": "delivered seconds or minutes late, after others",
    "31 days late": "delivered 31 days late",
}
DELIVERY = {"unacknowledged": "delivered and answered, delivered once more"}
WORLD = {
    "purge": "all tasks of the queue removed",
    "outage": "the queue is down for a while",
    "stall": "a request waits for seconds, others go on",
    "crash before": "the server dies before a call of a port",
    "crash after": "the server dies after it",
    "deadline": "a request is ended by its time-out",
}
KINDS = {**COMMIT, **READ, **ENQUEUE, **DELIVERY, **WORLD}
"""Every kind of fault."""

HARMLESS = ("doubled", "early", "unacknowledged", "stall")
"""Faults that leave the sweep nothing to repair."""


@dataclass
class Chaos:
    """Decides about faults at random, and counts them."""

    random: Random
    rate: float
    """How likely a fault is at a call."""
    kinds: frozenset[str] = frozenset(KINDS)
    """Which kinds there are in this world."""
    target: tuple[str, str] | None = None
    """A point at which the server dies when it is first reached, and whether `before` or `after`."""
    is_on: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    crashed: set[tuple[str, str]] = field(default_factory=set)
    """Where servers have died."""
    storm: int = 0
    """How many conflicts of a storm are still to come."""

    def pick(self, among: dict[str, str]) -> str | None:
        """One of these faults, or none."""
        if not self.is_on or self.random.random() >= self.rate:
            return None
        return self.happens(self.random.choice(list(among)))

    def happens(self, kind: str) -> str | None:
        """The fault, counted, if there is such a thing in this world."""
        if not self.is_on or kind not in self.kinds:
            return None
        self.counts[kind] += 1
        return kind

    def strikes(self, kind: str, likelihood: float = 0.2) -> bool:
        """Whether this very fault happens now, so many times the rate."""
        if not self.is_on or self.random.random() >= self.rate * likelihood:
            return False
        return self.happens(kind) is not None

    def is_fatal(self, point: str, when: str) -> bool:
        """Whether the server dies at this point."""
        kind = f"crash {when}"
        if self.is_on and self.target == (point, when):
            self.target = None
            struck = self.happens(kind) is not None
        else:
            struck = self.strikes(kind)
        if struck:
            self.crashed.add((point, when))
        return struck
