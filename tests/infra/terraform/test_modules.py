"""Every folder with Terraform in it is formatted, valid, and passes its own tests."""

import pytest

from tests.infra.terraform.conftest import MODULES
from tests.infra.terraform.terraform import ROOT, Workspace


def test_everything_is_formatted(workspace: Workspace) -> None:
    ran = workspace.run("fmt", "-check", "-diff", "-recursive")
    assert ran.code == 0, ran.output


@pytest.mark.parametrize("module", MODULES)
def test_it_is_valid(workspace: Workspace, module: str) -> None:
    ran = workspace.run("validate", module=module)
    assert ran.code == 0, ran.output


@pytest.mark.parametrize("module", MODULES)
def test_it_passes_its_tests(workspace: Workspace, module: str) -> None:
    assert list((ROOT / module / "tests").glob("*.tftest.hcl")), "a module has tests"
    ran = workspace.run("test", module=module)
    assert ran.code == 0, ran.output
