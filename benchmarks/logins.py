"""Many log in at once while others poll: hashing passwords must not starve reads."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.api import Api, new_project, new_user
from benchmarks.figures import Verdict
from benchmarks.followers import POLL_SECONDS, followed
from benchmarks.load import distribution, median
from benchmarks.processes import data_folder, platform_server, running
from benchmarks.wire import clock

FOLLOWERS = 32
MOST_MS = 500.0
"""How long the slowest of a hundred reads may take meanwhile, those included that arrive with the crowd: what
somebody would take for a pause."""


async def _log_in(api: Api, answers: Counter[str]) -> None:
    """As a client does: whoever is told to come again later does so, as much later."""
    while True:
        exchange = await api.send(api.login_form())
        answers[exchange.outcome] += 1
        if exchange.status == 200:
            return
        await asyncio.sleep(float(exchange.header("Retry-After") or 1))


async def _crowd(apis: Sequence[Api], seconds: float) -> dict[str, Any]:
    """All of them log in at once, and when the last one has, once more."""
    answers: Counter[str] = Counter()
    took: list[float] = []
    end = clock() + seconds
    while clock() < end:
        began = clock()
        await asyncio.gather(*(_log_in(api, answers) for api in apis))
        took.append(clock() - began)
    return {"answers": dict(answers), "all_in": round(median(took), 2)}


async def _measure(port: int, count: int, seconds: float) -> dict[str, Any]:
    reader = await new_user(port)
    paths = [f"/projects/{await new_project(reader)}"] * FOLLOWERS
    apis = [await new_user(port) for _ in range(count)]
    alone = await followed(reader, paths, seconds)
    crowd = asyncio.create_task(_crowd(apis, seconds))
    together = await followed(reader, paths, seconds)
    return {
        "logins": count,
        "followers": FOLLOWERS,
        "poll_seconds": POLL_SECONDS,
        "alone": {**distribution(alone[0]), "errors": alone[1]},
        "while_others_log_in": {**distribution(together[0]), "errors": together[1]},
        "crowd": await crowd,
    }


def run(count: int = 200, seconds: float = 10.0) -> dict[str, Any]:
    """On a server of its own."""
    with data_folder() as home, running(platform_server(home)) as server:
        return asyncio.run(_measure(server.port, count, seconds))


def section(found: dict[str, Any]) -> tuple[list[str], list[Verdict]]:
    """What reads take meanwhile."""
    crowd, met = found["crowd"], found["while_others_log_in"]
    answers = ", ".join(f"{count:,} x {outcome}" for outcome, count in crowd["answers"].items())
    lines = [
        f"## {found['logins']} logins at once",
        "",
        (
            f"{found['followers']} clients poll a project every {found['poll_seconds']:g} s while "
            f"{found['logins']} accounts log in at the same time, again and again; who is answered 503 comes "
            f"back after `Retry-After`. All are logged in within {crowd['all_in']:g} s (median; answers: "
            f"{answers})."
        ),
        "",
        "| | polls | p50 / p99 / most of a poll, ms | errors |",
        "|---|---|---|---|",
    ]
    for name, one in (("nobody logs in", found["alone"]), ("all log in", met)):
        times = f"{one['p50']:.3g} / {one['p99']:.3g} / {one['most']:.3g}"
        lines.append(f"| {name} | {one['n']:,} | {times} | {len(one['errors'])} |")
    wanted = f"{found['logins']} logins at once starve no read (p99 at most {MOST_MS:g} ms, no error)"
    is_met = met["p99"] <= MOST_MS and not met["errors"] and set(crowd["answers"]) <= {"200", "503"}
    return lines, [Verdict(wanted, f"{met['p99']:.3g} ms, {len(met['errors'])} errors", met=is_met)]
