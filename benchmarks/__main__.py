"""`python -m benchmarks [NAME …]`: measure, keep the raw figures, render the results.

    python -m benchmarks                  everything
    python -m benchmarks --quick          everything, too short to mean anything, in about a minute
    python -m benchmarks perf --only environment,empty --seconds 2 --rounds 1
    python -m benchmarks render           results.md from the raw figures

Raw figures go to benchmarks/raw, the results to benchmarks/results.md; with --quick both go to build/.
"""

import argparse
import json
import math
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import (
    burst,
    crash,
    followers,
    google,
    login,
    logins,
    machine,
    perf,
    repeats,
    results,
    scale,
    startup,
)
from benchmarks.processes import BUILD, ROOT
from local.google.firestore_emulator import NoEmulator

QUICK = perf.Plan(seconds=0.2, rounds=1, turns=1, projects=60, clients=(1, 32), crowds=(64,), pool=50)


def _say(text: str) -> None:
    print(text, flush=True)


def _suites(wanted: argparse.Namespace) -> Mapping[str, Callable[[], dict[str, Any]]]:
    """The measurements by name, as long as was asked for."""
    quick: bool = wanted.quick
    plan = QUICK if quick else perf.Plan(seconds=wanted.seconds, rounds=wanted.rounds)
    only = wanted.only.split(",") if wanted.only else ()
    return {
        "startup": lambda: startup.run(1 if quick else 15),
        "perf": lambda: perf.run(plan, _say, only),
        "login": lambda: login.run(10 if quick else 200),
        "logins": lambda: logins.run(20, 1.0) if quick else logins.run(),
        "burst": lambda: burst.run(1, 50) if quick else burst.run(count=wanted.environments),
        "followers": lambda: followers.run(1.0 if quick else 8.0),
        "repeats": lambda: repeats.run(20 if quick else 1_000),
        "crash": lambda: crash.run(1 if quick else 3, 20 if quick else 100),
        "google": lambda: google.run(10, 8, 2) if quick else google.run(),
        "scale": lambda: scale.run(_say, 5_000 if quick else wanted.documents),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", usage=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--environments", type=int, default=500)
    parser.add_argument("--documents", type=int, default=1_000_000)
    return parser.parse_args()


def _without_nan(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """JSON has no NaN: a figure that there is none of is null."""
    if isinstance(value, dict):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(file: Path, found: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(_without_nan(found), indent=1) + "\n", encoding="utf-8")


def _interrupted(*_: object) -> NoReturn:
    """SIGTERM unwinds, so that no server stays behind."""
    raise SystemExit(1)


def main() -> None:
    """Measure what was asked for, everything by default."""
    signal.signal(signal.SIGTERM, _interrupted)
    wanted = _arguments()
    suites = _suites(wanted)
    unknown = set(wanted.names) - {*suites, "render"}
    if unknown:
        sys.exit(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(suites)} and render")
    folder = BUILD / "benchmarks" if wanted.quick else ROOT / "benchmarks"
    for name in wanted.names or suites:
        if name in suites:
            _say(f"== {name}")
            about, began = machine.about(), time.perf_counter()
            try:
                found = suites[name]()
            except NoEmulator as fault:
                _say(f"left out: {fault}")
                continue
            about["took"] = round(time.perf_counter() - began, 1)
            _write(folder / "raw" / f"{name}.json", {"about": about, **found})
    results.render(folder)
    _say(f"rendered {(folder / 'results.md').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
