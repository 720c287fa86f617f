"""What a preview environment's life costs on Google's parts, counted where it is billed: docs/cost.md."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.functions.api import ENVIRONMENT, Api
from tests.functions.bill import Bill, open_bill

COST = (Path(__file__).parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")
KINDS = ("reads", "writes", "deletes", "task operations", "invocations")
DAY = 86_400
LIFE = "**the life with three deployments**"
AUDITED = "**the same with its audit**"
LIVED, PURGED = "the life up to its deletion, in calls", "its purge, in calls"
MOST = "the most"
WITHOUT_SUM = {AUDITED, LIVED, PURGED, MOST, "five callbacks"}

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


def dollars(used: Mapping[str, int], sharing: int) -> float:
    """What a thousand lives cost, so many invocations sharing an instance."""
    requests = sum(used[kind] * price for kind, price in PRICES.items())
    return 1_000 * (requests + used["invocations"] * (INVOCATION + COMPUTE / sharing))


class Meter:
    """What an instance uses, step by step: documents on Firestore's bill, tasks, invocations."""

    def __init__(self, api: Api, bill: Bill) -> None:
        self._api = api
        self._bill = bill
        self.calls = Counter[str]()
        """The store's calls instead of its documents, of all steps."""
        self.events: list[int] = []
        """The audit's writes, by step."""

    def step(self, requests: int, act: Callable[[], object], seconds: float) -> Counter[str]:
        """What so many requests use, and what follows from them for so long. The audit's writes are apart."""
        self._bill.clear()
        self._api.store.calls.clear()
        act()
        delivered = len(self._api.live(seconds))
        self.events.append(self._bill.pop("events", 0))
        calls = self._api.store.calls
        self.calls.update("writes" if call.startswith("commit") else "reads" for call in calls)
        # A task is an operation when it is created, and another when it is delivered.
        tasks = Counter({"task operations": 2 * delivered, "invocations": requests + delivered})
        self.calls.update(tasks)
        self.calls["deletes"] += self._bill["deletes"]
        return self._bill + tasks


@pytest.mark.google
def test_a_preview_environments_life_uses_what_the_page_says(
    on_firestore: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, project, environments = on_firestore, on_firestore.project(), list[str]()
    meter, enqueued = Meter(api, open_bill(monkeypatch)), api.queue.enqueued
    opened = meter.step(1, lambda: environments.append(api.environment(project, ENVIRONMENT)), 60)
    deployed = [meter.step(1, lambda: api.deploy(environments[0]), 60) for _ in range(3)]
    ended = meter.step(0, lambda: None, DAY + 3_600)
    lived = Counter(meter.calls)
    purged = meter.step(0, lambda: None, 8 * DAY)
    assert not api.queue.tasks
    assert all(one == deployed[0] for one in deployed)
    assert meter.events == [1, 1, 1, 1, 0, 0], "the audit: a write with each request"
    assert api.status(environments[0], "?show_deleted=true") == 404
    life = opened + deployed[0] + deployed[1] + deployed[2] + ended + purged
    assert life["task operations"] == 2 * (api.queue.enqueued - enqueued), "every task was delivered, once"
    said = table()
    assert {name: row for name, row in said.items() if name not in WITHOUT_SUM} == {
        "create, until it runs": opened,
        "a deployment, until it has succeeded": deployed[0],
        "expiry, grace, deletion": ended,
        "purge": purged,
        LIFE: life,
    }
    assert said[AUDITED] == life + Counter(writes=sum(meter.events), deletes=sum(meter.events))
    assert (said[LIVED], said[PURGED]) == (+lived, meter.calls - lived)
    assert lived <= said[MOST]
    assert life["deletes"] <= said[MOST]["deletes"]


def test_the_most_is_what_was_set() -> None:
    assert list(table()[MOST].values()) == [14, 17, 4, 20, 14]


@pytest.mark.parametrize(
    ("row", "sharing", "said"),
    [
        (AUDITED, 1, r"\*\*\$([0-9.]+)\*\*, each"),
        (AUDITED, 8, r"\*\*\$([0-9.]+)\*\* with"),
        (LIFE, 1, r"it is \$([0-9.]+) and"),
        (LIFE, 8, r"it is \$[0-9.]+ and \$([0-9.]+)\."),
        ("five callbacks", 1, r"which is \$([0-9.]+) of"),
        ("five callbacks", 8, r"\(shared: \$([0-9.]+) of"),
    ],
)
def test_the_pages_dollars_are_its_counts_times_its_prices(row: str, sharing: int, said: str) -> None:
    found = re.search(said, COST)
    assert found
    assert found[1] == f"{dollars(table()[row], sharing):.3f}"
