"""32 clients poll their objects while others write."""

import asyncio
from collections.abc import Sequence
from typing import Any

from benchmarks.api import Api, created, environment_request, new_project, new_user
from benchmarks.load import Load, Operation, closed_loop, distribution
from benchmarks.perf import TO_RUNNING
from benchmarks.processes import data_folder, platform_server, running

FOLLOWERS = 32
WRITERS = 8
POLL_SECONDS = 0.1


async def _follow(api: Api, path: str, times: list[float], errors: list[str]) -> None:
    """Poll one object, as a client does that waits for a status."""
    while True:
        exchange = await api.send(api.get(path))
        if exchange.status == 200:
            times.append(exchange.done - exchange.sent)
        else:
            errors.append(exchange.outcome)
        await asyncio.sleep(POLL_SECONDS)


async def followed(api: Api, paths: Sequence[str], seconds: float) -> tuple[list[float], list[str]]:
    """How long polls of these objects took, and what else came back."""
    times: list[float] = []
    errors: list[str] = []
    tasks = [asyncio.create_task(_follow(api, path, times, errors)) for path in paths]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    return times, errors


async def _measure(port: int, seconds: float) -> dict[str, Any]:
    api = await new_user(port)
    project = await new_project(api)
    environments = await created(api, [environment_request(api, project)] * FOLLOWERS)
    await asyncio.sleep(TO_RUNNING)
    paths = [f"/environments/{name}" for name in environments]
    body = {"version": "sha-1234567"}
    writes = [api.post(f"/deployments/environments/{name}", body) for name in environments]
    alone = await followed(api, paths, seconds)
    written: Load
    together, written = await asyncio.gather(
        followed(api, paths, seconds), closed_loop(port, Operation("deploy", writes, 201), WRITERS, seconds)
    )
    return {
        "followers": FOLLOWERS,
        "writers": WRITERS,
        "poll_seconds": POLL_SECONDS,
        "alone": {**distribution(alone[0]), "errors": alone[1]},
        "while_others_write": {**distribution(together[0]), "errors": together[1]},
        "writes": written.data,
    }


def run(seconds: float = 5.0) -> dict[str, Any]:
    """On a server of its own."""
    with data_folder() as home, running(platform_server(home)) as server:
        return asyncio.run(_measure(server.port, seconds))
