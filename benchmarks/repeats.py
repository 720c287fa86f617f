"""Many clients send the same creates at once, with idempotency keys: each key must make one object."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

from benchmarks.api import Api, new_project, new_user
from benchmarks.figures import Verdict
from benchmarks.google import stack_server
from benchmarks.processes import data_folder, platform_server, running
from benchmarks.wire import Exchange, clock
from local.google.firestore_emulator import NoEmulator, firestore_emulator

REPEATS = 20
"""How often each request is sent, all at the same time."""
KINDS = {
    "projects": ("/projects", {"name": "benchmark"}),
    "environments": ("/environments/projects/{project}", {"name": "preview", "type": "persistent"}),
    "deployments": ("/deployments/environments/{environment}", {"version": "sha-1", "on_conflict": "latest"}),
}


async def _environment(api: Api, project: str) -> str:
    """A running one's id."""
    opened = await api.call("POST", f"/environments/projects/{project}", {"name": "e", "type": "persistent"})
    await api.call("GET", f"/environments/{opened['id']}?wait_for=running")
    return str(opened["id"])


async def _measure(port: int, keys: int) -> dict[str, Any]:
    api = await new_user(port)
    project = await new_project(api)
    known = {"project": project, "environment": await _environment(api, project)}
    found: dict[str, Any] = {}
    for kind, (path, body) in KINDS.items():
        raw = api.post(path.format(**known), body)
        head, _, content = raw.partition(b"\r\n\r\n")
        began = clock()
        exchanges: list[Exchange] = []
        for number in range(keys):
            keyed = head + f"\r\nIdempotency-Key: {kind}-{number}\r\n\r\n".encode() + content
            exchanges += await api.many([keyed] * REPEATS, REPEATS)
        objects: list[set[str]] = [
            {one.json()["id"] for one in exchanges[at : at + REPEATS] if one.status == 201}
            for at in range(0, len(exchanges), REPEATS)
        ]
        found[kind] = {
            "outcomes": dict(Counter(one.outcome for one in exchanges)),
            "objects": len(set().union(*objects)),
            "most_of_one_key": max(map(len, objects)),
            "first_answers": sum(one.header("Idempotent-Replayed") != "true" for one in exchanges),
            "seconds": round(clock() - began, 1),
        }
    return found


def run(keys: int = 1_000) -> dict[str, Any]:
    """On a server of its own, then a tenth of it through the functions on Google's parts."""
    with data_folder() as home, running(platform_server(home)) as server:
        kinds = asyncio.run(_measure(server.port, keys))
    found = {"keys": keys, "repeats": REPEATS, "kinds": kinds, "google": None}
    with (
        suppress(NoEmulator),
        firestore_emulator() as emulator,
        data_folder() as home,
        running(stack_server(str(home), FIRESTORE_EMULATOR_HOST=emulator.host)) as server,
    ):
        found["google"] = asyncio.run(_measure(server.port, keys // 10))
    return found


def section(found: dict[str, Any]) -> tuple[list[str], list[Verdict]]:
    """Whether each key made one object."""
    keys, there = found["keys"], found.get("google")
    lines = ["## Repeated creates", "", *_table(keys, found, found["kinds"])]
    verdicts = [_verdict(keys, found, found["kinds"], "", at_least=1_000)]
    if there:
        lines += ["", "The same through the functions as `make run-google` starts them:", ""]
        lines += _table(keys // 10, found, there)
        verdicts.append(_verdict(keys // 10, found, there, " on Google's parts", at_least=100))
    return lines, verdicts


def _table(keys: int, found: dict[str, Any], kinds: dict[str, Any]) -> list[str]:
    lines = [
        f"{keys:,} idempotency keys, each sent {found['repeats']} times at the same time over HTTP.",
        "",
        "| | answers | objects | most of one key | answered as new | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for kind, one in kinds.items():
        outcomes = ", ".join(f"{count:,} x {outcome}" for outcome, count in one["outcomes"].items())
        lines.append(
            f"| {kind} | {outcomes} | {one['objects']:,} | {one['most_of_one_key']} | "
            f"{one['first_answers']:,} | {one['seconds']:g} |"
        )
    return lines


def _verdict(keys: int, found: dict[str, Any], kinds: dict[str, Any], where: str, at_least: int) -> Verdict:
    met = all(
        one["objects"] == keys and one["most_of_one_key"] == 1 and set(one["outcomes"]) == {"201"}
        for one in kinds.values()
    )
    said = " / ".join(f"{one['objects']:,}" for one in kinds.values())
    wanted = f"{keys:,} keys x {found['repeats']} parallel repeats make one object each{where}"
    return Verdict(wanted, f"{said} objects", met=met and keys >= at_least)
