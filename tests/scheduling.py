"""Which worker of pytest-xdist runs which tests, and when."""

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

TOGETHER = ("flows/test_stories.py", "flows/test_queue_outage.py", "flows/test_google_stack.py")
"""Files that share what takes long to start: one worker runs them all, from the beginning on."""

LONGEST = (
    "unit/test_properties.py",
    "flows/test_run_google.py",
    "infra/test_bundle.py",
    "flows/test_local_server.py",
    "simulation/test_faults.py",
    "flows/test_virtual_time.py",
    "functions/test_start_alone.py",
    "simulation/test_simulation.py",
    "flows/test_held_requests.py",
    "contract/test_races.py",
    "flows/test_broken_requests.py",
)
"""Further files that take long, in turn those that compute and those that wait: they come next, so that
workers are busy side by side, and none is still at a long one when the others have nothing left."""


def put_in_order(items: list[pytest.Item]) -> None:
    """The longest files first."""
    places = {Path(__file__).parent / name: place for place, name in enumerate((*TOGETHER, *LONGEST))}
    items.sort(key=lambda item: places.get(item.path, len(places)))


class TogetherScheduling(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """A file's tests stay together, in one worker; so do those of some files."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return TOGETHER[0] if scope.removeprefix("tests/") in TOGETHER else scope

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:  # noqa: ANN401
        super().mark_test_complete(node, item_index, duration)
        # What is done is forgotten: else all of it is counted again at every report.
        work = self.assigned_work[node]
        for scope in [scope for scope, tests in work.items() if all(tests.values())]:
            del work[scope]
