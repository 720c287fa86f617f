"""500 environments at once: when readers see them run, when it is stored, how slow others become.

How it is observed. The moment at which an environment is planned to run stands in its own timeline.
A reader of each sends a GET at that moment, and again and again until it shows `running`.
Lateness is the arrival of the first answer that shows `running`, less the planned moment: so it
holds the request's own way there and back. An answer to a request that was sent after the moment
and still shows `provisioning` is stale; one that arrived before it and shows `running` is early.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import stored
from benchmarks.api import Api, Unexpected, environment_request, new_project, new_user
from benchmarks.load import distribution
from benchmarks.processes import data_folder, platform_server, running
from benchmarks.wire import Exchange, clock, wall_clock

CLIENTS = 32
PROBE_SECONDS = 0.01
PATIENCE = 60.0


def planned_moment(environment: dict[str, Any]) -> float:
    """When it is planned to run, in seconds since 1970."""
    at = next(step["at"] for step in environment["timeline"] if step["status"] == "running")
    return datetime.fromisoformat(at).timestamp()


@dataclass
class Sightings:
    """What readers saw of the environments."""

    planned: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    """When the first answer that shows `running` arrived."""
    stale: int = 0
    early: int = 0
    answers: int = 0

    def add(self, exchange: Exchange, environment: dict[str, Any]) -> None:
        """An environment in an answer."""
        self.answers += 1
        sent, arrived = wall_clock(exchange.sent), wall_clock(exchange.done)
        name, moment = environment["id"], planned_moment(environment)
        if environment["status"] == "running":
            self.first[name] = min(arrived, self.first.get(name, arrived))
            self.early += arrived < moment
        else:
            self.stale += sent > moment

    @property
    def lateness(self) -> list[float]:
        """By environment that was seen running: seconds from the planned moment to the sighting."""
        return [seen - self.planned[name] for name, seen in self.first.items() if name in self.planned]


async def _watch_one(api: Api, name: str, sightings: Sightings) -> None:
    await asyncio.sleep(sightings.planned[name] - time.time())
    give_up_at = clock() + PATIENCE
    while clock() < give_up_at:
        exchange = await api.send(api.get(f"/environments/{name}"))
        if exchange.status == 200:
            environment = exchange.json()
            sightings.add(exchange, environment)
            if environment["status"] == "running":
                return
        await asyncio.sleep(0.005)


async def _probe(api: Api, found: list[Exchange]) -> None:
    """GET /auth/me, every 10 ms or as soon as the answer before has come."""
    while True:
        found.append(await api.send(api.get("/auth/me")))
        await asyncio.sleep(max(0.0, PROBE_SECONDS - (found[-1].done - found[-1].sent)))


def _times(exchanges: Sequence[Exchange]) -> dict[str, Any]:
    good = [one.done - one.sent for one in exchanges if one.status == 200]
    return {**distribution(good), "errors": len(exchanges) - len(good)}


async def _create(api: Api, project: str, count: int, sightings: Sightings) -> list[asyncio.Task[None]]:
    """Create so many at once; a watch for each."""
    watches = []
    for exchange in await api.many([environment_request(api, project)] * count, CLIENTS):
        if exchange.status != 201:
            raise Unexpected(f"POST /environments: {exchange.outcome} {exchange.body[:300]!r}")
        environment = exchange.json()
        sightings.planned[environment["id"]] = planned_moment(environment)
        watches.append(asyncio.create_task(_watch_one(api, environment["id"], sightings)))
    return watches


async def _burst(port: int, home: Path, count: int) -> dict[str, Any]:
    api = await new_user(port)
    prober = Api(port)
    prober.token = api.token
    project = await new_project(api)
    calm: list[Exchange] = []
    task = asyncio.create_task(_probe(prober, calm))
    await asyncio.sleep(1)
    task.cancel()
    sightings, meanwhile = Sightings(), list[Exchange]()
    watch = stored.Watch(home)
    watch.start()
    began = clock()
    background = [asyncio.create_task(_probe(prober, meanwhile))]
    watches = await _create(api, project, count, sightings)
    created = clock() - began
    await asyncio.gather(*watches)
    await asyncio.to_thread(watch.await_all, count, PATIENCE)
    for each in background:
        each.cancel()
    watch.end()
    settled = [seen - sightings.planned[name] for name, seen in watch.seen.items()]
    return {
        "count": count,
        "created_in": round(created, 3),
        "running_seen": len(sightings.first),
        "lateness": distribution(sightings.lateness),
        "stale": sightings.stale,
        "early": sightings.early,
        "answers": sightings.answers,
        "stored": len(watch.seen),
        "stored_after": distribution(settled),
        "me_before": _times(calm),
        "me_meanwhile": _times(meanwhile),
    }


def run(rounds: int = 5, count: int = 500) -> dict[str, Any]:
    """Several bursts, each on a server of its own."""
    found = []
    for _ in range(rounds):
        with data_folder() as home, running(platform_server(home)) as server:
            found.append(asyncio.run(_burst(server.port, home, count)))
    return {"rounds": found}
