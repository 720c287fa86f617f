"""Who may import what, and what each function loads: the rules that keep the parts apart."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from tests.functions.started import ON_GOOGLE

ROOT = Path(__file__).parents[2]
FOLDERS = ("functions", "shared", "local")
FILES = [
    *sorted(path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")),
    Path("main.py"),
]
GROUPS = sorted(path.parent.name for path in ROOT.glob("functions/*/__init__.py"))
IMPURE = {
    "flask",
    "google",
    "werkzeug",
    "os",
    "time",
    "random",
    "uuid",
    "secrets",
    "pydantic",
    "sqlite3",
    "socket",
}


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at the top or within a function."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _top_imports(module: str) -> Iterator[str]:
    """What a module imports when it is imported."""
    path = (ROOT / module.replace(".", "/")).with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body if path.exists() else ():
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}."


def _is_within(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def _is_adapter_allowed(me: str, name: str) -> bool:
    at_home = _is_within(me, "shared.adapters") or me == "shared.runtime"
    return at_home or (_is_within(me, "local") and name.startswith("shared.adapters.sqlite"))


Rule = Callable[[str, str], bool]
"""Whether a module must not import a name."""

RULES: dict[str, Rule] = {
    "the domain is pure": lambda me, name: (
        _is_within(me, "shared.domain") and name.partition(".")[0] in IMPURE
    ),
    "the domain stands on its own": lambda me, name: (
        _is_within(me, "shared.domain")
        and _is_within(name, "shared")
        and not name.startswith(("shared.domain", "shared.errors", "shared.account_errors"))
    ),
    "groups don't import groups, and nobody else imports one": lambda me, name: (
        _is_within(name, "functions") and not _is_within(name, ".".join(me.split(".")[:2]))
    ),
    "only the composition root imports adapters": lambda me, name: (
        _is_within(name, "shared.adapters") and not _is_adapter_allowed(me, name)
    ),
    "Google's libraries are the adapters' business, and their stand-ins'": lambda me, name: (
        _is_within(name, "google")
        and not _is_within(me, "shared.adapters")
        and not _is_within(me, "local.google")
    ),
    "only the local server is local": lambda me, name: (
        _is_within(name, "local") and not _is_within(me, "local")
    ),
    "only the auth function hashes passwords": lambda me, name: (
        name == "shared.passwords" and not me.startswith("functions.auth.")
    ),
    "no function makes the document that it serves": lambda _me, name: name == "shared.http.openapi",
    "an adapter speaks no HTTP": lambda me, name: (
        _is_within(me, "shared.adapters") and name.startswith(("shared.http", "shared.runtime", "flask"))
    ),
}


def _faults(path: Path, name: str) -> list[str]:
    """The rules that a file's import breaks."""
    return [rule for rule, is_broken in RULES.items() if is_broken(_module(path), name)]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_imports_what_it_may(path: Path) -> None:
    found = [f"{name}: {fault}" for name in _imports(path) for fault in _faults(path, name)]
    assert found == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("functions/auth/x.py", "functions.projects.schemas"),
        ("functions/auth/x.py", "shared.adapters.sqlite"),
        ("shared/domain/x.py", "os"),
        ("shared/domain/x.py", "google.cloud"),
        ("shared/domain/x.py", "shared.ports.Ref"),
        ("shared/http/x.py", "google.auth"),
        ("shared/x.py", "functions.auth.routes"),
        ("local/server.py", "google.cloud.tasks_v2"),
        ("shared/reading.py", "shared.adapters.sqlite_store"),
        ("functions/tasks/x.py", "shared.passwords"),
    ],
)
def test_what_it_may_not_would_be_found(path: str, name: str) -> None:
    assert list(_faults(Path(path), name))


def test_only_config_reads_the_environment() -> None:
    readers = set()
    for path in FILES:
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            names = {getattr(node, "attr", None), getattr(node, "id", None)}
            if names & {"environ", "getenv", "environb"} and not _is_wsgi(node):
                readers.add(str(path))
    assert {path for path in readers if not path.startswith("local")} == {"shared/config.py", "main.py"}, (
        "and main sets a variable for pydantic"
    )


def _is_wsgi(node: ast.AST) -> bool:
    """`request.environ` is a request's, not the process's."""
    value = getattr(node, "value", None)
    return isinstance(value, ast.Name) and value.id == "request"


LOAD = """
import gc, importlib, json, os, sys, socket, sqlite3, threading
opened = []
def watch(event, arguments):
    if event in {"sqlite3.connect", "socket.connect", "socket.bind", "os.mkdir", "os.remove"}:
        opened.append([event, str(arguments)])
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        opened.append([event, str(arguments[:2])])
sys.addaudithook(watch)
sys.dont_write_bytecode = True
def load(name):
    module, _, called = name.partition(":")
    if called:
        getattr(importlib.import_module(module), called)()
    elif "." in name:
        importlib.import_module(name)
    else:
        groups.entry_point(name)
def is_client(kind):
    return kind.startswith(("grpc", "google")) and kind.endswith(("Client", "Channel"))
groups = importlib.import_module("shared.groups")
threads = threading.active_count()
for run in json.loads(sys.argv[1]):
    if os.fork():
        if os.wait()[1]:
            sys.exit(f"{run} failed")
        continue
    for name in run:
        load(name)
    kinds = {f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects()}
    opened += [[kind] for kind in filter(is_client, kinds)]
    threads += threading.active_count() - 1
    print(json.dumps([sorted(sys.modules), opened, threads, os.listdir(os.environ["HOME"])]), flush=True)
    os._exit(0)
"""
"""Each run goes on, in a fork, from what is loaded before a function is looked for."""
SETTINGS = {"on this machine": {"ENVCTL_LOG_LEVEL": "INFO"}, "on Google's parts": ON_GOOGLE}
RUNTIME = "shared.runtime:runtime"
MODULES = tuple(_module(path) for path in FILES if path.parts[0] != "local" and "." in _module(path))
LATE = [name for name in MODULES if any(part.startswith("google.") for part in _top_imports(name))]
"""What an adapter loads at its first use, because it loads Google's libraries with itself."""
EARLY = tuple(name for name in MODULES if name not in LATE)
RUNS = [*((name,) for name in GROUPS), EARLY]
MORE = {"on Google's parts": [*((name, RUNTIME) for name in GROUPS), MODULES]}


class Loaded(NamedTuple):
    """What an interpreter has done after importing some names."""

    modules: set[str]
    opened: list[list[str]]
    """Files to write, folders, sockets, databases, and clients."""
    threads: int
    left: list[str]
    """What is in its home."""


@cache
def _loaded(where: str) -> dict[tuple[str, ...], Loaded]:
    runs = RUNS + MORE.get(where, [])
    with TemporaryDirectory() as home:
        environment = {"ENVCTL_HOME": f"{home}/home", "PATH": "", "HOME": home, **SETTINGS[where]}
        command = [sys.executable, "-c", LOAD, json.dumps(runs)]
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    lines = map(json.loads, run.stdout.splitlines())
    found = (Loaded(set(modules), *others) for modules, *others in lines)
    return dict(zip(runs, found, strict=True))


HEAVY = {
    "passlib",
    "argon2",
    "jwt",
    "cryptography",
    "requests",
    "google.auth",
    "google.api_core",
    "google.cloud.firestore",
    "google.cloud.firestore_v1",
    "google.cloud.tasks",
    "google.cloud.tasks_v2",
    "grpc",
    "functions_framework",
    "local",
}
"""What is loaded at its first use, or never."""


@pytest.mark.parametrize("where", SETTINGS)
@pytest.mark.parametrize("name", GROUPS)
def test_a_function_loads_what_it_needs_and_touches_nothing(name: str, where: str) -> None:
    modules, opened, threads, left = _loaded(where)[name,]
    assert {module for module in modules if module.startswith("functions.")} >= {f"functions.{name}"}
    others = {f"functions.{other}" for other in GROUPS if other != name}
    assert others & modules == set()
    assert modules & HEAVY == set()
    assert ("shared.passwords" in modules) == (name == "auth")
    assert {module for module in modules if module.startswith("shared.adapters.")} == set()
    assert "shared.http.openapi" not in modules
    assert (opened, threads, left) == ([], 1, [])


@pytest.mark.parametrize("name", GROUPS)
def test_a_runtime_on_googles_parts_has_no_client_yet(name: str) -> None:
    modules, opened, threads, left = _loaded("on Google's parts")[name, RUNTIME]
    assert modules & HEAVY == set()
    assert {module for module in modules if module.startswith("shared.adapters.sqlite")} == set()
    assert (opened, threads, left) == ([], 1, [])


@pytest.mark.parametrize("where", SETTINGS)
def test_importing_every_module_touches_nothing(where: str) -> None:
    modules, opened, threads, left = _loaded(where)[EARLY]
    assert modules & HEAVY == set()
    assert (opened, threads, left) == ([], 1, [])


def test_googles_libraries_are_loaded_without_making_a_client() -> None:
    assert {name.partition("_")[0] for name in LATE} == {"shared.adapters.firestore"}
    modules, opened, threads, left = _loaded("on Google's parts")[MODULES]
    assert modules >= {"grpc", "google.cloud.firestore_v1"}
    assert [one for one in opened if one[0] != "socket.bind"] == [], "urllib3 asks for IPv6 with a bind"
    assert (threads, left) == (1, [])
