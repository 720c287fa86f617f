"""A log follows from the deployment and the moment: nothing is written, and nothing shown is taken back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.deployment import Deployment, finish
from shared.domain.logs import entries, is_complete
from shared.domain.simulation import PHASES
from shared.domain.timeline import Outcome, Step, Work

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
LATER = START + timedelta(days=1)
# Round, crooked (shares don't add up to whole microseconds), shorter than a microsecond's phases, none.
DURATIONS = [10, 2.5, 1 / 3, 3 / 7, 0.000_007, 0]


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def deployment(work: Work, *end: Step) -> Deployment:
    """One that starts at once and ends by itself, if no other end is given."""
    steps = end or (finish(work, START),)
    timeline = (Step(START, "pending"), Step(START, "running"), *steps)
    return Deployment("dep-a", "env-a", "prj-a", "1.0", 1, None, work, START, timeline)


def never_started(*end: Step) -> Deployment:
    return replace(deployment(Work(10)), timeline=(Step(START, "pending"), *end))


@pytest.mark.parametrize("seconds", DURATIONS)
def test_a_success_tells_of_every_phase_its_beginning_and_its_end(seconds: float) -> None:
    said = entries(deployment(Work(seconds)), LATER)
    assert [entry.step for entry in said] == [phase for phase in PHASES for _ in range(2)] + ["verify"]
    assert {entry.level for entry in said} == {"info"}
    assert said[-1].message == "Deployment succeeded"


@pytest.mark.parametrize("seconds", DURATIONS)
@pytest.mark.parametrize("fail_at", [*PHASES, None])
def test_a_failure_ends_in_its_phase_which_is_not_said_to_be_over(
    fail_at: str | None, seconds: float
) -> None:
    said = entries(deployment(Work(seconds, Outcome.FAIL, fail_at)), LATER)
    failing = fail_at or "verify"
    before = list(PHASES)[: list(PHASES).index(failing)]
    assert [entry.step for entry in said] == [phase for phase in before for _ in range(2)] + [failing] * 2
    assert [entry.level for entry in said] == ["info"] * (len(said) - 1) + ["error"]
    assert said[-1].message == f"Deployment failed: {failing}_failed"


@pytest.mark.parametrize("seconds", DURATIONS)
@pytest.mark.parametrize("hang_at", [*PHASES, None])
def test_one_that_hangs_is_silent_from_the_phase_where_it_hangs_to_its_failure(
    hang_at: str | None, seconds: float
) -> None:
    said = entries(deployment(Work(seconds, Outcome.HANG, hang_at)), LATER)
    failed = entries(deployment(Work(seconds, Outcome.FAIL, hang_at)), LATER)
    assert said[:-1] == failed[:-1]
    assert (said[-1].time, said[-1].step) == (moment(seconds), hang_at or "verify")
    assert said[-1].message == "Deployment failed: deadline_exceeded"


@pytest.mark.parametrize("seconds", DURATIONS)
def test_lines_are_numbered_from_1_in_the_order_of_their_times(seconds: float) -> None:
    said = entries(deployment(Work(seconds)), LATER)
    assert [entry.seq for entry in said] == list(range(1, len(said) + 1))
    assert [entry.time for entry in said] == sorted(entry.time for entry in said)


def test_a_line_appears_at_its_moment_and_not_before() -> None:
    item = deployment(Work(10))
    for number, entry in enumerate(entries(item, LATER), start=1):
        assert entry in entries(item, entry.time)
        assert len(entries(item, entry.time - TICK)) < number
        assert entries(item, entry.time) == entries(item, LATER)[: len(entries(item, entry.time))]


def test_every_read_says_the_same() -> None:
    item = deployment(Work(10))
    same = replace(item, timeline=tuple(item.timeline))
    assert entries(item, moment(5)) == entries(same, moment(5)) != []


def test_another_deployment_says_other_details() -> None:
    item = deployment(Work(10))
    assert entries(replace(item, id="dep-b"), LATER)[3] != entries(item, LATER)[3]


@pytest.mark.parametrize(
    ("end", "level", "message"),
    [
        ([Step(moment(5.2), "failed", "environment_expired")], "error", "failed: environment_expired"),
        (
            [Step(moment(4), "canceling", "asked_for"), Step(moment(5.2), "canceled", "asked_for")],
            "warning",
            "canceled: asked_for",
        ),
    ],
    ids=["with its environment", "canceled"],
)
def test_an_early_end_cuts_the_log_and_rewrites_nothing(end: list[Step], level: str, message: str) -> None:
    undisturbed, cut = deployment(Work(10)), deployment(Work(10), *end)
    shown = entries(undisturbed, moment(5.2))
    said = entries(cut, LATER)
    assert said[:-1] == shown
    assert (said[-1].time, said[-1].level, said[-1].step) == (moment(5.2), level, "release")
    assert said[-1].message == f"Deployment {message}"


@pytest.mark.parametrize("ahead", [0, 0.2, 0.7, 1])
def test_a_cancel_takes_nothing_back_that_a_clock_ahead_of_its_own_has_shown(ahead: float) -> None:
    """As far ahead as canceling takes, however close a line follows the request."""
    undisturbed = deployment(Work(10))
    for tenth in range(1, 90):
        asked = tenth / 10
        canceled = deployment(
            Work(10), Step(moment(asked), "canceling", "a"), Step(moment(asked + 1), "canceled", "a")
        )
        shown = entries(undisturbed, moment(asked + ahead))
        assert entries(canceled, LATER)[: len(shown)] == shown


def test_a_line_of_the_very_moment_of_an_early_end_stays() -> None:
    undisturbed = deployment(Work(10))
    cut = deployment(Work(10), Step(moment(5), "failed", "environment_deleted"))
    shown = entries(undisturbed, moment(5))
    assert shown[-1].time == moment(5)
    assert entries(cut, moment(5))[: len(shown)] == shown


@pytest.mark.parametrize(
    ("status", "reason"), [("canceled", "environment_deleted"), ("superseded", "newer_deployment")]
)
def test_what_never_started_says_only_why(status: str, reason: str) -> None:
    item = never_started(Step(moment(5), status, reason))
    assert entries(item, moment(5) - TICK) == []
    (line,) = entries(item, moment(5))
    assert (line.level, line.message) == ("warning", f"Deployment {status}: {reason}")


@pytest.mark.parametrize(
    "item",
    [
        deployment(Work(10)),
        deployment(Work(10, Outcome.FAIL, "validate")),
        deployment(Work(10), Step(moment(4), "canceling", "a"), Step(moment(5), "canceled", "a")),
        never_started(Step(moment(5), "superseded", "newer_deployment")),
        never_started(Step(moment(5), "canceled", "environment_deleted")),
    ],
    ids=["succeeded", "failed", "canceled", "superseded", "never started"],
)
def test_a_log_is_complete_from_the_last_line_on_and_not_before(item: Deployment) -> None:
    assert not is_complete(item, item.ends_at - TICK)
    assert is_complete(item, item.ends_at)
    assert entries(item, item.ends_at) == entries(item, LATER)
    assert len(entries(item, item.ends_at - TICK)) < len(entries(item, LATER))
