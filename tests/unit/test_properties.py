"""Random sequences of operations: each rule of `rules` holds after every one of them.

To see one again: `play(Run(), seed)`, with the seed that a failure names.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import pytest

from shared import project_documents
from shared.domain.project import LOOK_AGAIN
from tests.unit.expected import ALL, DEPLOYMENT, LEGAL, REFUSALS
from tests.unit.histories import past_moments
from tests.unit.lives import Event, Life
from tests.unit.promises import faults
from tests.unit.rules import RULES
from tests.unit.sequences import BIRTH, World

SEQUENCES = 5_250
FIRST_SEED = 310_126
ENOUGH = 50
REPAIRED = "and there was something to do"
DEFAULT, NAMED = "to the default", "to a named one"
PROJECT_RULE = "an_ended_project_takes_everything_along"


@dataclass
class Run:
    """What many sequences showed."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Operations by the environment's status, operation, and outcome: accepted, or the error's name."""
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Deployments by their status when their environment was ended, and what became of them then."""
    works: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Deployments and provisionings by how they were to fare, and what became of them at the end."""
    looks: Counter[str] = field(default_factory=Counter)
    """Moments of the past that were looked at before and after an operation."""
    broken: dict[str, str] = field(default_factory=dict)
    """Of each rule that was broken, the shortest sequence that does it."""

    def report(self, rule: str, seed: int, trace: list[str], fault: str) -> None:
        """Keep it if it is the shortest."""
        text = "\n".join([f"seed {seed}:", *trace, f"=> {fault}"])
        if rule not in self.broken or len(text) < len(self.broken[rule]):
            self.broken[rule] = text


def play(run: Run, seed: int) -> None:
    """One sequence, with every rule checked after every operation."""
    world = World(Random(seed))
    try:
        for event in world.run():
            for name, fault in faults(event):
                run.report(name, seed, world.trace, fault)
            count(run, event)
    except Exception as error:
        error.add_note("\n".join([f"seed {seed}:", *world.trace]))
        raise
    for life in world.lives:
        run.works.update(works_of(life))
    for fault in project_faults(world):
        run.report(PROJECT_RULE, seed, world.trace, fault)


def works_of(life: Life) -> Iterator[tuple[str, str, str]]:
    """Each deployment, and each time that the environment was provisioned, with what it came to."""
    for item in life.deployments.values():
        kind = "flaky" if item.simulation else str(item.work.outcome)
        last = item.timeline[-1]
        yield "deployment", kind, f"{last.status} {last.reason}" if kind == "hang" else last.status
    environment = life.stored.environment
    kind, attempts = "flaky" if environment.simulation else str(environment.work.outcome), []
    for step, following in pairwise(environment.timeline):
        if step.status == "provisioning":
            attempts.append(following.status)
    yield "environment", kind, ", ".join(attempts[:2])


def count(run: Run, event: Event) -> None:
    outcome = type(event.refusal).__name__ if event.refusal else "accepted"
    run.counts[event.status, event.operation, outcome] += 1
    if event.operation == "rollback" and event.ask and event.refusal is None:
        run.counts[event.status, event.operation, NAMED if event.ask.target else DEFAULT] += 1
    if event.operation == "repair" and event.after is not event.before:
        run.counts[event.status, event.operation, REPAIRED] += 1
    if event.after is not event.before:
        run.looks[event.operation] += len(past_moments(event))
    if event.life.end_asked and event.life.end_asked[0] == event.now and event.before:
        before = {item.number: item.status_at(event.now) for item in event.before.deployments}
        for item in event.after.deployments:
            run.ends[before[item.number], item.status_at(event.now)] += 1


def project_faults(world: World) -> Iterator[str]:
    """An ended project stays ended, misses nothing that raced with its end, and goes when nothing is left."""
    if project_documents.project(project_documents.project_data(world.project)) != world.project:
        yield f"{world.project}"
    ended_at = world.project.ended_at or BIRTH
    for before, now, remains, after in world.looks:
        if after is None:
            if remains.more_to_end or remains.tombstones or now < ended_at + LOOK_AGAIN:
                yield f"purged at {now} with {remains}"
        elif after.ended_at != ended_at or after.due_at is None or after.due_at < now:
            yield f"{before} became {after}"
        elif (after.due_at == now) != remains.more_to_end:
            yield f"at {now} looks again at {after.due_at} with {remains}"
    ended = world.project.ended_at is not None
    if ended and (not world.looks or world.looks[-1][-1] is not None):
        yield f"{len(world.looks)} looks were not enough"
    if ended and any(life.stored.environment.purge_at is None for life in world.lives):
        yield "an environment outlived its project"


@pytest.fixture(scope="module")
def run() -> Run:
    run = Run()
    for seed in range(FIRST_SEED, FIRST_SEED + SEQUENCES):
        play(run, seed)
    return run


@pytest.mark.parametrize("rule", [*RULES, PROJECT_RULE])
def test_a_rule_holds_in_every_sequence(run: Run, rule: str) -> None:
    assert rule not in run.broken, run.broken[rule]


def test_every_legal_cell_is_reached_often(run: Run) -> None:
    """The table is printed: `pytest -s` shows it."""
    for cell, times in sorted(run.counts.items()):
        sys.stdout.write(f"{times:7} {' '.join(cell)}\n")
    legal = {(status, operation, "accepted") for operation in LEGAL for status in LEGAL[operation]}
    legal |= {("running", "rollback", DEFAULT), ("running", "rollback", NAMED)}
    assert {cell: run.counts[cell] for cell in legal if run.counts[cell] < ENOUGH} == {}


def test_every_refusal_is_met_often(run: Run) -> None:
    refused = {
        (status, operation, error.__name__)
        for operation, error in REFUSALS.items()
        for status in (DEPLOYMENT if operation == "cancel" else ALL) - LEGAL[operation]
    }
    refused |= {("running", "deploy", "TooManyUnfinished"), ("running", "extend", "InvalidInput")}
    refused |= {("running", "deploy", "Busy"), ("running", "extend", "NoLease")}
    refused |= {("expired", "restore", "FailedBefore"), ("running", "rollback", "InvalidInput")}
    refused |= {("running", "rollback", "NothingToRollBackTo")}
    assert {cell: run.counts[cell] for cell in refused if run.counts[cell] < ENOUGH} == {}


def test_every_operation_meets_a_past_and_the_sweep_something_to_do(run: Run) -> None:
    """Nothing comes due while an environment is provisioning."""
    for operation, times in sorted(run.looks.items()):
        sys.stdout.write(f"{times:7} looks into the past, before and after: {operation}\n")
    assert {operation for operation in LEGAL if run.looks[operation] < 10 * ENOUGH} == {"open"}
    for status in ALL - {"provisioning"}:
        assert run.counts[status, "repair", REPAIRED] >= ENOUGH, status


def test_deletions_meet_deployments_that_wait_and_that_run(run: Run) -> None:
    for cell, times in sorted(run.ends.items()):
        sys.stdout.write(f"{times:7} {' '.join(cell)}\n")
    assert run.ends["pending", "canceled"] >= ENOUGH
    assert run.ends["running", "failed"] >= ENOUGH


def test_flaky_and_hanging_work_comes_to_every_end_often(run: Run) -> None:
    for cell, times in sorted(run.works.items()):
        sys.stdout.write(f"{times:7} {' '.join(cell)}\n")
    expected = {
        ("deployment", "flaky", "succeeded"),
        ("deployment", "flaky", "failed"),
        ("deployment", "flaky", "superseded"),
        ("deployment", "flaky", "canceled"),
        ("deployment", "hang", "failed deadline_exceeded"),
        ("deployment", "hang", "canceled cancel_requested"),
        ("environment", "flaky", "running"),
        ("environment", "flaky", "failed"),
        ("environment", "flaky", "failed, running"),
        ("environment", "flaky", "failed, failed"),
        ("environment", "hang", "failed"),
        ("environment", "hang", "failed, failed"),
        ("environment", "hang", "expired"),
    }
    assert {cell: run.works[cell] for cell in expected if run.works[cell] < ENOUGH} == {}


def test_the_same_seed_gives_the_same_sequence() -> None:
    first, second = World(Random(FIRST_SEED)), World(Random(FIRST_SEED))
    assert [event.after for event in first.run()] == [event.after for event in second.run()]
