"""Who may do what: every grant in a plan, against those that the function map gives a reason for."""

import json
import re
from collections.abc import Iterable, Iterator

from infra.gateway import functions
from tests.infra.terraform.terraform import Plan

Grant = tuple[str, str, str]
"""Who, the role, and on what."""

GRANTS = re.compile(r"_iam_|_access_control|_acl$|_account_key$")
"""Types of resources that give somebody a right."""
ON = {
    "google_artifact_registry_repository_iam_member": "repository",
    "google_cloud_run_v2_service_iam_member": "name",
    "google_cloud_tasks_queue_iam_member": "name",
    "google_project_iam_member": "project",
    "google_secret_manager_secret_iam_member": "secret_id",
    "google_service_account_iam_member": "service_account_id",
    "google_storage_bucket_iam_member": "bucket",
}
"""Those that are used, and the attribute that says on what."""
CALLERS = {"gateway": "gate", "queue": "queue", "sweep": "sweep"}
"""How the accounts of a function's callers end."""


def odd(plan: Plan, teams: Iterable[str]) -> set[Grant]:
    """What nobody needs and somebody may, and what somebody needs and may not."""
    return set(_given(plan)) ^ {*_of_the_build(), *(grant for team in teams for grant in _needed(team))}


def _given(plan: Plan) -> Iterator[Grant]:
    for change in plan.changes:
        kind, grant = change["type"], change["change"]["after"]
        if kind not in ON:
            if GRANTS.search(kind):
                yield "?", kind, json.dumps(grant)
            continue
        on = " ".join(one["expression"] for one in grant["condition"] or ()) or grant.get(ON[kind], "?")
        yield grant["member"], grant["role"], on


def _needed(team: str) -> Iterator[Grant]:
    name = f"envctl-{team}"
    queue = f"projects/acme-platform/serviceAccounts/{name}-queue@acme-platform.iam.gserviceaccount.com"
    for function, entry in functions().items():
        account = _account(f"{name}-{entry['account']}")
        yield account, entry["database_role"], f'resource.name == "projects/acme-platform/databases/{name}"'
        for secret in entry["secrets"]:
            yield account, "roles/secretmanager.secretAccessor", f"{name}-{secret}"
        if entry["enqueues"]:
            yield account, "roles/cloudtasks.enqueuer", f"{name}-tasks"
            yield account, "roles/iam.serviceAccountUser", queue
        for caller in entry["invoked_by"]:
            yield _account(f"{name}-{CALLERS[caller]}"), "roles/run.invoker", f"{name}-{function}"


def _of_the_build() -> Iterator[Grant]:
    account = _account("envctl-build")
    yield account, "roles/logging.logWriter", "acme-platform"
    yield account, "roles/artifactregistry.writer", "envctl-images"
    yield account, "roles/storage.objectViewer", "acme-platform-envctl-source"


def _account(name: str) -> str:
    return f"serviceAccount:{name}@acme-platform.iam.gserviceaccount.com"
