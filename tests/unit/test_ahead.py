"""What may still be waited for, by status: read off the tables of moves, and written out by hand here."""

import pytest

from shared.domain import deployment, environment
from shared.domain.timeline import TERMINAL, Machine

ENVIRONMENT = {
    "provisioning": {"running", "failed", "expired", "deleting", "deleted"},
    "running": {"expired", "deleting", "deleted"},
    "failed": {"expired", "deleting", "deleted"},  # not running: that takes a retry
    "expired": {"deleting", "deleted"},  # likewise a restore
    "deleting": {"deleted"},
    "deleted": set(),
}
DEPLOYMENT = {
    "pending": {"running", "canceling", "succeeded", "failed", "canceled", "superseded", TERMINAL},
    "running": {"canceling", "succeeded", "failed", "canceled", TERMINAL},
    "canceling": {"canceled", TERMINAL},
    "succeeded": set(),
    "failed": set(),
    "canceled": set(),
    "superseded": set(),
}
CELLS = [
    (machine, status, target, target in ahead[status])
    for machine, ahead in ((environment.MACHINE, ENVIRONMENT), (deployment.MACHINE, DEPLOYMENT))
    for status in machine.statuses
    for target in (*machine.statuses, *([TERMINAL] if machine is deployment.MACHINE else []))
]


def test_every_status_has_its_row() -> None:
    assert list(ENVIRONMENT) == environment.MACHINE.statuses
    assert list(DEPLOYMENT) == deployment.MACHINE.statuses
    assert len(CELLS) == 6 * 6 + 7 * 8


@pytest.mark.parametrize(("machine", "status", "target", "expected"), CELLS)
def test_what_is_ahead(machine: Machine, status: str, target: str, *, expected: bool) -> None:
    assert machine.is_ahead(target, status) == expected
