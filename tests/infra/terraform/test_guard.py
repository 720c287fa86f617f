"""A team that is left out by mistake loses nothing; one that was made disposable goes."""

from pathlib import Path

from tests.infra.terraform.guard import taken_out, unguarded, unordered
from tests.infra.terraform.terraform import Workspace


def test_everything_of_a_team_goes_after_its_guard(workspace: Workspace) -> None:
    assert unguarded(workspace) == set()


def test_what_works_with_something_is_made_after_it_and_goes_before_it(workspace: Workspace) -> None:
    assert unordered(workspace) == set()


def test_a_team_that_is_left_out_is_refused_before_anything_goes(
    workspace: Workspace, tmp_path: Path
) -> None:
    ran = taken_out(workspace, tmp_path / "here", disposable=False)
    assert ran.code != 0
    assert "envctl-payments is not disposable: set disposable = true and apply before" in ran.output
    kept = Workspace(tmp_path / "here").run("state", "list", module=".").output.split()
    assert kept == [f'module.instance["payments"].terraform_data.{name}' for name in ("guard", "part")]


def test_a_disposable_team_goes(workspace: Workspace, tmp_path: Path) -> None:
    ran = taken_out(workspace, tmp_path / "here", disposable=True)
    assert ran.code == 0, ran.output
    assert "2 destroyed" in ran.output
