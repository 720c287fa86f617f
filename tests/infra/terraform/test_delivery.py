"""The Terraform commands of cloudbuild.yaml, as they stand there; only the state lies here."""

import os
import shlex
from pathlib import Path

import pytest

from infra.bundle import bundle
from tests.infra.terraform.terraform import ROOT, Workspace
from tests.infra.test_cloudbuild import STEPS

TEAMS = 'project = "acme-platform"\nteams = { payments = {} }\n'
OFFLINE = "TF_REATTACH_PROVIDERS" in os.environ
"""Whether stand-ins serve the providers' schemas: the real ones plan with credentials only."""


def _arguments(step: str) -> list[str]:
    """A step's arguments, without those that the state's bucket needs."""
    given = [str(item).replace("$_TEAMS", "teams.tfvars") for item in STEPS[step]["args"]]
    return [item for item in given if not item.startswith("-backend-config")]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace.copied(tmp_path_factory.mktemp("delivery") / "tree")
    (made.root / "infra" / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    (made.root / "infra" / "teams.tfvars").write_text(TEAMS)
    (made.root / "build").mkdir()
    (made.root / "build" / "envctl.zip").write_bytes(bundle(ROOT))
    return made


def test_it_initialises_and_validates(delivered: Workspace) -> None:
    for step in ("init", "validate"):
        ran = delivered.run(*_arguments(step), module=".")
        assert ran.code == 0, ran.output


@pytest.mark.skipif(not OFFLINE, reason="a plan by the real providers needs credentials")
def test_it_plans_what_there_is(delivered: Workspace) -> None:
    ran = delivered.run(*_arguments("plan"), module=".")
    assert ran.code == 0, ran.output
    assert "0 to change, 0 to destroy" in ran.output
    assert (delivered.root / "infra" / "envctl.tfplan").is_file()


def test_it_applies_a_plan_that_it_has_written(tmp_path: Path) -> None:
    """The two commands around the approval, on a module without a provider."""
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "main.tf").write_text('resource "terraform_data" "this" {}\n')
    (tmp_path / "infra" / "teams.tfvars").write_text("")
    here = Workspace(tmp_path)
    apply = shlex.split(STEPS["apply"]["args"][-1].partition("then ")[2].partition(";")[0])
    assert apply[0] == "terraform"
    for arguments in (["-chdir=infra", "init"], _arguments("plan"), apply[1:]):
        ran = here.run(*arguments, module=".")
        assert ran.code == 0, ran.output
