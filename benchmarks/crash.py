"""kill -9 of every process of the server half a second after 100 creates; then it is started again."""

import asyncio
import time
from pathlib import Path
from typing import Any

from benchmarks import stored
from benchmarks.api import Api, created, environment_request, new_project, new_user, statuses
from benchmarks.processes import Server, data_folder, platform_server

PAUSE = 0.5
PATIENCE = 60.0


async def _prepare(port: int, count: int) -> tuple[str, str]:
    """A token, and a project in which so many environments have just been created."""
    api = await new_user(port)
    project = await new_project(api)
    await created(api, [environment_request(api, project)] * count)
    await asyncio.sleep(PAUSE)
    return api.token, project


async def _await_all(port: int, token: str, project: str, home: Path, count: int) -> dict[str, Any]:
    """When all are shown as running and when all are stored so, in seconds from the first 200 on."""
    api = Api(port)
    api.token = token
    began = time.perf_counter()
    shown_after = stored_after = None
    while None in {shown_after, stored_after} and time.perf_counter() - began < PATIENCE:
        shown = await statuses(api, project)
        if shown_after is None and shown["running"] == count:
            shown_after = round(time.perf_counter() - began, 3)
        if stored_after is None and stored.count(home, "environments", "running") == count:
            stored_after = round(time.perf_counter() - began, 3)
        await asyncio.sleep(0.02)
    return {"shown": dict(shown), "shown_after": shown_after, "stored_after": stored_after}


def _once(server: Server, home: Path, count: int) -> dict[str, Any]:
    server.start()
    token, project = asyncio.run(_prepare(server.port, count))
    server.kill()
    time.sleep(PAUSE)
    restart = server.start()
    found = asyncio.run(_await_all(server.port, token, project, home, count))
    return {"count": count, "restart": round(restart, 3), **found}


def run(rounds: int = 3, count: int = 100) -> dict[str, Any]:
    """Several crashes, each of a server of its own."""
    results = []
    for _ in range(rounds):
        with data_folder() as home:
            server = platform_server(home)
            try:
                results.append(_once(server, home, count))
            finally:
                server.stop()
    return {"rounds": results}
