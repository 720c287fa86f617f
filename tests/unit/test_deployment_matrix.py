"""What becomes of a deployment in every status, as tables. A status without a cell fails."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from shared.domain import operations
from shared.domain.aggregate import Aggregate, replan
from shared.domain.deployment import MACHINE as DEPLOYMENT
from shared.domain.deployment import Deployment
from shared.domain.environment import EnvironmentType, Pace, Policy
from shared.domain.timeline import Outcome, Step, Work
from shared.errors import Busy, InvalidInput, NotFound, NothingToRollBackTo, NotPossible, TooManyUnfinished
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

# By a deployment's status when it is to be gone back to: what it is from then on.
ROLLBACK_CELLS: dict[str, Cell] = {
    "pending": InvalidInput,
    "running": InvalidInput,
    "canceling": InvalidInput,
    "succeeded": "succeeded",
    "failed": InvalidInput,
    "canceled": InvalidInput,
    "superseded": InvalidInput,
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
    assert set(ROLLBACK_CELLS) == set(DEPLOYMENT.statuses)
    assert set(CANCEL_CELLS) == set(DEPLOYMENT.statuses)
    assert set(END_CELLS) == set(product(DEPLOYMENT.statuses, ("delete", "expiry")))
    assert set(DEPLOY_CELLS) == set(product(DEPLOYMENT.statuses, Policy))


def beside(status: str, aggregate: Aggregate) -> Aggregate:
    """The environment with a deployment that is in this status just before `END_AT`, planned as usual."""
    past = (Step(START, "pending"), *(Step(moment(at), name, reason) for at, name, reason in PASTS[status]))
    one = Deployment("dep-1", "env-a", "prj-a", "1.0", 1, None, Work(1000), START, past)
    return replan(replace(aggregate, deployments=(one,)), moment(END_AT - 1))


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


@pytest.mark.parametrize("status", ROLLBACK_CELLS)
def test_a_rollback_to_one_in_a_status_does_what_its_cell_says(status: str) -> None:
    before, now, expected = beside(status, opened()), moment(END_AT), ROLLBACK_CELLS[status]
    if isinstance(expected, type):
        with pytest.raises(expected, match=f"/to: .* it is {status}"):
            operations.rollback(before, wish(2), now, "dep-1")
        return
    after = operations.rollback(before, wish(2), now, "dep-1")
    old, new = after.deployments
    assert (old.status_at(now), new.status_at(now)) == (expected, "pending")
    assert (new.kind, new.rollback_of, new.version, new.number) == ("rollback", "dep-1", "1.0", 2)


def history(*events: str) -> Aggregate:
    """A persistent environment after deployments, each of which takes 10 s, or is still pending."""
    aggregate, now = opened(lease=None), moment(10)
    aggregate = replace(aggregate, environment=replace(aggregate.environment, pace=Pace(1, 1, 2, 10, 60)))
    for number, event in enumerate(events, start=1):
        work = Work(10, Outcome.FAIL if event == "fails" else Outcome.SUCCEED)
        config = replace(aggregate.environment, config=f"{number}")
        new = replace(wish(number), version=f"v{number}", work=work)
        aggregate = operations.deploy(replace(aggregate, environment=config), new, now)
        now += timedelta(seconds={"runs": 5, "waits": 0.5}.get(event, 20))
    return replan(aggregate, now)


@pytest.mark.parametrize(
    ("events", "target"),
    [
        ((), None),
        (("succeeds",), None),
        (("succeeds", "succeeds"), 1),
        (("succeeds", "succeeds", "fails"), 1),
        (("succeeds", "fails", "succeeds"), 1),
        (("succeeds", "succeeds", "runs"), 2),
        (("succeeds", "runs"), 1),
        (("succeeds", "runs", "waits"), 1),
        (("succeeds", "succeeds", "waits"), 1),
        (("runs",), None),
        (("waits",), None),
        (("fails", "fails"), None),
    ],
)
def test_the_default_target_is_what_is_live_while_something_runs_else_what_was_before(
    events: tuple[str, ...], target: int | None
) -> None:
    before = history(*events)
    now = before.environment.as_of
    if target is None:
        with pytest.raises(NothingToRollBackTo):
            operations.rollback(before, wish(9), now)
        return
    after = operations.rollback(before, wish(9), now)
    new = after.deployments[-1]
    assert (new.rollback_of, new.version, new.config) == (f"dep-{target}", f"v{target}", f"{target}")
    assert after.environment.config == f"{len(events)}", "the environment's own configuration stays"
    assert [item.status_at(now) for item in after.deployments].count("pending") == 1


def test_a_rollback_takes_the_place_of_what_waits_and_waits_for_what_runs() -> None:
    before = history("succeeds", "runs", "waits")
    after = operations.rollback(before, wish(9), before.environment.as_of)
    _, runs, waits, new = after.deployments
    assert waits.timeline[-1].status == "superseded"
    assert new.started_at == runs.ends_at


def test_a_repeated_rollback_goes_back_and_forth() -> None:
    aggregate, now = history("succeeds", "succeeds"), moment(100)
    for number, version in ((3, "v1"), (4, "v2"), (5, "v1")):
        aggregate = operations.rollback(aggregate, wish(number), now)
        now += timedelta(seconds=1_100)
        active = aggregate.environment.active_at(now)
        assert active is not None
        assert (active.number, active.version) == (number, version)


@pytest.mark.parametrize("to", ["dep-9", "", "dep-1"])
def test_a_target_that_is_not_of_this_environment_is_no_target(to: str) -> None:
    foreign = replace(history("succeeds").deployments[0], environment_id="env-b")
    with pytest.raises(InvalidInput, match="/to"):
        operations.rollback(replace(opened(), beside=(foreign,)), wish(), moment(50), to)
