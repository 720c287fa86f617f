"""`python -m tests.simulation --seeds N [--http N] [--histories N] [--first S]`: simulate, and report."""

import argparse
import sys
import time
from collections.abc import Iterable

from tests.simulation.client import direct
from tests.simulation.report import DRIVERS, Way, check_histories, run_all
from tests.simulation.run import simulate


def main() -> int:
    """Print the report; 1 if anything is violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=1_000, help="lifecycles through the use cases")
    parser.add_argument("--http", type=int, default=0, help="lifecycles through HTTP")
    parser.add_argument("--histories", type=int, default=0, help="histories of 8 clients to check")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--trace", action="store_true", help="show all that happens, in the first seed alone")
    wanted = parser.parse_args()
    if wanted.trace:
        return _trace(wanted.first)
    counts: dict[Way, int] = {"use cases": wanted.seeds, "http": wanted.http}
    failed = 0
    for way in DRIVERS:
        if counts[way]:
            began = time.monotonic()
            report = run_all(wanted.first, counts[way], way)
            _say([f"\n== {way}, {time.monotonic() - began:.0f} s", *report.lines()])
            failed += len(report.failed)
    if wanted.histories:
        began = time.monotonic()
        operations, unexplained = check_histories(wanted.first, wanted.histories)
        _say(
            [
                f"\n== histories of 8 clients, {time.monotonic() - began:.0f} s",
                f"histories    {wanted.histories:,} with {operations:,} operations",
                f"violations   {len(unexplained)} {unexplained[:10] or ''}",
            ]
        )
        failed += len(unexplained)
    return int(failed > 0)


def _trace(seed: int) -> int:
    """Everything that happens in a seed."""
    verdict = simulate(seed, direct)
    _say([*verdict.trace, f"digest {verdict.digest}", *verdict.violations])
    return int(bool(verdict.violations))


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
