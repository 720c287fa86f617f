"""Deliberate breakages of infra/: each is a patch that says what it breaks and which check notices it."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.infra.terraform.conftest import TEAMS
from tests.infra.terraform.grants import odd
from tests.infra.terraform.guard import INSTANCE, taken_out, unguarded, unordered
from tests.infra.terraform.terraform import ROOT, Ran, Workspace, is_of

PATCHES = sorted((ROOT / "tests" / "infra" / "breakages").glob("*.patch"))
REASONS = (
    r"Test assertion failed|Missing expected failure|Invalid value for|Unsupported argument|one of"
    r"|These would change|Odd grants|Out of order"
)
"""Why a check may fail: nothing that merely can't be read counts."""


@pytest.fixture
def broken(workspace: Workspace, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """The copy with the patch applied, and afterwards as it was."""
    patch: Path = request.param
    files = re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(encoding="utf-8"), re.MULTILINE)
    assert files
    subprocess.run(["git", "apply", patch], cwd=workspace.root, check=True)  # noqa: S607 - git from the PATH
    yield workspace
    for file in files:
        shutil.copyfile(ROOT / file, workspace.root / file)


def _noticed_by(patch: Path) -> str:
    found = re.search(r"^Noticed by: (\w+)$", patch.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{patch.name} does not say which check notices it"
    return found[1]


def _again(workspace: Workspace) -> Ran:
    plans = workspace.plans("again")
    differing = {
        *plans["unchanged"].differing,
        *(address for address in plans["another_team"].differing if not is_of(address, "web-shop")),
        *(address for address in plans["another_key"].differing if address.endswith(".identity")),
    }
    return Ran("a second plan", len(differing), f"These would change: {', '.join(differing)}")


def _grants(workspace: Workspace) -> Ran:
    found = odd(workspace.plan("teams"), TEAMS)
    return Ran("who may what", len(found), f"Odd grants: {found}")


def _guard(workspace: Workspace) -> Ran:
    found = unguarded(workspace) | unordered(workspace)
    with TemporaryDirectory() as folder:
        if taken_out(workspace, Path(folder), disposable=False).code == 0:
            found.add("a team that is left out")
    return Ran("in which order a team goes", len(found), f"Out of order: {found}")


CHECKS: dict[str, Callable[[Workspace], Ran]] = {
    "again": _again,
    "delivery": lambda workspace: workspace.run("test", module="infra/delivery"),
    "grants": _grants,
    "guard": _guard,
    "validate": lambda workspace: workspace.run("validate"),
}
"""Beside the module's own tests."""


def _check(workspace: Workspace, name: str) -> Ran:
    if name in CHECKS:
        return CHECKS[name](workspace)
    return workspace.run("test", f"-filter=tests/{name}.tftest.hcl", module=INSTANCE)


@pytest.mark.parametrize(
    ("broken", "patch"),
    [(patch, patch) for patch in PATCHES],
    ids=lambda patch: patch.stem,
    indirect=["broken"],
)
def test_it_is_noticed(broken: Workspace, patch: Path) -> None:
    ran = _check(broken, _noticed_by(patch))
    assert ran.code != 0, f"{patch.stem} is not noticed by {ran.command}"
    assert re.search(REASONS, ran.output), ran.output


def test_there_are_enough_of_every_kind() -> None:
    assert len(PATCHES) >= 60
    assert {_noticed_by(patch) for patch in PATCHES} == {
        *CHECKS,
        *(file.name.partition(".")[0] for file in (ROOT / INSTANCE / "tests").glob("*.tftest.hcl")),
    }
