"""What becomes of a deployment in every status, as tables. A status without a cell fails."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from shared.domain import operations
from shared.domain.aggregate import Aggregate, replan
from shared.domain.deployment import MACHINE as DEPLOYMENT
from shared.domain.environment import EnvironmentType, Policy
from shared.domain.timeline import Step
from shared.errors import Busy, NotFound, NotPossible, TooManyUnfinished
from tests.unit.test_matrix import EPHEMERAL, KEPT, START, Cell, moment, opened, wish

# By a deployment's status when it is canceled.
CANCEL_CELLS: dict[str, Cell] = {
    "pending": "canceled",
    "running": "canceling",
    "canceling": KEPT,
    "succeeded": NotPossible,
    "failed": NotPossible,
    "canceled": KEPT,
    "superseded": NotPossible,
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


def test_every_status_has_a_cell() -> None:
    assert set(CANCEL_CELLS) == set(DEPLOYMENT.statuses)
    assert set(END_CELLS) == set(product(DEPLOYMENT.statuses, ("delete", "expiry")))
    assert set(DEPLOY_CELLS) == set(product(DEPLOYMENT.statuses, Policy))


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


@pytest.mark.parametrize("is_beside", [False, True])
@pytest.mark.parametrize("status", CANCEL_CELLS)
def test_a_cancel_does_in_a_status_what_its_cell_says(status: str, *, is_beside: bool) -> None:
    before, now, expected = beside(status, opened()), moment(END_AT), CANCEL_CELLS[status]
    if is_beside:
        if status in {"pending", "running", "canceling"}:
            return  # what is unfinished is never beside
        before = replace(before, deployments=(), beside=before.deployments)
    if isinstance(expected, type):
        with pytest.raises(expected, match=f"is {status}"):
            operations.cancel(before, now, "dep-1")
        return
    after = operations.cancel(before, now, "dep-1")
    if expected == KEPT:
        assert after is before
    else:
        item = after.deployments[0]
        assert (item.status_at(now), item.timeline[-1].status) == (expected, "canceled")


def test_the_next_in_the_queue_starts_when_the_canceled_one_is_gone() -> None:
    queue = opened(lease=None)
    for number in (1, 2, 3):
        queue = operations.deploy(queue, wish(number), moment(10))
    after = operations.cancel(queue, moment(80), "dep-1")
    assert after.deployments[0].timeline[-1].at == after.deployments[1].started_at == moment(140)
    again = operations.cancel(after, moment(90), "dep-2")
    assert again.deployments[2].started_at == moment(140)


def test_what_is_not_there_can_not_be_canceled() -> None:
    with pytest.raises(NotFound):
        operations.cancel(opened(), moment(10), "dep-1")


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


def test_a_deployment_takes_the_configuration_of_the_moment_it_was_asked_for() -> None:
    first = operations.deploy(operations.edit(opened(), moment(5), name="a", config="1"), wish(), moment(6))
    later = operations.edit(first, moment(7), name="a", config="2")
    assert (later.environment.config, later.deployments[0].config) == ("2", "1")
