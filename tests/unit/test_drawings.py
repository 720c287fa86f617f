"""The page with the lifecycles follows from the tables."""

from itertools import product
from pathlib import Path

import pytest

from shared.domain import deployment, drawings, environment
from shared.domain.timeline import Machine

PAGE = Path(__file__).parents[2] / "docs" / "lifecycles.md"


def test_the_committed_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == drawings.page(), "run `make drawings`"


@pytest.mark.parametrize("machine", [environment.MACHINE, deployment.MACHINE], ids=lambda item: item.name)
def test_a_drawing_has_an_arrow_for_every_legal_move_and_no_other(machine: Machine) -> None:
    arrows = [line.strip() for line in drawings.drawing(machine)][1:]
    legal = [
        f"{one} --> {other}"
        for one, other in product(machine.statuses, repeat=2)
        if other in machine.moves[one]
    ]
    ends = [f"{status} --> [*]" for status in machine.statuses if machine.is_terminal(status)]
    assert sorted(arrows) == sorted([f"[*] --> {machine.initial}", *legal, *ends])
