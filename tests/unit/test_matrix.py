"""What every operation does in every status, as tables. A status or an operation without a cell fails."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from shared.domain import aggregate, operations
from shared.domain.aggregate import Aggregate, open_environment, replan
from shared.domain.deployment import MACHINE as DEPLOYMENT
from shared.domain.deployment import Deployment
from shared.domain.environment import MACHINE as ENVIRONMENT
from shared.domain.environment import Environment, EnvironmentType, Pace, Policy
from shared.domain.lease import Lease
from shared.domain.timeline import Outcome, Step, Work
from shared.errors import (
    Busy,
    EnvctlError,
    EnvironmentEnding,
    EnvironmentNotRunning,
    NotPossible,
    TooManyUnfinished,
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
}

# By a deployment's status when its environment ends: what it is from then on.
END_CELLS: dict[tuple[str, str], tuple[str, str | None]] = {
    ("pending", "delete"): ("canceled", "environment_deleted"),
    ("pending", "expiry"): ("canceled", "environment_expired"),
    ("running", "delete"): ("failed", "environment_deleted"),
    ("running", "expiry"): ("failed", "environment_expired"),
    ("canceling", "delete"): ("canceled", "environment_deleted"),
    ("canceling", "expiry"): ("canceled", "environment_expired"),
    ("succeeded", "delete"): ("succeeded", None),
    ("succeeded", "expiry"): ("succeeded", None),
    ("failed", "delete"): ("failed", "verify_failed"),
    ("failed", "expiry"): ("failed", "verify_failed"),
    ("canceled", "delete"): ("canceled", "asked_for"),
    ("canceled", "expiry"): ("canceled", "asked_for"),
    ("superseded", "delete"): ("superseded", "newer_deployment"),
    ("superseded", "expiry"): ("superseded", "newer_deployment"),
}

# By a deployment's status when another is asked for: what it is from then on, or why the other is refused.
DEPLOY_CELLS: dict[tuple[str, Policy], Cell] = {
    ("pending", Policy.LATEST): "superseded",
    ("pending", Policy.QUEUE): "pending",
    **{((status), Policy.REJECT): Busy for status in ("pending", "running", "canceling")},
    **{
        (status, policy): status
        for status in ("running", "canceling")
        for policy in (Policy.LATEST, Policy.QUEUE)
    },
    **{
        (status, policy): status
        for status in ("succeeded", "failed", "canceled", "superseded")
        for policy in Policy
    },
}

# The steps that lead to a status, in seconds from the start.
PASTS: dict[str, list[tuple[float, str, str | None]]] = {
    "pending": [],
    "running": [(1, "running", None)],
    "canceling": [(1, "running", None), (25, "canceling", "asked_for")],
    "succeeded": [(1, "running", None), (20, "succeeded", None)],
    "failed": [(1, "running", None), (20, "failed", "verify_failed")],
    "canceled": [(5, "canceled", "asked_for")],
    "superseded": [(5, "superseded", "newer_deployment")],
}
END_AT = 30.0
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


def wish(number: int = 1) -> Deployment:
    work = Work(1000)
    return Deployment(f"dep-{number}", "env-a", "prj-a", "1.0", number, None, work, START, ())


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
    "edit": lambda aggregate, now: operations.edit(aggregate, now, name="b", config="{}"),
    "end_environment": lambda aggregate, now: operations.end_environment(aggregate, now, "asked_for"),
    "replan": replan,
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
    assert set(ENVIRONMENT_CELLS) == set(product(ENVIRONMENT.statuses, known_operations()))
    assert set(END_CELLS) == set(product(DEPLOYMENT.statuses, ("delete", "expiry")))
    assert set(DEPLOY_CELLS) == set(product(DEPLOYMENT.statuses, Policy))


@pytest.mark.parametrize(("status", "operation"), ENVIRONMENT_CELLS)
def test_an_operation_does_in_a_status_what_its_cell_says(status: str, operation: str) -> None:
    expected = ENVIRONMENT_CELLS[status, operation]
    outcome, second = MOMENTS[status]
    before, now = opened(outcome=outcome), moment(second)
    assert before.environment.status_at(now) == status
    if isinstance(expected, type):
        with pytest.raises(expected, match=status):
            OPERATIONS[operation](before, now)
        return
    after = OPERATIONS[operation](before, now)
    if expected == KEPT:
        assert after is before
    else:
        assert (after.environment.status_at(now), after.environment.as_of) == (expected, now)


def beside(status: str, aggregate: Aggregate) -> Aggregate:
    """The environment with a deployment that is in this status just before `END_AT`, planned as usual."""
    past = (Step(START, "pending"), *(Step(moment(at), name, reason) for at, name, reason in PASTS[status]))
    environment = replace(aggregate.environment, last_number=1)
    before = replace(aggregate, environment=environment, deployments=(replace(wish(), timeline=past),))
    return replan(before, moment(END_AT - 1))


@pytest.mark.parametrize(("status", "how"), END_CELLS)
def test_a_deployment_ends_with_its_environment_as_its_cell_says(status: str, how: str) -> None:
    before = beside(status, opened(lease=END_AT if how == "expiry" else 100))
    assert before.deployments[0].status_at(moment(END_AT - 0.000_001)) == status
    after = operations.end_environment(before, moment(END_AT), "asked_for")
    last = after.deployments[0].timeline[-1]
    assert (last.status, last.reason) == END_CELLS[status, how]
    assert last.at <= moment(END_AT)


@pytest.mark.parametrize("kind", EnvironmentType)
@pytest.mark.parametrize("is_own", [False, True])
@pytest.mark.parametrize(("status", "policy"), DEPLOY_CELLS)
def test_another_deployment_does_to_the_one_before_what_its_cell_says(
    status: str, policy: Policy, kind: EnvironmentType, *, is_own: bool
) -> None:
    before = beside(status, opened(lease=100 if kind == EPHEMERAL else None))
    own = policy if is_own else next(other for other in Policy if other != policy)
    before = replace(before, environment=replace(before.environment, on_conflict=own))
    asked = None if is_own else policy
    expected = DEPLOY_CELLS[status, policy]
    if isinstance(expected, type):
        with pytest.raises(expected, match=f"is {status}"):
            operations.deploy(before, wish(), moment(END_AT), asked)
        return
    after = operations.deploy(before, wish(), moment(END_AT), asked)
    assert after.deployments[0].status_at(moment(END_AT)) == expected
    assert [item.number for item in after.deployments] == [1, 2]


def test_the_21st_unfinished_deployment_is_refused_until_the_first_ends() -> None:
    full, now = opened(lease=None), moment(10)
    for _ in range(20):
        full = operations.deploy(full, wish(), now)
    with pytest.raises(TooManyUnfinished) as refused:
        operations.deploy(full, wish(), now)
    later = now + refused.value.retry_after
    assert operations.deploy(full, wish(), later).environment.last_number == 21
    with pytest.raises(TooManyUnfinished):
        operations.deploy(full, wish(), later - timedelta(microseconds=1))


def test_an_edit_that_changes_nothing_writes_nothing() -> None:
    before = opened()
    assert operations.edit(before, moment(5), name="a", config=None) is before


def test_a_deployment_takes_the_configuration_of_the_moment_it_was_asked_for() -> None:
    first = operations.deploy(operations.edit(opened(), moment(5), name="a", config="1"), wish(), moment(6))
    later = operations.edit(first, moment(7), name="a", config="2")
    assert (later.environment.config, later.deployments[0].config) == ("2", "1")
