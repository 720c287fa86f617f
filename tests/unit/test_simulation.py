"""How simulated work is made of what was asked for, and what chance is."""

from collections import Counter

import pytest

from shared.domain.simulation import PHASES, Scenario, Simulation, by_chance, real, work_of
from shared.domain.timeline import Outcome, Work

FLAKY = Scenario.FLAKY


def _decided(simulation: Simulation, object_id: str, attempt: int) -> Work:
    return by_chance(Work(3), simulation, object_id, attempt)


@pytest.mark.parametrize("scenario", [None, *(name for name in Scenario if name != FLAKY)])
def test_chance_has_no_part_in_what_is_not_flaky(scenario: Scenario | None) -> None:
    for outcome in Outcome:
        work = Work(3, outcome, "fetch")
        assert by_chance(work, Simulation(scenario, seed=1), "x", 1) is work
        assert by_chance(work, None, "x", 1) is work


def test_about_half_of_what_is_flaky_fails_at_any_step() -> None:
    works = [
        _decided(Simulation(FLAKY, seed), "x", attempt) for seed in range(100) for attempt in range(1, 21)
    ]
    assert {work.seconds for work in works} == {3}
    found = Counter((work.outcome, work.fail_at) for work in works)
    assert 900 < found[Outcome.SUCCEED, None] < 1_100
    assert {fail_at for outcome, fail_at in found if outcome == Outcome.FAIL} == set(PHASES)
    assert all(found[Outcome.FAIL, phase] > 150 for phase in PHASES)


def test_a_seed_outweighs_the_id_which_stands_for_a_missing_one() -> None:
    attempts = range(1, 33)
    seeded = [[_decided(Simulation(FLAKY, 7), name, number) for number in attempts] for name in "ab"]
    assert seeded[0] == seeded[1]
    unseeded = [[_decided(Simulation(FLAKY), name, number) for number in attempts] for name in "ab"]
    assert unseeded[0] != unseeded[1]
    assert unseeded[0] == [_decided(Simulation(FLAKY), "a", number) for number in attempts]
    assert [_decided(Simulation(FLAKY, 0), "a", number) for number in attempts] != unseeded[0], "0 is a seed"


@pytest.mark.parametrize(
    ("scenario", "usual", "deadline", "seconds"),
    [
        (Scenario.FAST, 2.5, 60, 0.25),
        (Scenario.SLOW, 2.5, 60, 25),
        (Scenario.SLOW, 2.5, 10, 10),
        (Scenario.SLOW, 2.5, 1, 2.5),
        (Scenario.FLAKY, 2.5, 60, 2.5),
        (Scenario.FAILS, 2.5, 60, 2.5),
        (Scenario.HANGS, 2.5, 60, 60),
        (Scenario.HANGS, 2.5, 1, 1),
    ],
)
def test_a_scenario_follows_from_the_usual_time_and_the_deadline(
    scenario: Scenario, usual: float, deadline: float, seconds: float
) -> None:
    assert work_of(Simulation(scenario), usual, deadline).seconds == seconds


def test_what_is_left_out_is_as_usual() -> None:
    assert work_of(None, 2.5, 60) == work_of(Simulation(), 2.5, 60) == Work(2.5)
    assert work_of(None, 3_600, 60) == Work(3_600), "the deadline is for what is asked for"
    assert work_of(Simulation(seconds=4), 2.5, 60) == Work(4)
    assert work_of(Simulation(outcome=Outcome.FAIL), 2.5, 60) == Work(2.5, Outcome.FAIL)


def test_speed_divides() -> None:
    assert [real(30, speed) for speed in (0.5, 1, 60)] == [60, 30, 0.5]
