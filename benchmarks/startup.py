"""From process start to the first 200, and the modules that each function loads."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.processes import (
    EMPTY_THREADS,
    ROOT,
    Server,
    data_folder,
    empty_server,
    function_server,
    platform_server,
)
from shared.groups import names

_LOADED = """
import json, sys
from functions_framework import create_app
client = create_app(*sys.argv[1:3]).test_client()
assert client.get(sys.argv[3]).status_code == 200
print(json.dumps(sorted(sys.modules)))
"""


def _started(server: Server) -> float:
    try:
        return server.start()
    finally:
        server.stop()


def _loaded(target: str, source: str, probe: str, home: Path) -> set[str]:
    """Every module in the process of a function that has answered once."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, target, source, probe],
        cwd=ROOT,
        env={"PATH": "", "ENVCTL_HOME": str(home), "ENVCTL_LOG_LEVEL": "WARNING"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return set(json.loads(done.stdout))


def _top_level(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def _modules(loaded: set[str], by_empty: set[str]) -> dict[str, Any]:
    """How many in all; by name the top-level ones that the empty function has not."""
    more = _top_level(loaded) - _top_level(by_empty)
    return {
        "modules": len(loaded),
        "top_level": len(_top_level(loaded)),
        "libraries": sorted(more - set(sys.stdlib_module_names)),
        "standard_library": sorted(more & set(sys.stdlib_module_names)),
        "own": sorted(name for name in loaded if name.partition(".")[0] in {"functions", "shared", "main"}),
    }


def run(rounds: int = 5) -> dict[str, Any]:
    """Every server once per round, so that a noisy moment hits them alike."""
    targets = names()
    seconds: dict[str, list[float]] = {name: [] for name in ("platform", "empty", *targets)}
    with data_folder() as home:
        for _ in range(rounds):
            seconds["platform"].append(_started(platform_server(home)))
            seconds["empty"].append(_started(empty_server(home)))
            for target in targets:
                seconds[target].append(_started(function_server("main.py", target, home)))
        by_empty = _loaded("empty", "benchmarks/empty.py", "/", home)
        modules = {
            target: _modules(_loaded(target, "main.py", "/health", home), by_empty) for target in targets
        }
    return {
        "threads": EMPTY_THREADS,
        "seconds": {name: [round(one, 3) for one in each] for name, each in seconds.items()},
        "modules": {"empty": _modules(by_empty, by_empty), **modules},
    }
