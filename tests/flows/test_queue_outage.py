"""An outage of Cloud Tasks that lasts 30 s."""

from pathlib import Path

import pytest

from local.google.firestore_emulator import Emulator
from local.google.stack import Sweep
from tests.flows.conftest import OVERDUE_SECONDS, STORY
from tests.flows.google_stack import google_stack
from tests.flows.outage import OUTAGE_SECONDS, live_through


@pytest.mark.google
def test_what_is_asked_for_while_the_queue_is_down_is_done_afterwards_once(
    emulator: Emulator, tmp_path: Path
) -> None:
    with google_stack(emulator, tmp_path, Sweep(0.5, OVERDUE_SECONDS), **STORY) as stack:
        seen = live_through(stack)
    assert len(seen.opened) >= OUTAGE_SECONDS / 4, "creates went on"
    assert seen.slowest < 10
    assert [item["number"] for item in seen.listed] == list(range(len(seen.deployed), 0, -1)), "gapless"
    assert [item["id"] for item in reversed(seen.listed)] == seen.deployed
    for item in seen.listed:
        assert [step["status"] for step in item["timeline"]] == ["pending", "running", "succeeded"]
    assert all(log["complete"] for log in seen.logs)
    assert {log["entries"][-1]["message"] for log in seen.logs} == {"Deployment succeeded"}
    assert len(seen.stored) == len(seen.opened) + len(seen.deployed) + 1, "the one that was there, no twins"
