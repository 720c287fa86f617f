"""Nothing is lost, doubled or stuck, whatever fails: a bounded part of what `make simulate` runs."""

import os
import subprocess
import sys

import pytest

from tests.simulation import chaos, sites
from tests.simulation.client import direct
from tests.simulation.mutations import MUTATIONS
from tests.simulation.report import Report, Way, report_on
from tests.simulation.run import simulate

LIVES: dict[Way, int] = {"use cases": 300, "http": 60}
ENOUGH = 600
"""In how many seeds a broken product must be found out."""


def _told(report: Report) -> str:
    return "\n".join(report.lines())


@pytest.mark.parametrize("way", LIVES)
def test_nothing_is_lost_doubled_or_stuck(way: Way) -> None:
    report = report_on(range(LIVES[way]), way)
    assert not report.failed, _told(report)
    assert sum(report.operations.values()) / report.lifecycles >= 5


def test_every_kind_of_fault_happens_and_servers_die_where_the_code_calls_a_port() -> None:
    report = report_on(range(1_000, 1_300), "use cases")
    assert not report.failed, _told(report)
    assert set(report.faults) == set(chaos.KINDS), "a fault that never happens, or one that nobody lists"
    known = {(point, when) for point in sites.points() for when in ("before", "after")}
    assert report.crashed <= known, "a call that was not found in the code"
    assert len(report.crashed) >= 0.5 * len(known), report.unreached


def test_calls_of_ports_are_found_in_the_code() -> None:
    found = set(sites.points())
    assert "changing.change_environment > changing._carry_out > store.commit" in found
    assert any(point.startswith("tasks.routes.sweep_overdue") and "_go_on" in point for point in found)


def _digest(seed: int, hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--trace", "--first", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("seed", [3, 11])
def test_a_seed_reproduces_a_run_byte_for_byte(seed: int) -> None:
    one, other = _digest(seed, "1"), _digest(seed, "2")
    assert one == other
    assert one.rpartition("digest ")[2].strip() == simulate(seed, direct).digest


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_product_that_is_broken_on_purpose_is_found_out(name: str) -> None:
    with MUTATIONS[name]():
        assert any(simulate(seed, direct).violations for seed in range(ENOUGH))
