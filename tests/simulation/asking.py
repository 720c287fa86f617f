"""What a client may wish for next, given what it has been told, and the request for it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from shared.times import to_text
from tests.simulation.ledger import Ledger, Wish
from tests.simulation.world import World

V1 = "/api/v1"
HOURS = (0.001, 0.001, 0.002, 0.01, 1, 24, 719)


SIMULATIONS = ({"outcome": "fail", "fail_at": "fetch"}, {"seconds": 20}, {"scenario": "hangs"})
REPEATABLE = {"create project", "open", "deploy", "rollback"}
"""What takes an idempotency key."""


def wish_for(name: str, world: World, ledger: Ledger, number: int) -> Wish | None:
    """A request for an operation; None where there is nothing that it could be about."""
    wish = _wish_for(name, world, ledger, f"n{number}")
    if wish is None or name not in REPEATABLE or world.random.random() < 0.5:
        return wish
    return replace(wish, key=wish.label)


def _wish_for(name: str, world: World, ledger: Ledger, label: str) -> Wish | None:
    known = _Known(world.random, ledger)
    match name:
        case "create project":
            return Wish(name, "POST", f"{V1}/projects", "", label, {"name": label})
        case "edit project" | "end project" | "open":
            return _of_project(name, world, known.project(), label)
        case "cancel":
            deployment = known.deployment()
            return (
                None
                if deployment is None
                else Wish(name, "POST", f"{V1}/deployments/{deployment}/cancel", deployment, label)
            )
        case "look back":
            environment = known.environment()
            return None if environment is None else _look_back(world, environment, label)
        case "look" | "list":
            return _read(name, known, label)
    environment = known.environment()
    return None if environment is None else _of_environment(name, world, known, environment, label)


@dataclass
class _Known:
    """What the client has been told of, the newest first in its mind."""

    random: Random
    ledger: Ledger

    def project(self) -> str | None:
        return self._one("create project")

    def environment(self) -> str | None:
        return self._one("open")

    def deployment(self) -> str | None:
        return self._one("deploy", "rollback")

    def _one(self, *names: str) -> str | None:
        made = [request.made for request in self.ledger.acknowledged(*names)]
        if not made:
            return None
        return made[-1] if self.random.random() < 0.6 else self.random.choice(made)


def _of_project(name: str, world: World, project: str | None, label: str) -> Wish | None:
    if project is None:
        return None
    if name == "open":
        path = f"{V1}/environments/projects/{project}"
        return Wish(name, "POST", path, project, label, _environment(world, label))
    path = f"{V1}/projects/{project}"
    if name == "edit project":
        return Wish(name, "PATCH", path, project, label, {"name": label})
    force = world.random.choice(("", "?force=true", "?force=true"))
    return Wish(name, "DELETE", path + force, project, label)


def _environment(world: World, label: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": label,
        "type": world.random.choice(("ephemeral", "persistent")),
    }
    if body["type"] == "ephemeral":
        body["ttl_hours"] = world.random.choice(HOURS)
    if world.random.random() < 0.5:
        body["on_conflict"] = world.random.choice(("queue", "latest", "reject"))
    if world.random.random() < 0.15:
        body["simulation"] = {"outcome": "fail"}
    if world.random.random() < 0.3:
        body["config"] = {"label": label}
    return body


def _of_environment(name: str, world: World, known: _Known, environment: str, label: str) -> Wish:
    path, random = f"{V1}/environments/{environment}", world.random
    match name:
        case "deploy":
            policy = random.choice((None, None, None, "queue", "latest"))
            body: dict[str, Any] = {"version": label, "on_conflict": policy}
            if random.random() < 0.2:
                body["simulation"] = random.choice(SIMULATIONS)
            return Wish(
                name, "POST", f"{V1}/deployments/environments/{environment}", environment, label, body
            )
        case "rollback":
            target = random.choice((None, None, known.deployment()))
            return Wish(
                name, "POST", f"{path}/rollback", environment, label, {"to": target} if target else {}
            )
        case "extend" | "restore":
            return Wish(name, "POST", f"{path}/{name}", environment, label, _lease(world))
        case "retry":
            return Wish(name, "POST", f"{path}/retry", environment, label)
        case "edit":
            changes: tuple[dict[str, Any], ...] = ({"name": label}, {"config": {"label": label}})
            return Wish(name, "PATCH", path, environment, label, random.choice(changes))
    return Wish(name, "DELETE", path, environment, label)


def _lease(world: World) -> dict[str, Any]:
    hours = world.random.choice(HOURS)
    if world.random.random() < 0.5:
        return {"hours": hours}
    return {"until": to_text(world.now + timedelta(hours=hours))}


def _look_back(world: World, environment: str, label: str) -> Wish:
    """At what has happened to an environment, or at what it was."""
    then = to_text(world.now - timedelta(seconds=world.random.choice((0, 1, 10))))
    query = world.random.choice(("/timeline", f"?at={then}"))
    return Wish("look back", "GET", f"{V1}/environments/{environment}{query}", environment, label)


def _read(name: str, known: _Known, label: str) -> Wish | None:
    project, environment, deployment = known.project(), known.environment(), known.deployment()
    if name == "look":
        paths = {
            project: [f"{V1}/projects/{project}"],
            environment: [f"{V1}/environments/{environment}"] * 3,
            deployment: [f"{V1}/deployments/{deployment}"] * 2 + [f"{V1}/deployments/{deployment}/logs"],
        }
    else:
        status = known.random.choice(("", "?status=running,failed,expired", "?status=succeeded,canceled"))
        of_environments = status if "succeeded" not in status else "?status=deleting"
        of_deployments = status if "expired" not in status else "?status=running,pending"
        paths = {
            "": [f"{V1}/projects"],
            project: [f"{V1}/environments/projects/{project}{of_environments}"] * 2,
            environment: [f"{V1}/deployments/environments/{environment}{of_deployments}"] * 2,
        }
    found = [(about, path) for about, some in paths.items() if about is not None for path in some]
    about, path = known.random.choice(found) if found else (None, "")
    return None if about is None else Wish(name, "GET", path, about, label)
