"""What the raw figures of `perf` come to: medians over the rounds, and the verdicts on them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import median

PEER = Path(__file__).parent / "peer.json"

TITLES = {
    "empty": "an empty function",
    "health": "GET /health",
    "me": "GET /auth/me",
    "project": "GET /projects/{id}",
    "projects_10": "GET /projects (10)",
    "projects_1000": "GET /projects (first 50 of 1,000)",
    "environment": "GET /environments/{id}",
    "deployment": "GET /deployments/{id}",
    "login": "POST /auth/login",
    "create_project": "POST /projects",
    "create_environment": "POST /environments",
    "create_deployment": "POST /deployments",
}
SINGLE = ("me", "project", "environment", "deployment")
"""Reads of one object."""
EXEMPT = ("empty", "health", "login")
"""Not held against the peer: the first two do nothing of its, the third is bound by the password hash."""


@dataclass(frozen=True)
class Cell:
    """An operation at a number of clients: medians over the rounds, errors summed."""

    per_second: float
    p50: float
    p99: float
    errors: Mapping[str, int]
    answered: int
    generator_cpu: float
    server_cpu_ms: float


Cells = Mapping[tuple[str, int], Cell]


def cells(rounds: Sequence[Mapping[str, Any]]) -> Cells:
    """By operation and number of clients, in the order of the measurements."""
    grouped: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for row in rounds:
        grouped.setdefault((row["operation"], row["clients"]), []).append(row)
    return {place: _cell(rows) for place, rows in grouped.items()}


def _cell(rows: Sequence[Mapping[str, Any]]) -> Cell:
    errors: Counter[str] = Counter()
    for row in rows:
        errors.update(row["errors"])

    def middle(name: str) -> float:
        return median([row[name] for row in rows if row[name] is not None])

    return Cell(
        per_second=middle("per_second"),
        p50=middle("p50"),
        p99=middle("p99"),
        errors=errors,
        answered=sum(row["succeeded"] for row in rows),
        generator_cpu=max(row["generator_cpu"] for row in rows),
        server_cpu_ms=middle("server_cpu_ms"),
    )


@dataclass(frozen=True)
class PeerFigure:
    """What the peer reaches."""

    per_second: float
    p99: float


def peer() -> dict[tuple[str, int], PeerFigure]:
    """The peer's figures by operation and number of clients."""
    data = json.loads(PEER.read_text(encoding="utf-8"))
    return {
        (name, clients): PeerFigure(figures["per_second"][place], figures["p99"][place])
        for name, figures in data["operations"].items()
        for place, clients in enumerate(data["clients"])
    }


def about_peer() -> str:
    """What the peer is."""
    return str(json.loads(PEER.read_text(encoding="utf-8"))["about"])


@dataclass(frozen=True)
class Verdict:
    """A target, what was measured, and whether that is enough."""

    target: str
    measured: str
    met: bool


def verdicts(found: Cells) -> list[Verdict]:
    """Every target of `perf`, held against the worst cell it speaks of."""
    theirs = peer()
    mine = {place: cell for place, cell in found.items() if place in theirs and place[0] not in EXEMPT}
    faster = {place: cell.per_second / theirs[place].per_second for place, cell in mine.items()}
    slower = {place: cell.p99 / theirs[place].p99 for place, cell in mine.items()}
    share = {
        (name, clients): cell.per_second / found["empty", clients].per_second
        for (name, clients), cell in found.items()
        if name in SINGLE and ("empty", clients) in found
    }
    creates = {
        (name, clients): cell.per_second / found["create_project", clients].per_second
        for (name, clients), cell in found.items()
        if name in {"create_environment", "create_deployment"} and ("create_project", clients) in found
    }
    return [
        _least("At least twice the peer's requests/s, but for login and /health", faster, 2.0),
        _most("p99 at most half of the peer's, but for login and /health", slower, 0.5),
        _least("Reads of one object at least half as fast as an empty function", share, 0.5),
        _least("Environments and deployments created at least half as fast as projects", creates, 0.5),
        _no_errors("No error at 1, 8 and 32 clients", {p: c for p, c in found.items() if p[1] <= 32}),
        _no_errors("No error of a read at 64 and 128 clients", {p: c for p, c in found.items() if p[1] > 32}),
    ]


def _place(place: tuple[str, int]) -> str:
    return f"{TITLES[place[0]]} at {place[1]}"


def _least(target: str, ratios: Mapping[tuple[str, int], float], bound: float) -> Verdict:
    failing = sorted((ratio, place) for place, ratio in ratios.items() if ratio < bound)
    return _verdict(target, failing, min(ratios, key=lambda place: ratios[place], default=None), ratios)


def _most(target: str, ratios: Mapping[tuple[str, int], float], bound: float) -> Verdict:
    failing = sorted(((ratio, place) for place, ratio in ratios.items() if ratio > bound), reverse=True)
    return _verdict(target, failing, max(ratios, key=lambda place: ratios[place], default=None), ratios)


def _verdict(
    target: str,
    failing: Sequence[tuple[float, tuple[str, int]]],
    worst: tuple[str, int] | None,
    ratios: Mapping[tuple[str, int], float],
) -> Verdict:
    if worst is None:
        return Verdict(target, "not measured", met=False)
    if not failing:
        return Verdict(target, f"worst: {ratios[worst]:.2f} x ({_place(worst)})", met=True)
    said = ", ".join(f"{_place(place)}: {ratio:.2f} x" for ratio, place in failing)
    return Verdict(target, f"missed by {len(failing)} of {len(ratios)}: {said}", met=False)


def _no_errors(target: str, found: Cells) -> Verdict:
    if not found:
        return Verdict(target, "not measured", met=False)
    errors: Counter[str] = Counter()
    for cell in found.values():
        errors.update(cell.errors)
    answered = sum(cell.answered for cell in found.values())
    said = ", ".join(f"{count} x {name}" for name, count in errors.items()) or "none"
    return Verdict(target, f"{said} in {answered:,} requests", met=not errors)
