"""What was sent, what was answered, and what was looked at."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.fuzz.exempt import EXEMPT, Exempt


@dataclass
class Tally:
    """Of all rounds together."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By operation, or by method where a path doesn't have it, and status."""
    unanswered: int = 0
    checks: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By name and what came of it."""
    exempt: Counter[Exempt] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        return self.answers.total() + self.unanswered

    def join(self, other: "Tally") -> None:
        """All of another's."""
        self.answers += other.answers
        self.unanswered += other.unanswered
        self.checks += other.checks
        self.exempt += other.exempt

    def never_succeeded(self, operations: set[str]) -> list[str]:
        """The operations that were never answered 2xx."""
        done = {operation for operation, status in self.answers if 200 <= status < 300}
        return sorted(operations - done)

    def lines(self) -> Iterator[str]:
        """The report."""
        yield "\n== requests by operation and status"
        names = {name for name, _ in self.answers}
        for name in sorted(names, key=lambda name: name.split()[::-1]):  # by path
            counts = {status: count for (one, status), count in self.answers.items() if one == name}
            yield f"{sum(counts.values()):7,}  {name:64} {_listed(counts)}"
        statuses: Counter[int] = Counter()
        for (_, status), count in self.answers.items():
            statuses[status] += count
        yield f"{self.requests:7,}  {'in all':64} {_listed(statuses)}"
        yield "\n== checks"
        for name in sorted({name for name, _ in self.checks}):
            yield f"{self.checks[name, 'success']:7,}  {name}"
        yield "\n== what a check took for a failure and is none"
        for one in EXEMPT:
            yield f"{self.exempt[one]:7,}  {one.failure}: {one.told}: {one.reason}"


def _listed(counts: Mapping[int, int]) -> str:
    return "  ".join(f"{status}: {count:,}" for status, count in sorted(counts.items()))
