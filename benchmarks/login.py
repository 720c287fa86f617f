"""Does the time of a refused login tell whether the address is known? One client, turn by turn."""

import asyncio
from collections import Counter
from typing import Any

from benchmarks.api import new_user
from benchmarks.load import distribution, median, milliseconds
from benchmarks.processes import data_folder, platform_server, running
from shared.domain.throttle import FREE_FAILURES


async def _measure(port: int, tries: int) -> dict[str, Any]:
    times: dict[str, list[float]] = {"wrong_password": [], "unknown_user": []}
    outcomes: Counter[str] = Counter()
    for number in range(tries):
        if number % FREE_FAILURES == 0:  # more at one address would be slowed down, known or not
            api = await new_user(port)
            requests = {
                "wrong_password": api.login_form(password="not the password"),  # noqa: S106 - that is the point
                "unknown_user": api.login_form(email=f"nobody-{number}@example.com"),
            }
        for name, raw in requests.items():
            exchange = await api.send(raw)
            outcomes[exchange.outcome] += 1
            times[name].append(exchange.done - exchange.sent)
    medians = {name: median(each) for name, each in times.items()}
    apart = abs(medians["unknown_user"] / medians["wrong_password"] - 1)
    return {
        "outcomes": dict(outcomes),
        "medians": {name: milliseconds(value) for name, value in medians.items()},
        "times": {name: distribution(each) for name, each in times.items()},
        "apart": round(apart, 4),
    }


def run(tries: int = 200) -> dict[str, Any]:
    """On a server of its own."""
    with data_folder() as home, running(platform_server(home)) as server:
        return asyncio.run(_measure(server.port, tries))
