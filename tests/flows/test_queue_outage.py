"""An outage of Cloud Tasks that lasts 30 s."""

import pytest

from tests.flows.google_stack import GoogleStack
from tests.flows.outage import OUTAGE_SECONDS, live_through


@pytest.mark.google
def test_what_is_asked_for_while_the_queue_is_down_is_done_afterwards_once(google: GoogleStack) -> None:
    seen = live_through(google)
    assert len(seen.opened) >= OUTAGE_SECONDS / 4, "creates went on"
    assert seen.slowest < 10
    assert [item["number"] for item in seen.listed] == list(range(len(seen.deployed), 0, -1)), "gapless"
    assert [item["id"] for item in reversed(seen.listed)] == seen.deployed
    for item in seen.listed:
        assert [step["status"] for step in item["timeline"]] == ["pending", "running", "succeeded"]
    assert all(log["complete"] for log in seen.logs)
    assert {log["entries"][-1]["message"] for log in seen.logs} == {"Deployment succeeded"}
    assert len(seen.stored) == len(seen.opened) + len(seen.deployed) + 1, "the one that was there, no twins"
