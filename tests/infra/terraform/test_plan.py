"""Over the plan for three teams: what one has no other can name, and nothing has a price while it idles."""

import base64
import json
import re
from itertools import permutations
from typing import Any

import pytest

from infra.gateway import functions
from infra.settings import OF_GOOGLE
from shared import config, groups
from shared.adapters.indexes import INDEXES, policies
from shared.config import Google
from tests.infra.terraform.conftest import TEAMS
from tests.infra.terraform.terraform import Plan

KEY = base64.b64encode(bytes(32)).decode()
PAIRS = list(permutations(TEAMS, 2))
PARTS = ("queue", "sweep", "gate", "signing", "identity")
"""How names end, beside functions."""

GRANTS = {
    "google_artifact_registry_repository_iam_member",
    "google_cloud_run_v2_service_iam_member",
    "google_cloud_tasks_queue_iam_member",
    "google_project_iam_member",
    "google_secret_manager_secret_iam_member",
    "google_service_account_iam_member",
    "google_storage_bucket_iam_member",
}
STANDING_ALONE = {  # not behind a team's word: nothing of these is there unless it is asked for
    "google_compute_address",
    "google_compute_global_address",
    "google_compute_global_forwarding_rule",
    "google_compute_forwarding_rule",
    "google_compute_instance",
    "google_compute_router_nat",
    "google_compute_vpn_tunnel",
    "google_container_cluster",
    "google_kms_crypto_key",
    "google_redis_instance",
    "google_sql_database_instance",
    "google_vpc_access_connector",
}
FREE_OR_PER_USE = {
    "google_api_gateway_api",
    "google_api_gateway_api_config",
    "google_api_gateway_gateway",
    "google_artifact_registry_repository",
    "google_cloud_scheduler_job",
    "google_cloud_tasks_queue",
    "google_cloudfunctions2_function",
    "google_firestore_backup_schedule",
    "google_firestore_database",
    "google_firestore_field",
    "google_firestore_index",
    "google_logging_metric",
    "google_monitoring_alert_policy",
    "google_monitoring_dashboard",
    "google_project_service",
    "google_secret_manager_secret",
    "google_secret_manager_secret_version",
    "google_service_account",
    "google_storage_bucket",
    "google_storage_bucket_object",
    "random_bytes",
    "terraform_data",
    *GRANTS,
}
"""What docs/cost.md has the price of while it idles. What else appears in a plan is to be looked at first."""


APIS = {
    "google_api_gateway_": "apigateway",
    "google_artifact_registry_": "artifactregistry",
    "google_billing_": "billingbudgets",
    "google_cloud_run_": "run",
    "google_cloud_scheduler_": "cloudscheduler",
    "google_cloud_tasks_": "cloudtasks",
    "google_cloudfunctions2_": "cloudfunctions",
    "google_compute_": "compute",
    "google_firestore_": "firestore",
    "google_logging_": "logging",
    "google_monitoring_": "monitoring",
    "google_project_iam_": "cloudresourcemanager",
    "google_secret_manager_": "secretmanager",
    "google_service_account": "iam",
    "google_storage_": "storage",
}
"""By how a type begins: the API that makes resources of it. What turns APIs on is on in every project."""


def without_an_api(plan: Plan) -> set[str]:
    """The types of resources in a plan whose API it doesn't turn on."""
    on = {item["service"] for item in plan.of("google_project_service").values()}
    needed = {kind for kind in plan.types if kind.startswith("google_")} - {"google_project_service"}
    made = {
        kind
        for kind in needed
        for begin, name in APIS.items()
        if kind.startswith(begin) and f"{name}.googleapis.com" in on
    }
    return needed - made


def _names(team: str) -> re.Pattern[str]:
    """The team's names in a text: none of those of a team whose name begins or ends as this one's."""
    parts = [*functions(), *(entry["account"] for entry in functions().values()), *PARTS]
    return re.compile(rf"envctl-{team}(?=$|[\"/@ :.]|-(?:{'|'.join(parts)}|[0-9]))")


def given_to(function: dict[str, Any]) -> dict[str, str]:
    """The variables that a function is started with; a key stands for each of its secrets."""
    (service,) = function["service_config"]
    secrets = {variable["key"]: KEY for variable in service["secret_environment_variables"]}
    return {**service["environment_variables"], **secrets, "K_SERVICE": function["name"]}


def _grants(plan: Plan, team: str) -> list[dict[str, object]]:
    return [grant for kind in sorted(GRANTS) for grant in plan.of(kind, team).values()]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_no_teams_part_names_another_teams(plan: Plan, one: str, other: str) -> None:
    text = json.dumps(plan.team(one))
    assert _names(one).search(text)
    documents = [
        item["openapi_documents"][0]["document"][0]["contents"]
        for item in plan.of("google_api_gateway_api_config", one).values()
    ]
    text += "".join(base64.b64decode(document).decode() for document in documents)
    assert _names(other).search(text) is None


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_no_account_of_a_team_may_anything_with_anothers_database_queue_or_secret(
    plan: Plan, one: str, other: str
) -> None:
    accounts = {
        f"serviceAccount:{item['account_id']}@acme-platform.iam.gserviceaccount.com"
        for item in plan.of("google_service_account", one).values()
    }
    theirs = [
        grant
        for kind in sorted(GRANTS)
        for address, grant in plan.of(kind).items()
        if grant["member"] in accounts
    ]
    assert len(theirs) == len(_grants(plan, one)), "what a team's accounts may stands in the team's own part"
    for grant in theirs:
        where = {key: grant.get(key) for key in ("name", "secret_id", "service_account_id", "condition")}
        assert _names(one).search(json.dumps(where)), grant
        assert _names(other).search(json.dumps(where)) is None, grant


def test_a_role_on_the_whole_project_has_a_condition_or_is_for_logs(plan: Plan) -> None:
    for address, grant in plan.of("google_project_iam_member").items():
        if not grant["condition"]:
            assert (address, grant["role"]) == ("google_project_iam_member.build", "roles/logging.logWriter")
        else:
            assert re.fullmatch(
                r'resource\.name == "projects/acme-platform/databases/envctl-[a-z-]+"',
                grant["condition"][0]["expression"],
            )
            assert grant["role"] in {"roles/datastore.user", "roles/datastore.viewer"}


def test_nobody_is_everybody(plan: Plan) -> None:
    text = json.dumps([change["change"]["after"] for change in plan.changes])
    assert "allUsers" not in text
    assert "allAuthenticatedUsers" not in text


def test_names_are_different_and_short_enough(plan: Plan) -> None:
    accounts = [item["account_id"] for item in plan.of("google_service_account").values()]
    assert len(set(accounts)) == len(accounts) == 1 + len(TEAMS) * (len(functions()) + 3)
    assert max(map(len, accounts)) <= 30
    longest = f"envctl-{'a' * 16}-{max(functions(), key=len)}-123456789012"
    assert len(longest) <= 63, "Cloud Run cuts a longer one, and has no deterministic address"


@pytest.mark.parametrize("team", TEAMS)
def test_a_function_starts_with_what_it_is_given(plan: Plan, team: str) -> None:
    """The settings' own validation takes what Terraform sets."""
    for address, function in plan.of("google_cloudfunctions2_function", team).items():
        (name,) = (name for name in groups.names() if function["name"] == f"envctl-{team}-{name}")
        settings = config.load(given_to(function), groups.load(name).keys)
        assert settings.google is not None, address
        assert settings.google.database == f"envctl-{team}"
        assert settings.google.queue.endswith(f"/queues/envctl-{team}-tasks")


def test_a_function_is_given_the_keys_that_it_needs_and_may_read_no_other(plan: Plan) -> None:
    """Variables and grants are made of the map in two places: neither has more than the code needs."""
    variables = {
        (function["name"], variable["secret"])
        for function in plan.of("google_cloudfunctions2_function").values()
        for variable in function["service_config"][0]["secret_environment_variables"]
    }
    accounts = {
        f"serviceAccount:{function['service_config'][0]['service_account_email']}": function["name"]
        for function in plan.of("google_cloudfunctions2_function").values()
    }
    grants = {
        (accounts[grant["member"]], grant["secret_id"])
        for grant in plan.of("google_secret_manager_secret_iam_member").values()
    }
    needed = {
        (f"envctl-{team}-{name}", f"envctl-{team}-{key}")
        for team in TEAMS
        for name in groups.names()
        for key in groups.load(name).keys
    }
    assert variables == grants == needed


def test_every_variable_is_set_or_has_a_default_or_is_for_one_machine(plan: Plan) -> None:
    set_for_all = {
        name
        for function in plan.of("google_cloudfunctions2_function", "payments").values()
        for service in function["service_config"]
        for name in (
            *service["environment_variables"],
            *(one["key"] for one in service["secret_environment_variables"]),
        )
    } - {"THREADS"}
    stand_ins = {"tasks_endpoint", "certificates_url"}
    needed = {
        f"ENVCTL_{name.upper()}"
        for name in Google.model_fields
        if name not in {*stand_ins, *OF_GOOGLE, "previous_signing_key"}
    }
    assert set_for_all == needed


def test_the_api_of_every_part_is_turned_on(plan: Plan) -> None:
    assert without_an_api(plan) == set()
    on = {item["service"] for item in plan.of("google_project_service").values()}
    assert "compute.googleapis.com" not in on


def test_settings_differ_by_team(plan: Plan) -> None:
    levels = {
        team: {
            function["service_config"][0]["environment_variables"].get("ENVCTL_LOG_LEVEL")
            for function in plan.of("google_cloudfunctions2_function", team).values()
        }
        for team in TEAMS
    }
    assert levels == {"payments": {None}, "pay": {None}, "web-shop": {"WARNING"}}


def test_nothing_has_a_fixed_price(plan: Plan) -> None:
    assert plan.types & STANDING_ALONE == set()
    assert plan.types - FREE_OR_PER_USE == set(), "is there a price for it while it idles? See docs/cost.md"
    for function in plan.of("google_cloudfunctions2_function").values():
        assert function["service_config"][0]["min_instance_count"] == 0
        assert function["service_config"][0]["vpc_connector"] is None


@pytest.mark.parametrize("team", TEAMS)
def test_what_docs_cost_counts_is_what_there_is(plan: Plan, team: str) -> None:
    assert len(plan.of("google_cloud_scheduler_job", team)) == 1
    assert len(plan.of("google_secret_manager_secret_version", team)) == 2
    assert len(plan.of("google_monitoring_alert_policy", team)) == (3 if team == "web-shop" else 4)
    assert all(
        len(policy["conditions"]) == 1 for policy in plan.of("google_monitoring_alert_policy", team).values()
    )


@pytest.mark.parametrize("team", TEAMS)
def test_every_ttl_policy_is_made_in_the_teams_database_and_no_other(plan: Plan, team: str) -> None:
    made = {
        (field["database"], field["collection"], field["field"])
        for field in plan.of("google_firestore_field", team).values()
        if field["ttl_config"]
    }
    declared = json.loads(INDEXES.read_text(encoding="utf-8"))
    assert made == {(f"envctl-{team}", *policy) for policy in policies(declared)}


def test_functions_are_built_from_the_one_bundle(plan: Plan) -> None:
    (bundle,) = plan.of("google_storage_bucket_object").values()
    sources = [
        function["build_config"][0]["source"][0]["storage_source"][0]["object"]
        for function in plan.of("google_cloudfunctions2_function").values()
    ]
    assert set(sources) == {bundle["name"]}
    assert re.fullmatch(r"envctl-[0-9a-f]{64}\.zip", bundle["name"])
