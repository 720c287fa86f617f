"""The guard of a team that is taken out of the map: it goes first, and refuses."""

import re
from pathlib import Path

from tests.infra.terraform.terraform import Ran, Workspace

INSTANCE = "infra/modules/instance"
ROOT = """
variable "teams" { type = map(bool) }
module "instance" {
  source   = "./instance"
  for_each = var.teams
  instance = { disposable = each.value }
}
"""
PART = """
variable "instance" { type = object({ disposable = bool }) }
locals { name = "envctl-payments" }
resource "terraform_data" "part" {}
"""


def unguarded(workspace: Workspace) -> set[str]:
    """The resources of an instance that the guard doesn't depend on: they could go before it has refused."""
    graph = workspace.run("graph", module=INSTANCE)
    assert graph.code == 0, graph.output
    edges = re.findall(r'"(\S+)" -> "(\S+)"', graph.output)
    reached, found = set[str](), {"terraform_data.guard"}
    while found - reached:
        reached |= found
        found = {to for of, to in edges if of in reached}
    return set(re.findall(r'^ +"(\S+)" \[label', graph.output, re.MULTILINE)) - reached


def taken_out(workspace: Workspace, folder: Path, *, disposable: bool) -> Ran:
    """What Terraform says when a team is taken out: its guard as it is, and one stand-in for all else."""
    guard = (workspace.root / INSTANCE / "guard.tf").read_text(encoding="utf-8")
    guarded, number = re.subn(
        r"depends_on = \[.*?\]", "depends_on = [terraform_data.part]", guard, flags=re.DOTALL
    )
    assert number == 1
    (folder / "instance").mkdir(parents=True)
    (folder / "main.tf").write_text(ROOT, encoding="utf-8")
    (folder / "instance" / "main.tf").write_text(PART + guarded, encoding="utf-8")
    here = Workspace(folder)
    here.init(".")
    with_it, without = f'teams={{"payments":{str(disposable).lower()}}}', "teams={}"
    made = here.run("apply", "-auto-approve", "-input=false", "-var", with_it, module=".")
    assert made.code == 0, made.output
    return here.run("apply", "-auto-approve", "-input=false", "-var", without, module=".")
