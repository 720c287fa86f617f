"""Where the product calls its store and its queue: read from the code, and told at run time.

A point is a way there, from a route's handler (or from `change_environment`, which all changes of an
environment share) by the functions that it calls.
Whoever adds a call adds a point, and the simulator must reach it.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FOLDERS = ("functions/projects", "functions/environments", "functions/deployments", "functions/tasks")
FILES = [
    *sorted((ROOT / "shared").glob("*.py")),
    *(path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py"))),
]
PORTS = {
    "store": {"get", "get_many", "find", "count", "commit"},
    "queue": {"enqueue"},
}
ROOTS = {"changing.change_environment"}
"""Where a way begins though somebody calls it: what is done there doesn't depend on who."""
LEFT_OUT = (
    "api_tokens.",
    "reading.prove",
    "projects.use_cases._one_project",
    "history._last_succeeded",
    "leaving.",
    "settling._settle_closed_account",
    "member_routes.",
    "auditing.note_refusal",
    "runtime.",
)
"""What only a caller with an API token meets, whose document is looked up beside and its use noted; a read of
what was live more than ten deployments ago; what becomes of an account that ends, which has tests of its own;
who is a member, and refusals in the audit, which docs/faults.md tries under every fault; and the start of a
server. No lifecycle depends on them."""
THROUGH = {"changing.until_committed"}
"""What only calls again."""


class Leaf(NamedTuple):
    """A call of a port."""

    function: str
    port: str
    first_line: int
    last_line: int


class Graph:
    """The product's functions, what they call, and their calls of the ports."""

    def __init__(self) -> None:
        self.callers: dict[str, set[str]] = {}
        self.handed_on: set[str] = set()
        """Functions that somebody else is given to call: ways begin there too."""
        self.leaves: dict[Path, list[Leaf]] = {}
        for path in FILES:
            self._read(path)

    def _read(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = _names(tree, path)
        for function in tree.body:
            if isinstance(function, ast.FunctionDef):
                me = f"{_module(path)}.{function.name}"
                calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
                for call in calls:
                    self._note(path, me, call, names)
                    given = [
                        ast.unparse(one) for one in [*call.args, *(word.value for word in call.keywords)]
                    ]
                    self.handed_on |= {names[one] for one in given if one in names}

    def _note(self, path: Path, me: str, call: ast.Call, names: dict[str, str]) -> None:
        text = ast.unparse(call.func)
        *_, owner, method = ["", *text.split(".")]
        if method in PORTS.get(owner, ()):
            leaf = Leaf(me, f"{owner}.{method}", call.lineno, call.end_lineno or call.lineno)
            self.leaves.setdefault(path, []).append(leaf)
        called = names.get(text)
        if called is not None and called != me and called not in THROUGH:
            self.callers.setdefault(called, set()).add(me)

    def ways(self, function: str) -> Iterator[str]:
        """Every way to a function from where ways begin."""
        callers = self.callers.get(function)
        if not callers or function in ROOTS or function in self.handed_on:
            yield function
        for caller in sorted(callers or ()) if function not in ROOTS else ():
            for way in self.ways(caller):
                yield f"{way} > {function}"


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[-1] if parts[0] == "shared" else ".".join(parts[1:])


def _defined(tree: ast.Module) -> list[str]:
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def _names(tree: ast.Module, path: Path) -> dict[str, str]:
    """What a module calls things, and what they are called here."""
    names = {name: f"{_module(path)}.{name}" for name in _defined(tree)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            package = ROOT / node.module.replace(".", "/")
            for alias in node.names:
                name = alias.asname or alias.name
                if package.with_suffix(".py") in FILES:
                    names[name] = f"{_module(package.with_suffix('.py'))}.{alias.name}"
                elif (module := package / f"{alias.name}.py") in FILES:
                    inside = _defined(ast.parse(module.read_text(encoding="utf-8")))
                    names |= {f"{name}.{one}": f"{_module(module)}.{one}" for one in inside}
    return names


@cache
def graph() -> Graph:
    """Of this version of the product."""
    return Graph()


def _labels(path: Path, function: str) -> dict[Leaf, str]:
    """Each of a function's calls of a port, with its number where there are several of one method."""
    leaves = [leaf for leaf in graph().leaves.get(path, ()) if leaf.function == function]
    labels = {}
    for leaf in leaves:
        same = sorted(other for other in leaves if other.port == leaf.port)
        number = f" ({same.index(leaf) + 1})" if len(same) > 1 else ""
        labels[leaf] = leaf.port + number
    return labels


@cache
def points() -> tuple[str, ...]:
    """Every way to every call of a port."""
    found = {
        f"{way} > {label}"
        for path, leaves in graph().leaves.items()
        for function in {leaf.function for leaf in leaves}
        for label in _labels(path, function).values()
        for way in graph().ways(function)
    }
    return tuple(sorted(point for point in found if not any(part in point for part in LEFT_OUT)))


@cache
def _function(code: CodeType) -> str | None:
    """The product's function that code belongs to; None if it is somebody else's."""
    path = Path(code.co_filename)
    return f"{_module(path)}.{code.co_qualname.partition('.')[0]}" if path in FILES else None


@cache
def _label(code: CodeType, function: str, port: str, line: int) -> str:
    labels = _labels(Path(code.co_filename), function)
    found = (
        text
        for leaf, text in labels.items()
        if leaf.port == port and leaf.first_line <= line <= leaf.last_line
    )
    return next(found, port)


def here(port: str) -> str:
    """The point that this call of a port comes from."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - where a call comes from is what is asked
    while frame is not None and _function(frame.f_code) is None:
        frame = frame.f_back
    if frame is None:
        return f"elsewhere > {port}"
    function = str(_function(frame.f_code))
    way = [function, _label(frame.f_code, function, port, frame.f_lineno)]
    for caller in _callers(frame):
        if caller not in graph().callers.get(way[0], ()) or way[0] in ROOTS:
            break
        way.insert(0, caller)
    return " > ".join(way)


def _callers(frame: FrameType) -> Iterator[str]:
    """The product's functions that wait for a frame, from the inside out, each once."""
    last = _function(frame.f_code)
    outer = frame.f_back
    while outer is not None and (function := _function(outer.f_code)) is not None:
        if function not in THROUGH and function != last:
            yield function
            last = function
        outer = outer.f_back
