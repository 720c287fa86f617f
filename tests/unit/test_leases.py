"""Leases to the microsecond: when an environment expires, and who may still change that."""

from datetime import timedelta

import pytest

from shared.domain import operations
from shared.domain.aggregate import replan
from shared.domain.lease import Lease
from shared.domain.timeline import MOST_STEPS, Outcome
from shared.errors import FailedBefore, InvalidInput, NoLease, NotPossible, TimelineFull
from tests.unit.test_matrix import START, moment, opened, wish
from tests.unit.wishes import TICK

HOUR = Lease("hours", 1, 24)


@pytest.mark.parametrize(
    ("lease", "seconds"),
    [
        (Lease("hours", 1, 24), 3_610),
        (Lease("hours", TICK / timedelta(hours=1), 24), 10.000_001),
        (Lease("until", moment(11), 24), 11),
        (Lease("until", moment(10) + TICK, 24), 10.000_001),
        (Lease("until", START + timedelta(hours=24), 24), 86_400),
        (Lease("hours", 24 - 10 / 3_600, 24), 86_400),
    ],
)
def test_a_lease_ends_so_many_hours_from_now_or_at_a_moment(lease: Lease, seconds: float) -> None:
    assert lease.ends_at(START, moment(10)) == moment(seconds)


@pytest.mark.parametrize(
    "wish",
    [24.0, 1e308, 1e-11, moment(10), moment(9), START + timedelta(hours=24) + TICK],
)
def test_a_lease_that_can_not_be_names_the_limit(wish: float) -> None:
    with pytest.raises(InvalidInput, match=r"2026-0(2-01T12:00:00|1-31T12:00:10)\.000000Z") as refused:
        Lease("until", wish, 24).ends_at(START, moment(10))
    assert [fault.where for fault in refused.value.faults] == ["/until"]


def test_an_environment_may_be_extended_until_the_very_moment_of_its_expiry() -> None:
    before, end = opened(lease=10), moment(10)
    assert before.environment.status_at(end - TICK) == "running"
    assert before.environment.status_at(end) == "expired"
    after = operations.extend(before, end - TICK, HOUR)
    assert after.environment.status_at(end) == "running"
    with pytest.raises(NotPossible, match="expired"):
        operations.extend(before, end, HOUR)
    assert operations.restore(before, end, HOUR).environment.status_at(end) == "running"


def test_what_was_to_end_with_the_old_lease_goes_on() -> None:
    before = operations.deploy(opened(lease=100), wish(), moment(30))
    assert before.deployments[0].timeline[-1].reason == "environment_expired"
    after = operations.extend(before, moment(99), HOUR)
    assert [step.status for step in after.deployments[0].timeline] == ["pending", "running", "succeeded"]
    sooner = operations.extend(after, moment(99.5), Lease("until", moment(100), 24))
    assert sooner.deployments[0].timeline == before.deployments[0].timeline


def test_a_restore_leaves_what_ended_with_the_old_lease_ended() -> None:
    before = operations.deploy(opened(lease=100), wish(), moment(30))
    after = operations.restore(before, moment(101), HOUR)
    assert after.deployments == before.deployments
    assert after.environment.unfinished == ()
    assert [step.status for step in after.environment.timeline][:4] == [
        "provisioning",
        "running",
        "expired",
        "running",
    ]
    assert after.environment.expires_at == moment(101 + 3_600)


def test_a_restore_needs_an_environment_that_had_not_failed() -> None:
    with pytest.raises(FailedBefore):
        operations.restore(opened(lease=100, outcome=Outcome.FAIL), moment(101), HOUR)


@pytest.mark.parametrize("second", [1, 50])
def test_a_persistent_one_has_no_lease_to_extend(second: float) -> None:
    with pytest.raises(NoLease):
        operations.extend(opened(lease=None), moment(second), HOUR)


def test_a_refused_lease_changes_nothing_and_the_status_is_said_first() -> None:
    with pytest.raises(InvalidInput):
        operations.extend(opened(), moment(50), Lease("hours", 25, 24))
    with pytest.raises(NotPossible):
        operations.extend(opened(), moment(105), Lease("hours", 25, 24))


def test_a_timeline_takes_200_steps_and_a_full_one_can_be_deleted_still() -> None:
    aggregate, now = opened(lease=100), moment(100)
    lease = Lease("hours", 10 / 3_600, 24)
    for _ in range((MOST_STEPS - 5) // 2):
        aggregate = operations.restore(aggregate, now, lease)
        now += timedelta(seconds=10)
    assert len(aggregate.environment.timeline) in {MOST_STEPS - 1, MOST_STEPS}
    with pytest.raises(TimelineFull):
        operations.restore(aggregate, now, lease)
    ended = operations.end_environment(aggregate, now, "asked_for")
    assert ended.environment.timeline[-1].status == "deleted"
    assert replan(ended, now) == ended


def test_the_last_100_notes_are_kept() -> None:
    aggregate = opened(lease=100)
    for number in range(103):
        aggregate = operations.extend(aggregate, moment(10), Lease("until", moment(100 + number), 24))
    assert [note.until for note in aggregate.environment.notes] == [moment(n) for n in range(103, 203)]
    assert {note.action for note in aggregate.environment.notes} == {"extended"}
