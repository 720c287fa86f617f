"""From process start to the first 200, and the modules that each function loads."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from google.cloud.tasks_v2 import types

from benchmarks.figures import Verdict
from benchmarks.first_requests import First, first_requests, seconds_of
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
from local.google.cloud_tasks import cloud_tasks_peer
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
QUEUE = "projects/envctl-local/locations/local/queues/startup"
_KEY = base64.b64encode(bytes(range(32))).decode()


@dataclass(frozen=True, slots=True)
class _Google:
    """Where Google's parts are."""

    emulator: str
    tasks: str


class _Start(NamedTuple):
    seconds: float
    """To the first 200."""
    cpu: float
    """Until then."""
    first: float | None = None
    """What the first real request takes then."""
    first_cpu: float | None = None


def _started(server: Server, first: First | None = None) -> _Start:
    try:
        seconds, cpu = server.start(), server.cpu_seconds
        if first is None:
            return _Start(seconds, cpu)
        return _Start(seconds, cpu, seconds_of(first, server), server.cpu_seconds - cpu)
    finally:
        server.stop()


def _settings(google: _Google) -> dict[str, str]:
    """The settings of a function on Google's parts."""
    return {
        "ENVCTL_PROJECT": "envctl-local",
        "ENVCTL_DATABASE": "startup",
        "ENVCTL_QUEUE": QUEUE,
        "ENVCTL_TASKS_URL": "http://127.0.0.1:1",
        "ENVCTL_TASKS_ACCOUNT": "tasks@envctl-local.iam.gserviceaccount.com",
        "ENVCTL_TASKS_ENDPOINT": google.tasks,
        "ENVCTL_SIGNING_KEY": _KEY,
        "ENVCTL_IDENTITY_KEY": _KEY,
        "FIRESTORE_EMULATOR_HOST": google.emulator,
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


def _servers(home: Path, google: _Google | None) -> dict[str, Callable[[], Server]]:
    servers: dict[str, Callable[[], Server]] = {
        "platform": partial(platform_server, home),
        "empty": partial(empty_server, home),
    }
    for target in names():
        servers[target] = partial(function_server, "main.py", target, home)
    if google is not None:
        more = _settings(google)
        for target in names():
            servers[target + ON_GOOGLE] = partial(function_server, "main.py", target, home, more=more)
    return servers


@contextmanager
def _google(folder: Path) -> Iterator[_Google | None]:
    """Google's emulator, and a queue that takes tasks; None where there is no emulator."""
    with ExitStack() as running:
        try:
            found = running.enter_context(firestore_emulator())
        except NoEmulator:
            yield None
        else:
            queues = [types.Queue(name=QUEUE)]
            peer = running.enter_context(cloud_tasks_peer(folder / "tasks", queues=queues, threads=0))
            yield _Google(found.host, peer.endpoint)


def _firsts(servers: Mapping[str, Callable[[], Server]]) -> dict[str, First]:
    """The first real requests, by server."""
    found = {}
    for place in ("", ON_GOOGLE):
        here = {name: servers[name + place] for name in names() if name + place in servers}
        if here:
            found.update({name + place: first for name, first in first_requests(here).items()})
    return found


def run(rounds: int = 15) -> dict[str, Any]:
    """Every server once per round, so that a noisy moment hits them alike."""
    with data_folder() as home, _google(home) as google:
        servers = _servers(home, google)
        firsts = _firsts(servers)
        for make in servers.values():
            _started(make())  # the first one compiles what it loads, as building a Cloud Function does
        measured = [
            {name: _started(make(), firsts.get(name)) for name, make in servers.items()}
            for _ in range(rounds)
        ]
        by_empty = _loaded("empty", "benchmarks/empty.py", "/", home)
        modules = {
            target: _modules(_loaded(target, "main.py", "/health", home), by_empty) for target in names()
        }
    return {
        "threads": EMPTY_THREADS,
        "seconds": {name: [round(each[name].seconds, 3) for each in measured] for name in servers},
        "cpu_seconds": {name: [round(each[name].cpu, 2) for each in measured] for name in servers},
        "first": {name: [each[name].first for each in measured] for name in firsts},
        "first_cpu": {name: [each[name].first_cpu for each in measured] for name in firsts},
        "modules": {"empty": _modules(by_empty, by_empty), **modules},
    }


_HEAD = (
    "",
    "seconds",
    "range",
    "of the empty one",
    "CPU",
    "of the empty one's",
    "first POST",
    "its CPU",
    "modules",
    "own",
    "more than the empty function",
)
_ABOUT = (
    "Seconds from process start to the first 200, medians; each function alone under "
    "functions-framework ({threads} threads), as the cloud starts it, asked for "
    "/health, which reads the database. On Google's parts that loads Firestore's client; Cloud "
    "Tasks' is loaded with the first task. CPU is that of all its processes until then. What was not "
    "loaded yet, the first real request loads, which comes next and alone: a login (argon2), or a "
    "POST that makes a project, an environment (its task too) or a deployment (likewise). Bytecode "
    "is there, as it is in the cloud. Modules are those in the process once it has answered; by "
    "name, the top-level ones that the empty function's process has not."
)


def section(found: dict[str, Any]) -> Section:
    """Process start to the first 200."""
    seconds, cpu = found["seconds"], found["cpu_seconds"]
    times = {name: median(each) / median(seconds["empty"]) for name, each in seconds.items()}
    titles = {"platform": "the whole platform (`make run`)", "empty": "an empty function"}
    rows = []
    for name, each in seconds.items():
        wall = f"{median(each):.3f}", f"{min(each):.2f} to {max(each):.2f}", f"{times[name]:.2f}"
        rows.append(
            (
                titles.get(name, name),
                *wall,
                f"{median(cpu[name]):.2f}",
                f"{median(cpu[name]) / median(cpu['empty']):.2f}",
                *_first(found, name),
                *_more(found["modules"].get(name)),
            )
        )
    return [
        "## Start",
        "",
        _ABOUT.format(threads=found["threads"]),
        "",
        *table(_HEAD, rows),
    ], _verdicts(times)


def _first(found: Mapping[str, Any], name: str) -> tuple[str, str]:
    """What the first real request took."""
    if name not in found.get("first", {}):
        return "", ""
    return f"{median(found['first'][name]):.3f}", f"{median(found['first_cpu'][name]):.2f}"


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
