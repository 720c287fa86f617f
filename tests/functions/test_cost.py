"""What a preview environment's life costs on Google's parts, counted where it is billed: docs/cost.md."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.functions.api import ENVIRONMENT, Api
from tests.functions.bill import open_bill

COST = (Path(__file__).parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")
KINDS = ("reads", "writes", "deletes", "task operations", "invocations")
DAY = 86_400
LIFE = "**the life with three deployments**"
IN_CALLS = re.compile(r"^\| ([^|]+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
MOST_CALLS = {"reads": 14, "commits": 14}
"""Of a life without its purge: one of each for a request or a callback."""

PRICES = {"reads": 0.03e-5, "writes": 0.09e-5, "deletes": 0.01e-5, "task operations": 0.4e-6}
"""Dollars for one, as docs/cost.md says."""
INVOCATION = 0.4e-6
COMPUTE = 0.1 * (24e-6 + 0.5 * 2.5e-6)
"""Dollars for one invocation's 0.1 s of one vCPU and 512 MiB, alone on its instance."""


def table() -> Mapping[str, Counter[str]]:
    """The rows of the page's table, by their names."""
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", COST, re.MULTILINE)
    return {
        name: Counter(
            {kind: int(number) for kind, number in zip(KINDS, numbers, strict=True) if number != "0"}
        )
        for name, *numbers in rows
    }


def said_in_calls() -> Mapping[str, Mapping[str, int]]:
    """The rows of the page's table of calls."""
    rows = IN_CALLS.findall(COST)
    return {name: {"reads": int(reads), "commits": int(commits)} for name, reads, commits in rows}


def dollars(used: Mapping[str, int], sharing: int) -> float:
    """What a thousand lives cost, so many invocations sharing an instance."""
    requests = sum(used[kind] * price for kind, price in PRICES.items())
    return 1_000 * (requests + used["invocations"] * (INVOCATION + COMPUTE / sharing))


@pytest.mark.google
def test_a_preview_environments_life_uses_what_the_page_says(
    on_firestore: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, project, environments = on_firestore, on_firestore.project(), list[str]()
    bill = open_bill(monkeypatch)

    calls, events = Counter[str](), list[int]()

    def used(requests: int, act: Callable[[], object], seconds: float) -> Counter[str]:
        bill.clear()
        api.store.calls.clear()
        enqueued = api.queue.enqueued
        act()
        delivered = len(api.live(seconds))
        # A task is an operation when it is created, and another when it is delivered.
        operations = api.queue.enqueued - enqueued + delivered
        events.append(bill.pop("events", 0))
        calls.update("commits" if call.startswith("commit") else "reads" for call in api.store.calls)
        return Counter({**bill, "task operations": operations, "invocations": requests + delivered})

    opened = used(1, lambda: environments.append(api.environment(project, ENVIRONMENT)), 60)
    deployed = [used(1, lambda: api.deploy(environments[0]), 60) for _ in range(3)]
    ended = used(0, lambda: None, DAY + 3_600)
    lived = dict(calls)
    purged = used(0, lambda: None, 8 * DAY)
    assert not api.queue.tasks
    assert all(one == deployed[0] for one in deployed)
    assert events == [1, 1, 1, 1, 0, 0], "the audit: a write with each request"
    assert api.status(environments[0], "?show_deleted=true") == 404
    life = opened + deployed[0] + deployed[1] + deployed[2] + ended + purged
    said = {name: row for name, row in table().items() if name != "five callbacks"}
    assert said == {
        "create, until it runs": opened,
        "a deployment, until it has succeeded": deployed[0],
        "expiry, grace, deletion": ended,
        "purge": purged,
        LIFE: life,
    }
    assert said_in_calls() == {
        "the life up to its deletion": lived,
        "its purge": dict(calls - Counter(lived)),
    }
    assert lived == MOST_CALLS
    assert life["invocations"] - purged["invocations"] == 14
    assert life["task operations"] - purged["task operations"] == 21


@pytest.mark.parametrize(
    ("row", "sharing", "said"),
    [
        (LIFE, 1, r"\*\*\$([0-9.]+)\*\*, each"),
        (LIFE, 8, r"\*\*\$([0-9.]+)\*\* with"),
        ("five callbacks", 1, r"which is \$([0-9.]+) of"),
        ("five callbacks", 8, r"\(shared: \$([0-9.]+) of"),
    ],
)
def test_the_pages_dollars_are_its_counts_times_its_prices(row: str, sharing: int, said: str) -> None:
    found = re.search(said, COST)
    assert found
    assert found[1] == f"{dollars(table()[row], sharing):.3f}"
