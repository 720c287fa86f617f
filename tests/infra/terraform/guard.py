"""In which order a team goes that is taken out of the map: its guard first, which may refuse."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.infra.terraform.terraform import Ran, Workspace

INSTANCE = "infra/modules/instance"
NEEDED_BY_FUNCTIONS = {
    "google_cloud_tasks_queue.this",
    "google_cloud_tasks_queue_iam_member.enqueuer",
    "google_firestore_database.this",
    "google_firestore_field.this",
    "google_firestore_index.this",
    "google_project_iam_member.database",
    "google_secret_manager_secret_iam_member.reader",
    "google_secret_manager_secret_version.identity",
    "google_secret_manager_secret_version.signing",
    "google_service_account.function",
    "google_service_account_iam_member.enqueuer",
}
INVOKERS = {"google_cloud_run_v2_service_iam_member.invoker"}
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


@dataclass(frozen=True)
class Graph:
    """The resources of an instance, and what each depends on: it is made after that, and goes before it."""

    resources: set[str]
    edges: set[tuple[str, str]]

    @classmethod
    def of(cls, workspace: Workspace) -> "Graph":
        ran = workspace.run("graph", module=INSTANCE)
        assert ran.code == 0, ran.output
        resources = re.findall(r'^ +"(\S+)" \[label', ran.output, re.MULTILINE)
        return cls(set(resources), set(re.findall(r'"(\S+)" -> "(\S+)"', ran.output)))

    def below(self, resource: str) -> set[str]:
        """What a resource depends on, and itself."""
        reached, found = set[str](), {resource}
        while found - reached:
            reached |= found
            found = {to for of, to in self.edges if of in reached}
        return reached


def unguarded(workspace: Workspace) -> set[str]:
    """The resources of an instance that the guard doesn't depend on: they could go before it has refused."""
    graph = Graph.of(workspace)
    return graph.resources - graph.below("terraform_data.guard")


def unordered(workspace: Workspace) -> set[str]:
    """What could go, or not be there yet, while something works with it."""
    graph = Graph.of(workspace)
    needed = {
        *NEEDED_BY_FUNCTIONS.difference(graph.below("google_cloudfunctions2_function.this")),
        *INVOKERS.difference(graph.below("google_api_gateway_gateway.this")),
        *INVOKERS.difference(graph.below("google_cloud_scheduler_job.sweep")),
    }
    assert graph.resources >= NEEDED_BY_FUNCTIONS | INVOKERS
    return needed


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
