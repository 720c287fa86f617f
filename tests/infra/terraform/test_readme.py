"""The examples of infra/README.md are planned as they are printed."""

import json
import re
from collections.abc import Iterator

import pytest

from shared import config
from tests.infra.terraform.terraform import ROOT, Plan, Workspace
from tests.infra.terraform.test_plan import given_to, without_an_api

TEXT = (ROOT / "infra" / "README.md").read_text(encoding="utf-8")
EXAMPLES = {
    name: (language, example)
    for name, language, example in re.findall(r"<!-- example: (.+?) -->\n```(\w+)\n(.*?)```", TEXT, re.DOTALL)
}
HEAD = """
mock_provider "google" {}
run "example" {
  command = plan
}
"""
ROOT_HEAD = f"""{HEAD}
mock_provider "google-beta" {{}}
mock_provider "random" {{}}
override_data {{
  target = data.google_project.this
  values = {{ number = "123456789012" }}
}}
"""
BUNDLE = 'bundle = "tests/bundle.txt"'


@pytest.fixture
def examples(workspace: Workspace) -> Iterator[Workspace]:
    """A copy whose function map and examples are put back as they were."""
    functions = workspace.root / "infra" / "functions.json"
    before = functions.read_text(encoding="utf-8")
    yield workspace
    functions.write_text(before, encoding="utf-8")
    (workspace.root / "infra" / "tests" / "example.tftest.hcl").unlink(missing_ok=True)


def _plan(examples: Workspace, variables: str) -> Plan:
    text = f"{ROOT_HEAD}variables {{\n{variables}\n{BUNDLE}\n}}\n"
    (examples.root / "infra" / "tests" / "example.tftest.hcl").write_text(text, encoding="utf-8")
    return examples.plan("example")


def test_there_is_one_for_each_task() -> None:
    assert set(EXAMPLES) == {
        "add a team",
        "a team with everything",
        "quotas and speed",
        "a function's group",
        "a function's routes",
        "add a function",
        "rotate the key",
        "delete a team",
        "let Cloud Build deliver",
    }


def test_adding_a_team(examples: Workspace) -> None:
    plan = _plan(examples, EXAMPLES["add a team"][1])
    assert [item["name"] for item in plan.of("google_firestore_database").values()] == ["envctl-payments"]


def test_a_team_with_everything(examples: Workspace) -> None:
    plan = _plan(examples, EXAMPLES["a team with everything"][1])
    assert len(plan.of("google_compute_global_forwarding_rule", "web-shop")) == 1
    assert len(plan.of("google_billing_budget")) == 1
    assert without_an_api(plan) == set()
    (function,) = [
        one
        for one in plan.of("google_cloudfunctions2_function", "web-shop").values()
        if one["name"].endswith("-docs")
    ]
    set_here = function["service_config"][0]["environment_variables"]
    assert set_here["ENVCTL_MAXIMUM_TTL_HOURS"] == "72"


def test_quotas_and_speed(examples: Workspace) -> None:
    plan = _plan(examples, EXAMPLES["quotas and speed"][1])
    given = {
        team: config.load(given_to(function))
        for team in ("payments", "training", "live")
        for function in plan.of("google_cloudfunctions2_function", team).values()
    }
    payments, training, live = given.values()
    assert (payments.quota_projects, payments.quota_environments) == (20, 50)
    assert (training.speed, training.scenarios) == (60, True)
    assert (live.speed, live.scenarios) == (1, False)


def test_adding_a_function(examples: Workspace) -> None:
    functions = examples.root / "infra" / "functions.json"
    added = json.loads(EXAMPLES["add a function"][1])
    functions.write_text(json.dumps({**json.loads(functions.read_text()), **added}), encoding="utf-8")
    plan = _plan(examples, EXAMPLES["add a team"][1])
    names = {one["name"] for one in plan.of("google_cloudfunctions2_function").values()}
    assert "envctl-payments-reports" in names
    accounts = {one["account_id"] for one in plan.of("google_service_account").values()}
    assert "envctl-payments-rep" in accounts


def test_rotating_the_key(examples: Workspace) -> None:
    plan = _plan(examples, EXAMPLES["rotate the key"][1])
    keys = {
        team: sorted(
            re.findall(r'signing\["(\w+)"\]$', address)[0]
            for address in plan.of("google_secret_manager_secret_version", team)
            if "signing" in address
        )
        for team in ("at-rest", "step-one", "step-two", "step-three")
    }
    both = ["first", "second"]
    assert keys == {"at-rest": ["first"], "step-one": both, "step-two": both, "step-three": ["second"]}


def test_deleting_a_team(examples: Workspace) -> None:
    plan = _plan(examples, EXAMPLES["delete a team"][1])
    (database,) = plan.of("google_firestore_database").values()
    assert database["delete_protection_state"] == "DELETE_PROTECTION_DISABLED"


def test_letting_cloud_build_deliver(workspace: Workspace) -> None:
    text = f"{HEAD}variables {{\n{EXAMPLES['let Cloud Build deliver'][1]}\n}}\n"
    file = workspace.root / "infra" / "delivery" / "tests" / "example.tftest.hcl"
    file.write_text(text, encoding="utf-8")
    plan = next(iter(workspace.plans("example", "infra/delivery").values()))
    file.unlink()
    assert len(plan.of("google_cloudbuild_trigger")) == 2


def test_the_commands_are_those_that_are_run(workspace: Workspace) -> None:
    """`make infra-check` runs what the page says to run by hand."""
    by_hand = set(re.findall(r"^terraform -chdir=infra (\w+)", TEXT, re.MULTILINE))
    assert by_hand == {"init", "fmt", "validate", "test"}
    ran = workspace.run("-chdir=infra", "fmt", "-check", "-recursive", module=".")
    assert ran.code == 0, ran.output
