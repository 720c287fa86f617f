"""`python -m tests.fuzz [--requests N] [--seed S] [--google]`: requests made by the OpenAPI document.

Rounds come in pairs, one with the real clock (an even seed) and one with the virtual one, until it is enough.
Google's parts have the real clock only.
"""

import argparse
import json
import random
import signal
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.resources import files
from multiprocessing import active_children, get_context

from tests.fuzz.instance import Program
from tests.fuzz.round import play
from tests.fuzz.tally import Tally

DOCUMENT = json.loads((files("functions.docs") / "openapi.json").read_text())
OPERATIONS = {f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item}
ON_VIRTUAL_TIME = {"POST /api/v1/simulation/clock/advance", "GET /api/v1/simulation/clock"}
FIXED = 2_000
"""About so many requests of a round follow from the document alone, in the first two phases."""
PER_EXAMPLE = 40
"""And about so many more for each example that an operation is given in the other two."""
LEAST_EXAMPLES, MOST_EXAMPLES = 5, 200


def main() -> int:
    """Print the report; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--requests", type=int, default=20_000, help="how many to send at least")
    parser.add_argument("--seed", type=int, help="of the first round; at random if left out")
    parser.add_argument("--examples", type=int, help="one round only, with so many for each operation")
    parser.add_argument(
        "--google", action="store_true", help="to the functions as `make run-google` starts them"
    )
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    program: Program = "local.google" if wanted.google else "local"
    first = random.randrange(1_000_000) if wanted.seed is None else wanted.seed
    if wanted.examples is not None:
        return int(bool(_play(Tally(), [first], wanted.examples, program)))
    tally, failed, seed = Tally(), [], first
    while seed == first or tally.requests < wanted.requests:
        share = (wanted.requests - tally.requests) // 2
        examples = max(LEAST_EXAMPLES, min(MOST_EXAMPLES, (share - FIXED) // PER_EXAMPLE))
        failed += _play(tally, [seed, seed + 1], examples, program)
        seed += 2
    missed = tally.never_succeeded(OPERATIONS - (ON_VIRTUAL_TIME if wanted.google else set()))
    _say(
        [
            *tally.lines(),
            f"\nrequests     {tally.requests:,} in the rounds of the seeds {first} to {seed - 1}",
            f"operations   {len(OPERATIONS)}, of which never answered 2xx: {', '.join(missed) or 'none'}",
            f"failures     in {len(failed)} rounds",
            *(f"once more:   {command}" for command in failed),
        ]
    )
    return int(bool(failed or missed))


def _play(tally: Tally, seeds: list[int], examples: int, program: Program) -> list[str]:
    """Rounds at the same time; how those in which something is wrong are played once more."""
    failed = []
    # A process for each: what schemathesis is told, it is told for the whole process.
    with ProcessPoolExecutor(len(seeds), get_context("spawn"), max_tasks_per_child=1) as pool:
        for seed, played in zip(
            seeds, pool.map(partial(play, examples=examples, program=program), seeds), strict=True
        ):
            _say([played.said])
            tally.join(played.tally)
            if not played.is_well:
                google = " GOOGLE=1" if program == "local.google" else ""
                failed.append(f"make fuzz SEED={seed} EXAMPLES={examples}{google}")
    return failed


def _end(number: int, _frame: object) -> None:
    """End the rounds too, and with them their servers: else they would go on for minutes."""
    for child in active_children():
        child.terminate()
    sys.exit(128 + number)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
