"""What every operation does in every status of an environment, as a table. One without a cell fails."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from shared.domain import aggregate, operations
from shared.domain.aggregate import Aggregate, open_environment, replan
from shared.domain.deployment import Rollout
from shared.domain.environment import MACHINE as ENVIRONMENT
from shared.domain.environment import Environment, EnvironmentType, Pace, Policy
from shared.domain.lease import Lease
from shared.domain.timeline import MOST_STEPS, Outcome, Work
from shared.errors import (
    EnvctlError,
    EnvironmentEnding,
    EnvironmentNotRunning,
    NothingToRollBackTo,
    NotPossible,
    TimelineFull,
)

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
EPHEMERAL, PERSISTENT = EnvironmentType
KEPT = "not written"
"""The operation succeeds and gives back the very object: there is nothing to commit."""

Cell = str | type[EnvctlError]

ENVIRONMENT_CELLS: dict[tuple[str, str], Cell] = {
    ("provisioning", "deploy"): EnvironmentNotRunning,
    ("provisioning", "edit"): "provisioning",
    ("provisioning", "end_environment"): "deleting",
    ("provisioning", "replan"): "provisioning",
    ("running", "deploy"): "running",
    ("running", "edit"): "running",
    ("running", "end_environment"): "deleting",
    ("running", "replan"): "running",
    ("failed", "deploy"): EnvironmentNotRunning,
    ("failed", "edit"): "failed",
    ("failed", "end_environment"): "deleting",
    ("failed", "replan"): "failed",
    ("expired", "deploy"): EnvironmentNotRunning,
    ("expired", "edit"): "expired",
    ("expired", "end_environment"): "deleting",
    ("expired", "replan"): "expired",
    ("deleting", "deploy"): EnvironmentNotRunning,
    ("deleting", "edit"): EnvironmentEnding,
    ("deleting", "end_environment"): KEPT,
    ("deleting", "replan"): "deleting",
    ("deleted", "deploy"): EnvironmentNotRunning,
    ("deleted", "edit"): EnvironmentEnding,
    ("deleted", "end_environment"): KEPT,
    ("deleted", "replan"): "deleted",
    ("provisioning", "retry"): NotPossible,
    ("running", "retry"): NotPossible,
    ("failed", "retry"): "provisioning",
    ("expired", "retry"): NotPossible,
    ("deleting", "retry"): NotPossible,
    ("deleted", "retry"): NotPossible,
    ("provisioning", "rollback"): EnvironmentNotRunning,
    ("running", "rollback"): NothingToRollBackTo,
    ("failed", "rollback"): EnvironmentNotRunning,
    ("expired", "rollback"): EnvironmentNotRunning,
    ("deleting", "rollback"): EnvironmentNotRunning,
    ("deleted", "rollback"): EnvironmentNotRunning,
    ("provisioning", "extend"): "provisioning",
    ("running", "extend"): "running",
    ("failed", "extend"): "failed",
    ("expired", "extend"): NotPossible,
    ("deleting", "extend"): NotPossible,
    ("deleted", "extend"): NotPossible,
    ("provisioning", "restore"): NotPossible,
    ("running", "restore"): NotPossible,
    ("failed", "restore"): NotPossible,
    ("expired", "restore"): "running",
    ("deleting", "restore"): NotPossible,
    ("deleted", "restore"): NotPossible,
    ("provisioning", "repair"): KEPT,  # nothing has come due
    ("running", "repair"): "running",
    ("failed", "repair"): "failed",
    ("expired", "repair"): "expired",
    ("deleting", "repair"): "deleting",
    ("deleted", "repair"): "deleted",
}

LEASE = Lease("hours", 0.1, 1)


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def opened(lease: float | None = 100, outcome: Outcome = Outcome.SUCCEED) -> Aggregate:
    """Provisioning for 2 s, ended `lease` seconds after the start, deleting 10 s after that."""
    return open_environment(
        Environment(
            id="env-a",
            project_id="prj-a",
            name="a",
            type=PERSISTENT if lease is None else EPHEMERAL,
            on_conflict=Policy.QUEUE if lease is None else Policy.LATEST,
            config=None,
            created_at=START,
            changed_at=START,
            expires_at=None if lease is None else moment(lease),
            work=Work(2, outcome),
            pace=Pace(pending=60, canceling=60, deleting=2, grace=10, tombstone=60),
            timeline=(),
            as_of=START,
        )
    )


def wish(number: int = 1) -> Rollout:
    return Rollout(f"dep-{number}", Work(1000), "1.0")


# How provisioning ends, and a second at which the status is reached.
MOMENTS: dict[str, tuple[Outcome, float]] = {
    "provisioning": (Outcome.SUCCEED, 1),
    "running": (Outcome.SUCCEED, 50),
    "failed": (Outcome.FAIL, 50),
    "expired": (Outcome.SUCCEED, 105),
    "deleting": (Outcome.SUCCEED, 111),
    "deleted": (Outcome.SUCCEED, 150),
}

OPERATIONS: dict[str, Callable[[Aggregate, datetime], Aggregate]] = {
    "deploy": lambda aggregate, now: operations.deploy(aggregate, wish(), now),
    "rollback": lambda aggregate, now: operations.rollback(aggregate, wish(), now),
    "retry": operations.retry,
    "edit": lambda aggregate, now: operations.edit(aggregate, now, name="b", config="{}"),
    "end_environment": lambda aggregate, now: operations.end_environment(aggregate, now, "asked_for"),
    "replan": replan,
    "repair": operations.repair,
    "extend": lambda aggregate, now: operations.extend(aggregate, now, LEASE),
    "restore": lambda aggregate, now: operations.restore(aggregate, now, LEASE),
}


def known_operations() -> set[str]:
    """The domain's public functions that take an aggregate."""
    return {
        name
        for module in (aggregate, operations)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters)) == "aggregate"
    }


def test_every_status_and_every_operation_has_a_cell() -> None:
    on_environments = known_operations() - {"cancel"}
    assert set(ENVIRONMENT_CELLS) == set(product(ENVIRONMENT.statuses, on_environments))


@pytest.mark.parametrize(("status", "operation"), ENVIRONMENT_CELLS)
def test_an_operation_does_in_a_status_what_its_cell_says(status: str, operation: str) -> None:
    expected = ENVIRONMENT_CELLS[status, operation]
    outcome, second = MOMENTS[status]
    before, now = opened(outcome=outcome), moment(second)
    assert before.environment.status_at(now) == status
    if isinstance(expected, type):
        with pytest.raises(expected, match="env-a" if expected is NothingToRollBackTo else status):
            OPERATIONS[operation](before, now)
        return
    after = OPERATIONS[operation](before, now)
    if expected == KEPT:
        assert after is before
    else:
        assert (after.environment.status_at(now), after.environment.as_of) == (expected, now)


def test_an_edit_that_changes_nothing_writes_nothing() -> None:
    before = opened()
    assert operations.edit(before, moment(5), name="a", config=None) is before


@pytest.mark.parametrize("lease", [100, None])
def test_a_retry_provisions_for_as_long_again_and_comes_to_its_own_outcome(lease: float | None) -> None:
    before = opened(lease=lease, outcome=Outcome.FAIL)
    failing = operations.retry(before, moment(50))
    steps = [(step.at, step.status) for step in failing.environment.timeline][2:4]
    assert steps == [(moment(50), "provisioning"), (moment(52), "failed")]
    mended = replace(before, environment=replace(before.environment, work=Work(2)))
    after = operations.retry(mended, moment(50))
    assert after.environment.status_at(moment(52)) == "running"
    assert not after.environment.has_failed(moment(52))
    assert after.environment.expires_at == before.environment.expires_at
    if lease is not None:
        assert operations.restore(after, moment(105), LEASE).environment.status_at(moment(105)) == "running"


def test_what_is_retried_without_end_can_be_deleted_still() -> None:
    aggregate = opened(lease=None, outcome=Outcome.FAIL)
    for number in range((MOST_STEPS - 2) // 2 - 1):
        aggregate = operations.retry(aggregate, moment(10 * number + 10))
    now = moment(10 * MOST_STEPS)
    with pytest.raises(TimelineFull):
        operations.retry(aggregate, now)
    assert (
        operations.end_environment(aggregate, now, "asked_for").environment.timeline[-1].status == "deleted"
    )
