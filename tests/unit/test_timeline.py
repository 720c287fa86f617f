"""The rules of a timeline, of the status at a moment, and of what is read off a timeline."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from shared.domain.deployment import MACHINE as DEPLOYMENT
from shared.domain.deployment import finish
from shared.domain.environment import MACHINE as ENVIRONMENT
from shared.domain.environment import Pace, end_of, purge_at
from shared.domain.simulation import PHASES
from shared.domain.timeline import (
    MOST_STEPS,
    IllegalTimeline,
    Machine,
    Outcome,
    Step,
    Timeline,
    Work,
    history,
    next_at,
    step_at,
)
from shared.errors import TimelineFull

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
MACHINES = [ENVIRONMENT, DEPLOYMENT]

# The shortest way to a status, and from it on to where it may end.
WAYS = {
    "environment": {
        "provisioning": ["provisioning"],
        "running": ["provisioning", "running"],
        "failed": ["provisioning", "failed"],
        "expired": ["provisioning", "expired"],
        "deleting": ["provisioning", "deleting"],
        "deleted": ["provisioning", "deleting", "deleted"],
    },
    "deployment": {
        "pending": ["pending"],
        "running": ["pending", "running"],
        "canceling": ["pending", "running", "canceling"],
        "succeeded": ["pending", "running", "succeeded"],
        "failed": ["pending", "running", "failed"],
        "canceled": ["pending", "canceled"],
        "superseded": ["pending", "superseded"],
    },
}
ON = {
    "provisioning": ["running"],
    "expired": ["deleting", "deleted"],
    "deleting": ["deleted"],
    "pending": ["canceled"],
    "canceling": ["canceled"],
}
LEGAL = {
    "environment": {
        "provisioning": {"running", "failed", "expired", "deleting"},
        "running": {"expired", "deleting"},
        "failed": {"provisioning", "expired", "deleting"},
        "expired": {"running", "deleting"},
        "deleting": {"deleted"},
        "deleted": set(),
    },
    "deployment": {
        "pending": {"running", "canceled", "superseded"},
        "running": {"succeeded", "failed", "canceling"},
        "canceling": {"canceled"},
        "succeeded": set(),
        "failed": set(),
        "canceled": set(),
        "superseded": set(),
    },
}
STABLE = {
    "environment": {"running", "failed", "deleted"},
    "deployment": {"succeeded", "failed", "canceled", "superseded"},
}


def each_second(*statuses: str) -> Timeline:
    return tuple(Step(START + timedelta(seconds=second), status) for second, status in enumerate(statuses))


def moves(legal: bool) -> list[tuple[Machine, str, str]]:  # noqa: FBT001 - which half of one table
    """All pairs of statuses that may, or may not, follow each other."""
    return [
        (machine, old, new)
        for machine in MACHINES
        for old, new in product(machine.statuses, repeat=2)
        if (new in LEGAL[machine.name][old]) == legal
    ]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_a_timeline_has_steps(machine: Machine) -> None:
    with pytest.raises(IllegalTimeline, match="starts as"):
        machine.timeline([])


@pytest.mark.parametrize(
    ("machine", "status"), [(machine, status) for machine in MACHINES for status in machine.statuses[1:]]
)
def test_a_timeline_starts_with_the_first_status_only(machine: Machine, status: str) -> None:
    with pytest.raises(IllegalTimeline, match="starts as"):
        machine.timeline(each_second(*WAYS[machine.name][status][1:]))


@pytest.mark.parametrize(("machine", "old", "new"), moves(legal=True))
def test_a_legal_move_is_taken(machine: Machine, old: str, new: str) -> None:
    on = ["succeeded"] if (machine, new) == (DEPLOYMENT, "running") else ON.get(new, [])
    steps = each_second(*WAYS[machine.name][old], new, *on)
    assert machine.timeline(steps) == steps


@pytest.mark.parametrize(("machine", "old", "new"), moves(legal=False))
def test_any_other_move_is_refused(machine: Machine, old: str, new: str) -> None:
    with pytest.raises(IllegalTimeline, match="can't follow"):
        machine.timeline(each_second(*WAYS[machine.name][old], new))


@pytest.mark.parametrize(
    ("machine", "status"), [(machine, status) for machine in MACHINES for status in machine.statuses]
)
def test_a_timeline_ends_in_a_stable_status_only(machine: Machine, status: str) -> None:
    steps = each_second(*WAYS[machine.name][status])
    if status in STABLE[machine.name]:
        assert machine.timeline(steps) == steps
    else:
        with pytest.raises(IllegalTimeline, match=f"can't end {status}"):
            machine.timeline(steps)


def test_steps_never_go_back_in_time() -> None:
    pending, running, done = each_second("pending", "running", "succeeded")
    with pytest.raises(IllegalTimeline, match="can't follow"):
        DEPLOYMENT.timeline([pending, running, Step(running.at - TICK, done.status)])


def test_steps_may_share_a_moment() -> None:
    steps = [Step(START, status) for status in ("pending", "running", "succeeded")]
    assert DEPLOYMENT.timeline(steps) == tuple(steps)


def test_a_timeline_takes_200_steps_and_not_one_more() -> None:
    retried = each_second(*["provisioning", "failed"] * (MOST_STEPS // 2))
    assert len(ENVIRONMENT.timeline(retried)) == MOST_STEPS == 200
    with pytest.raises(TimelineFull):
        ENVIRONMENT.timeline(
            [*retried, Step(retried[-1].at, "provisioning"), Step(retried[-1].at, "running")]
        )


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_a_terminal_status_is_one_that_nothing_follows(machine: Machine) -> None:
    terminal = {status for status in machine.statuses if machine.is_terminal(status)}
    assert terminal == {status for status, following in LEGAL[machine.name].items() if not following}


@pytest.mark.parametrize(
    ("offset", "status"),
    [(-TICK, "pending"), (timedelta(0), "running"), (TICK, "running")],
    ids=["just before", "at the moment", "just after"],
)
def test_a_step_counts_from_its_moment_on(offset: timedelta, status: str) -> None:
    timeline = each_second("pending", "running", "succeeded")
    moment = timeline[1].at + offset
    assert step_at(timeline, moment).status == status
    assert history(timeline, moment)[-1].status == status
    assert next_at(timeline, moment) == timeline[1 if status == "pending" else 2].at


def test_of_steps_at_one_moment_the_last_counts() -> None:
    timeline = tuple(Step(START, status) for status in ("pending", "running", "succeeded"))
    assert step_at(timeline, START).status == "succeeded"
    assert history(timeline, START) == list(timeline)


def test_before_the_first_step_the_first_one_is_shown() -> None:
    timeline = each_second("pending", "canceled")
    assert step_at(timeline, START - TICK).status == "pending"


def test_after_the_last_step_nothing_is_planned() -> None:
    timeline = each_second("pending", "canceled")
    assert step_at(timeline, START + timedelta(days=9)) == timeline[-1]
    assert next_at(timeline, timeline[-1].at) is None


@pytest.mark.parametrize(
    ("fail_at", "seconds"),
    [("validate", 1), ("fetch", 3.5), ("configure", 5), ("release", 8.5), ("verify", 10), (None, 10)],
)
def test_work_fails_at_the_end_of_its_phase(fail_at: str | None, seconds: float) -> None:
    at = START + timedelta(seconds=seconds)
    assert finish(Work(10, Outcome.FAIL, fail_at), START) == Step(
        at, "failed", f"{fail_at or 'verify'}_failed"
    )


@pytest.mark.parametrize("fail_at", [None, *PHASES])
def test_work_that_hangs_fails_at_its_deadline_wherever_it_hangs(fail_at: str | None) -> None:
    assert finish(Work(60, Outcome.HANG, fail_at), START) == Step(
        START + timedelta(seconds=60), "failed", "deadline_exceeded"
    )


@pytest.mark.parametrize("fail_at", [None, *PHASES])
def test_work_that_succeeds_takes_its_whole_time(fail_at: str | None) -> None:
    assert finish(Work(10, Outcome.SUCCEED, fail_at), START) == Step(
        START + timedelta(seconds=10), "succeeded"
    )


@pytest.mark.parametrize(
    ("statuses", "end"),
    [
        (["provisioning", "running"], None),
        (["provisioning", "failed"], None),
        (["provisioning", "running", "expired", "deleting", "deleted"], 2),
        (["provisioning", "running", "deleting", "deleted"], 2),
        (["provisioning", "expired", "running"], None),
        (["provisioning", "expired", "running", "expired", "deleting", "deleted"], 3),
        (["provisioning", "expired", "running", "deleting", "deleted"], 3),
    ],
    ids=str,
)
def test_an_environments_end_is_the_first_that_no_restore_follows(
    statuses: list[str], end: int | None
) -> None:
    timeline = each_second(*statuses)
    assert end_of(timeline) == (None if end is None else timeline[end])
    gone = statuses[-1] == "deleted"
    purged = timeline[-1].at + timedelta(seconds=60) if gone else None
    assert purge_at(timeline, Pace(0, 0, 0, 0, tombstone=60)) == purged
