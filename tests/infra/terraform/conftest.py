"""One copy of infra/, initialised once, and the plan for three teams."""

import pytest

from tests.infra.terraform.terraform import ROOT, Plan, Workspace

MODULES = sorted(
    {
        str(file.parent.relative_to(ROOT))
        for file in (ROOT / "infra").rglob("*.tf")
        if ".terraform" not in file.parts
    }
)
TEAMS = ("payments", "pay", "web-shop")


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace.copied(tmp_path_factory.mktemp("terraform") / "tree")
    for module in MODULES:
        made.init(module)
    return made


@pytest.fixture(scope="session")
def plan(workspace: Workspace) -> Plan:
    return workspace.plan("teams")
