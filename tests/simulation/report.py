"""Many seeds, in as many processes as there are cores, and what they add up to."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Literal

from tests.simulation import chaos, sites
from tests.simulation.client import Driver, direct, http
from tests.simulation.histories import make_history
from tests.simulation.linearizability import is_linearizable
from tests.simulation.run import Verdict, simulate

Way = Literal["use cases", "http"]
DRIVERS: dict[Way, Driver] = {"use cases": direct, "http": http}
CHUNK = 250
"""Seeds that a process takes at once."""
SHOWN = 3
"""Violations of which the report tells all."""


@dataclass
class Report:
    """What became of some seeds."""

    lifecycles: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    crashed: set[tuple[str, str]] = field(default_factory=set)
    commits: int = 0
    requests: int = 0
    failed: list[Verdict] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        """Another seed's."""
        self.lifecycles += 1
        self.operations.update(verdict.operations)
        self.faults.update(verdict.faults)
        self.crashed |= verdict.crashed
        self.commits += verdict.commits
        self.requests += verdict.requests
        self.digests.append(verdict.digest)
        if verdict.violations:
            self.failed.append(verdict)

    def join(self, other: "Report") -> None:
        """All of another's, whose seeds follow."""
        self.lifecycles += other.lifecycles
        self.operations += other.operations
        self.faults += other.faults
        self.crashed |= other.crashed
        self.commits += other.commits
        self.requests += other.requests
        self.failed += other.failed
        self.digests += other.digests

    @property
    def unreached(self) -> list[tuple[str, str]]:
        """Crash points at which no server has died."""
        return [
            (at, when)
            for at in sites.points()
            for when in ("before", "after")
            if (at, when) not in self.crashed
        ]

    @property
    def digest(self) -> str:
        """A code of everything that happened in every seed."""
        return hashlib.sha256(" ".join(self.digests).encode()).hexdigest()[:16]

    def lines(self) -> Iterator[str]:
        """For people."""
        per_life = sum(self.operations.values()) / max(1, self.lifecycles)
        all_points = 2 * len(sites.points())
        yield f"lifecycles   {self.lifecycles:,}, {per_life:.1f} accepted operations each"
        yield f"requests     {self.requests:,}, tasks included; {self.commits:,} commits"
        yield f"operations   {_listed(self.operations, self.operations)}"
        yield f"faults       {_listed(self.faults, chaos.KINDS)}"
        yield f"crash points {all_points - len(self.unreached)} of {all_points} reached"
        yield from (f"  not reached: {when} {point}" for point, when in self.unreached)
        yield f"digest       {self.digest}"
        yield f"violations   {len(self.failed)}"
        for verdict in self.failed[:SHOWN]:
            yield f"\nseed {verdict.seed}"
            yield from verdict.violations
            yield from verdict.trace


def _listed(counts: Counter[str], names: Iterable[str]) -> str:
    return ", ".join(f"{name} {counts[name]:,}" for name in sorted(names, key=lambda name: -counts[name]))


def report_on(seeds: Iterable[int], way: Way) -> Report:
    """These seeds, one after the other."""
    report = Report()
    for seed in seeds:
        report.add(simulate(seed, DRIVERS[way]))
    return report


def unlinearizable(seeds: Iterable[int]) -> tuple[int, list[int]]:
    """How many operations the histories of these seeds have, and which of them no order explains."""
    histories = {seed: make_history(seed) for seed in seeds}
    failed = [seed for seed, history in histories.items() if not is_linearizable(history)]
    return sum(len(history.operations) for history in histories.values()), failed


def check_histories(first: int, count: int) -> tuple[int, list[int]]:
    """The same of so many seeds from the first on, in as many processes as there are cores."""
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        parts = pool.map(unlinearizable, _ranges(first, count), chunksize=1)
    return sum(operations for operations, _ in parts), [seed for _, failed in parts for seed in failed]


def _ranges(first: int, count: int) -> list[range]:
    return [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)]


def run_all(first: int, count: int, way: Way) -> Report:
    """So many seeds from the first on. Which process takes which makes no difference."""
    report = Report()
    with get_context("spawn").Pool(os.cpu_count()) as pool:
        for part in pool.starmap(report_on, [(seeds, way) for seeds in _ranges(first, count)], chunksize=1):
            report.join(part)
    return report
