"""Cloud Tasks is down for a while, and its clients go on as ever."""

import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from tests.client import Client
from tests.flows.google_stack import GoogleStack
from tests.flows.server import wait_until

OUTAGE_SECONDS = 30.0
SETTLED_WITHIN = 30.0


@dataclass
class Outage:
    """What was asked for meanwhile, and what came of it."""

    opened: list[str] = field(default_factory=list)
    """Environments."""
    deployed: list[str] = field(default_factory=list)
    """Deployments, one after the other in one environment."""
    slowest: float = 0
    """The seconds that the slowest create took."""
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the database says of the project's environments and deployments afterwards."""
    listed: list[dict[str, Any]] = field(default_factory=list)
    """The deployments as the API lists them afterwards."""
    logs: list[dict[str, Any]] = field(default_factory=list)


def in_project(client: Client) -> str:
    """The path of a new project's environments."""
    client.log_in()
    return f"/api/v1/environments/projects/{client.create('/api/v1/projects', name='p')['id']}"


def open_running(stack: GoogleStack, client: Client, path: str, **fields: object) -> str:
    """An environment that runs, and is stored as running."""
    name = str(client.create(path, **{"name": "e", "type": "persistent", **fields})["id"])
    wait_until(lambda: status_of(stack, name) == "running", 10, "it runs")
    return name


def status_of(stack: GoogleStack, environment: str) -> str | None:
    """As it is stored."""
    stored = stack.stored("environments").get(environment)
    return None if stored is None else stored["status"]


def live_through(stack: GoogleStack) -> Outage:
    """One environment and one deployment after the other, until the queue is there again and has done all."""
    seen = Outage()
    with closing(stack.client()) as client:
        path = in_project(client)
        target = f"/api/v1/deployments/environments/{open_running(stack, client, path)}"
        with stack.without_queue():
            ends_at = time.monotonic() + OUTAGE_SECONDS
            while time.monotonic() < ends_at:
                began = time.monotonic()
                seen.opened.append(client.create(path, name="e", type="persistent")["id"])
                seen.deployed.append(client.create(target, version=f"v{len(seen.deployed)}")["id"])
                seen.slowest = max(seen.slowest, time.monotonic() - began)
                time.sleep(1.2)

        def has_settled() -> bool:
            stored = {**stack.stored("environments"), **stack.stored("deployments")}
            seen.stored = {name: item for name, item in stored.items() if item["project_id"] in path}
            asked_for = (*seen.opened, *seen.deployed)
            return {seen.stored[name]["status"] for name in asked_for} == {"running", "succeeded"}

        wait_until(has_settled, SETTLED_WITHIN, "everything is settled")
        seen.listed = client.request("GET", f"{target}?page_size=100").body
        seen.logs = [client.request("GET", item["logs_url"]).body for item in seen.listed]
    return seen
