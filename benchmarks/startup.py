"""From process start to the first 200, and the modules that each function loads."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.figures import Verdict
from benchmarks.load import median
from benchmarks.processes import (
    EMPTY_THREADS,
    ROOT,
    Server,
    data_folder,
    empty_server,
    function_server,
    platform_server,
)
from benchmarks.sections import Section, table
from local.google.firestore_emulator import NoEmulator, firestore_emulator
from shared.groups import names

_LOADED = """
import json, sys
from functions_framework import create_app
client = create_app(*sys.argv[1:3]).test_client()
assert client.get(sys.argv[3]).status_code == 200
print(json.dumps(sorted(sys.modules)))
"""


ON_GOOGLE = " on Google's parts"
BOTH_CLIENTS = ("deployments", "environments", "projects", "tasks")
"""The functions that enqueue too."""
_KEY = base64.b64encode(bytes(range(32))).decode()


def _started(server: Server) -> tuple[float, float]:
    """Seconds to the first 200, and of CPU until then."""
    try:
        return server.start(), server.cpu_seconds
    finally:
        server.stop()


def _google(emulator: str) -> dict[str, str]:
    """The settings of a function on Google's parts. Its start needs of them the database alone."""
    return {
        "ENVCTL_PROJECT": "envctl-local",
        "ENVCTL_DATABASE": "startup",
        "ENVCTL_QUEUE": "projects/envctl-local/locations/local/queues/startup",
        "ENVCTL_TASKS_URL": "http://127.0.0.1:1",
        "ENVCTL_TASKS_ACCOUNT": "tasks@envctl-local.iam.gserviceaccount.com",
        "ENVCTL_TASKS_ENDPOINT": "127.0.0.1:1",
        "ENVCTL_SIGNING_KEY": _KEY,
        "ENVCTL_IDENTITY_KEY": _KEY,
        "FIRESTORE_EMULATOR_HOST": emulator,
    }


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


def _servers(home: Path, emulator: str | None) -> dict[str, Callable[[], Server]]:
    servers: dict[str, Callable[[], Server]] = {
        "platform": partial(platform_server, home),
        "empty": partial(empty_server, home),
    }
    for target in names():
        servers[target] = partial(function_server, "main.py", target, home)
    for target in names() if emulator else ():
        more = _google(emulator or "")
        servers[target + ON_GOOGLE] = partial(function_server, "main.py", target, home, more=more)
    return servers


@contextmanager
def _emulator() -> Iterator[str | None]:
    """Where Firestore's emulator listens; None where there is none."""
    with ExitStack() as running:
        try:
            found = running.enter_context(firestore_emulator())
        except NoEmulator:
            yield None
        else:
            yield found.host


def run(rounds: int = 15) -> dict[str, Any]:
    """Every server once per round, so that a noisy moment hits them alike."""
    with data_folder() as home, _emulator() as emulator:
        servers = _servers(home, emulator)
        for make in servers.values():
            _started(make())  # the first one compiles what it loads, as building a Cloud Function does
        measured = [{name: _started(make()) for name, make in servers.items()} for _ in range(rounds)]
        by_empty = _loaded("empty", "benchmarks/empty.py", "/", home)
        modules = {
            target: _modules(_loaded(target, "main.py", "/health", home), by_empty) for target in names()
        }
    return {
        "threads": EMPTY_THREADS,
        "seconds": {name: [round(each[name][0], 3) for each in measured] for name in servers},
        "cpu_seconds": {name: [round(each[name][1], 2) for each in measured] for name in servers},
        "modules": {"empty": _modules(by_empty, by_empty), **modules},
    }


def section(found: dict[str, Any]) -> Section:
    """Process start to the first 200."""
    seconds, cpu = found["seconds"], found["cpu_seconds"]
    times = {name: median(each) / median(seconds["empty"]) for name, each in seconds.items()}
    titles = {"platform": "the whole platform (`make run`)", "empty": "an empty function"}
    rows = []
    for name, each in seconds.items():
        wall = f"{median(each):.3f}", f"{min(each):.2f} to {max(each):.2f}", f"{times[name]:.2f}"
        rows.append(
            (titles.get(name, name), *wall, f"{median(cpu[name]):.2f}", *_more(found["modules"].get(name)))
        )
    head = (
        "",
        "seconds",
        "range",
        "of the empty one",
        "CPU",
        "modules",
        "own",
        "more than the empty function",
    )
    return [
        "## Start",
        "",
        (
            "Seconds from process start to the first 200, medians; each function alone under "
            f"functions-framework ({found['threads']} threads), as the cloud starts it, asked for "
            "/health, which reads the database. On Google's parts that loads Firestore's client; Cloud "
            "Tasks' is loaded with the first task. CPU is that of all its processes until then. Bytecode is "
            "there, as it is in the cloud. Modules are those in the process once it has answered; by name, "
            "the top-level ones that the empty function's process has not."
        ),
        "",
        *table(head, rows),
    ], _verdicts(times)


def _more(modules: dict[str, Any] | None) -> tuple[object, ...]:
    if modules is None:
        return "", "", ""
    return (
        modules["modules"],
        len(modules["own"]),
        ", ".join(modules["libraries"] + modules["standard_library"]),
    )


def _verdicts(times: Mapping[str, float]) -> list[Verdict]:
    """What starts may take, in times of an empty function's."""
    both = [times[name + ON_GOOGLE] for name in BOTH_CLIENTS if name + ON_GOOGLE in times]
    found = [
        Verdict(
            "auth starts within 1.3 times an empty function",
            f"{times['auth']:.2f} x",
            met=times["auth"] <= 1.3,
        )
    ]
    if both:
        target = "Functions with Google's clients start within 2.5 times an empty one"
        found.append(Verdict(target, f"at most {max(both):.2f} x", met=max(both) <= 2.5))
    return found
