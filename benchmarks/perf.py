"""How fast: every endpoint in a closed loop, and an empty function in the same run."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import stored
from benchmarks.api import created, environment_request, new_project, new_user
from benchmarks.load import Load, Operation, closed_loop
from benchmarks.processes import Server, data_folder, empty_server, platform_server, running
from benchmarks.wire import request

TO_RUNNING = 3.0
"""Seconds until a new environment runs for sure."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    seconds: float = 4.0
    rounds: int = 3
    turns: int = 6
    """How often what creates is measured in each round: it varies most from one time to the next."""
    clients: Sequence[int] = (1, 8, 32)
    crowds: Sequence[int] = (64, 128)
    """Clients of the reads that must only not fail."""
    projects: int = 1_000
    pool: int = 200
    """How many running environments the deployments go to, in turn."""


Say = Callable[[str], None]


async def _read_operations(port: int, plan: Plan) -> list[Operation]:
    """One user with ten projects, an environment and a deployment; another with a thousand projects."""
    user, other = await asyncio.gather(new_user(port), new_user(port))
    projects = [await new_project(user) for _ in range(10)]
    (environment,) = await created(user, [environment_request(user, projects[0])])
    body = {"name": "benchmark", "description": "x" * 40}
    await created(other, [other.post("/projects", body)] * plan.projects)
    await asyncio.sleep(TO_RUNNING)
    deployment = await user.call("POST", f"/deployments/environments/{environment}", {"version": "v1"})
    await asyncio.sleep(TO_RUNNING + 1)
    return [
        Operation("health", [request("GET", "/health")]),
        Operation("me", [user.get("/auth/me")]),
        Operation("project", [user.get(f"/projects/{projects[0]}")]),
        Operation("projects_10", [user.get("/projects")]),
        Operation("projects_1000", [other.get("/projects")]),
        Operation("environment", [user.get(f"/environments/{environment}")]),
        Operation("deployment", [user.get(f"/deployments/{deployment['id']}")]),
        Operation("login", [user.login_form()]),
    ]


async def _create_operations(port: int, pool: int) -> list[Operation]:
    """Of a new user, so that what is created doesn't change what others read."""
    user = await new_user(port)
    project = await new_project(user)
    environments = await created(user, [environment_request(user, project)] * pool)
    await asyncio.sleep(TO_RUNNING)
    body = {"version": "sha-1234567"}
    deployments = [user.post(f"/deployments/environments/{name}", body) for name in environments]
    projects = user.post("/projects", {"name": "benchmark", "description": "payment service"})
    return [
        Operation("create_project", [projects], 201),
        Operation("create_environment", [environment_request(user, project)], 201),
        Operation("create_deployment", deployments, 201),
    ]


class _Run:
    """One run: which servers, and what has been measured so far."""

    def __init__(self, home: Path, server: Server, empty: Server, plan: Plan, say: Say) -> None:
        self._home = home
        self._server = server
        self._empty = empty
        self._plan = plan
        self._say = say
        self.rows: list[dict[str, Any]] = []

    async def measure(self, operation: Operation, clients: int, number: int) -> None:
        """One closed loop, once what the one before left behind is done."""
        server = self._empty if operation.name == "empty" else self._server
        waited = await asyncio.to_thread(stored.await_idle, self._home)
        cpu = server.cpu_seconds
        load = await closed_loop(server.port, operation, clients, self._plan.seconds)
        cpu = server.cpu_seconds - cpu
        row = {
            "operation": operation.name,
            "round": number,
            **load.data,
            "server_cpu_ms": round(1000 * cpu / max(1, load.succeeded), 3),
            "waited": round(waited, 2),
        }
        self.rows.append(row)
        self._say(_line(operation, load, row))

    async def all(self, only: Sequence[str]) -> None:
        """Every round; within one every operation, the empty function among the reads.

        What creates is compared with each other, and therefore measured side by side.
        """
        plan = self._plan
        empty = Operation("empty", [request("GET", "/")])
        port = self._server.port
        reads, creates = await asyncio.gather(
            _read_operations(port, plan), _create_operations(port, plan.pool)
        )
        reads.insert(0, empty)
        reads, creates = ([one for one in some if not only or one.name in only] for some in (reads, creates))
        crowded = [one for one in reads if one.name not in {"empty", "login"}]
        for number in range(plan.rounds):
            for operation, clients in product(reads, plan.clients):
                await self.measure(operation, clients, number)
            for turn in range(plan.turns):
                for clients, operation in product(plan.clients, creates):
                    await self.measure(operation, clients, plan.turns * number + turn)
            for operation, clients in product(crowded, plan.crowds):
                await self.measure(operation, clients, number)


def _line(operation: Operation, load: Load, row: dict[str, Any]) -> str:
    return (
        f"{operation.name:20} {load.clients:4} clients {load.per_second:8.1f}/s  p50 {load.p50:8.2f}  "
        f"p99 {load.p99:8.2f} ms  generator {load.generator_cpu:4.0%} server {row['server_cpu_ms']:6.2f} ms  "
        f"{load.errors or ''}"
    )


def run(plan: Plan, say: Say, only: Sequence[str] = ()) -> dict[str, Any]:
    """Every figure, by round."""
    with (
        data_folder() as home,
        running(platform_server(home)) as server,
        running(empty_server(home)) as empty,
    ):
        megabytes = round(server.megabytes, 1)
        measured = _Run(home, server, empty, plan, say)
        asyncio.run(measured.all(only))
        return {
            "seconds": plan.seconds,
            "turns": plan.turns,
            "rounds": measured.rows,
            "megabytes": {"at_start": megabytes, "after": round(server.megabytes, 1)},
        }
