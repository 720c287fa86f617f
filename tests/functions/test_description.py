"""The OpenAPI document and its pages: fresh, valid, complete, and served without another host."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from shared import groups
from shared.domain import deployment, environment
from shared.http import health, openapi, problems
from shared.http.routes import Route
from tests.functions.answers import DOCUMENT
from tests.functions.api import Api

OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]


def _routes() -> list[Route]:
    every = [health.group, *(groups.load(name) for name in groups.names())]
    return [route for group in every for route in group.routes]


def test_the_committed_document_is_fresh() -> None:
    assert json.loads(openapi.text()) == DOCUMENT, "run `make openapi`"


def test_it_is_served_as_it_is_committed(shared_api: Api) -> None:
    reply = shared_api.get("/openapi.json", token=None)
    assert (reply.body, reply.headers["Content-Type"]) == (DOCUMENT, "application/json")


def test_it_is_valid() -> None:
    validate(DOCUMENT)


def test_it_has_every_route_that_clients_may_call_and_no_other() -> None:
    wanted = {f"{route.method} {route.full_path}" for route in _routes() if route.documented}
    assert set(OPERATIONS) == wanted
    assert not [name for name in OPERATIONS if "/tasks" in name]
    assert len({operation["operationId"] for operation in OPERATIONS.values()}) == len(OPERATIONS)


def test_the_statuses_are_those_of_the_machines() -> None:
    for schema, machine in (
        ("EnvironmentStatus", environment.MACHINE),
        ("DeploymentStatus", deployment.MACHINE),
    ):
        assert SCHEMAS[schema]["enum"] == machine.statuses
    for path, machine in (
        ("environments/projects/{project_id}", environment.MACHINE),
        ("deployments/environments/{environment_id}", deployment.MACHINE),
    ):
        parameters = OPERATIONS[f"GET /api/v1/{path}"]["parameters"]
        [status] = [parameter for parameter in parameters if parameter["name"] == "status"]
        items = status["schema"]["items"]
        assert SCHEMAS[items["$ref"].rpartition("/")[2]]["enum"] == machine.statuses


def test_the_statuses_of_steps_are_those_of_the_machines() -> None:
    for schema, name in (
        ("EnvironmentStepView", "EnvironmentStatus"),
        ("DeploymentStepView", "DeploymentStatus"),
    ):
        assert SCHEMAS[schema]["properties"]["status"]["$ref"].endswith(f"/{name}")
    both = [f"#/components/schemas/{name}Status" for name in ("Environment", "Deployment")]
    for schema in ("HistoryView", "SettledView"):
        options = SCHEMAS[schema]["properties"]["status"]["anyOf"]
        assert [option["$ref"] for option in options if "$ref" in option] == both


@pytest.mark.parametrize(
    ("path", "targets"),
    [
        ("environments/{environment_id}", environment.MACHINE.statuses),
        ("deployments/{deployment_id}", [*deployment.MACHINE.statuses, "terminal"]),
    ],
)
def test_what_may_be_waited_for_is_what_the_machines_say(path: str, targets: list[str]) -> None:
    parameters = {item["name"]: item for item in OPERATIONS[f"GET /api/v1/{path}"]["parameters"]}
    assert parameters["wait_for"]["schema"] == {"type": "string", "enum": targets}
    assert parameters["timeout"]["schema"] == {"type": "number", "minimum": 0, "maximum": 50}


def test_a_log_has_three_forms_and_a_stream_goes_on_after_an_event() -> None:
    operation = OPERATIONS["GET /api/v1/deployments/{deployment_id}/logs"]
    assert set(operation["responses"]["200"]["content"]) == {
        "application/json",
        "text/plain",
        "text/event-stream",
    }
    [header] = [item for item in operation["parameters"] if item["in"] == "header"]
    assert (header["name"], header["schema"]) == (
        "Last-Event-ID",
        {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    )
    assert "LogHeaders" not in SCHEMAS, "it stands at its operation"


def _links(name: str) -> dict[str, dict[str, Any]]:
    return {
        link: answer["links"][link]
        for answer in OPERATIONS[name]["responses"].values()
        for link in answer.get("links", {})
    }


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name.startswith("POST")])
def test_what_is_made_links_to_every_operation_that_takes_its_id(name: str) -> None:
    if "201" not in OPERATIONS[name]["responses"] or name.endswith("/register"):
        assert not _links(name), "nothing is made, or nothing that a path names"
        return
    linked = _links(name)
    assert linked
    [(parameter, value)] = {
        pair
        for link in linked.values()
        for pair in link["parameters"].items()
        if pair[1].startswith("$response.body#/")
    }
    schema = OPERATIONS[name]["responses"]["201"]["content"]["application/json"]["schema"]
    assert value.rpartition("/")[2] in SCHEMAS[schema["$ref"].rpartition("/")[2]]["properties"]
    known = {parameter, *re.findall(r"{(\w+)}", name)}
    taking = {
        operation["operationId"]: re.findall(r"{(\w+)}", path) for path, operation in OPERATIONS.items()
    }
    assert {link: list(taken["parameters"]) for link, taken in linked.items()} == {
        operation: taken for operation, taken in taking.items() if parameter in taken and known >= set(taken)
    }
    assert all(link == taken["operationId"] for link, taken in linked.items())


def test_a_walk_along_the_links_comes_to_everything_that_an_environment_can_do() -> None:
    environment_links = _links("POST /api/v1/environments/projects/{project_id}")
    assert environment_links["roll_back_environment"]["parameters"] == {
        "environment_id": "$response.body#/id"
    }
    assert _links("POST /api/v1/projects").keys() >= {"open_environment", "delete_project"}
    for name in (
        "POST /api/v1/deployments/environments/{environment_id}",
        "POST /api/v1/environments/{environment_id}/rollback",
    ):
        assert _links(name).keys() == {"get_deployment", "cancel_deployment", "get_logs"}
    members = _links("POST /api/v1/projects/{project_id}/members")
    assert members["remove_member"]["parameters"] == {
        "project_id": "$request.path.project_id",
        "user_id": "$response.body#/user_id",
    }
    assert _links("POST /api/v1/auth/tokens").keys() == {"get_api_token", "delete_api_token"}


def test_what_nobody_makes_by_name_is_reached_from_its_list() -> None:
    assert _links("GET /api/v1/auth/sessions") == {
        "end_session": {
            "operationId": "end_session",
            "parameters": {"session_id": "$response.body#/0/id"},
        }
    }
    assert not _links("GET /api/v1/projects")


def test_every_error_code_is_in_it() -> None:
    codes = {f"urn:envctl:problem:{kind.code}" for kind in problems.KINDS.values()}
    assert set(SCHEMAS["Problem"]["properties"]["type"]["enum"]) == codes


@pytest.mark.parametrize("name", [name for name in SCHEMAS if name.endswith("View")])
def test_every_key_of_an_answer_is_required_and_no_other_may_be_there(name: str) -> None:
    assert set(SCHEMAS[name]["required"]) == set(SCHEMAS[name]["properties"])
    assert SCHEMAS[name]["additionalProperties"] is False


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_who_may_call_it_and_what_it_answers(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    guarded = bool(operation["security"])
    assert ("401" in operation["responses"]) == (guarded or name.endswith(("/login", "/refresh")))
    assert ("404" in operation["responses"]) == ("{" in name or name == "GET /api/v1/audit")
    assert ("requestBody" in operation) == name.startswith(("POST", "PATCH"))
    assert [status for status in operation["responses"] if status.startswith("2")]


@pytest.mark.parametrize("name", groups.names())
def test_every_function_answers_health(shared_api: Api, name: str) -> None:
    path = "/health" if name == "docs" else "/health/"
    client = groups.application(name).test_client()
    assert client.get("/nothing").status_code == 404, "without making a runtime"
    assert shared_api.get(path).body == {"status": "ok"}
    assert "/health" in {rule.rule for rule in groups.application(name).url_map.iter_rules()}


PAGES = ("/docs", "/redoc", "/docs/", "/redoc/")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_and_all_that_it_names_are_served_from_here(shared_api: Api, page: str) -> None:
    reply = shared_api.get(page, token=None)
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in reply.headers["Content-Security-Policy"]
    named = re.findall(r'(?:src|href)="([^"]*)"', reply.body)
    assert len(named) >= 3
    for target in named:
        assert target.startswith("/assets/"), "nothing from another host"
        found = shared_api.get(target, token=None)
        assert found.status == 200
        wanted = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
        assert found.headers["Content-Type"].startswith(wanted[target.rpartition(".")[2]])
    own = [reply.body, *(shared_api.get(f"/assets/{name}.js").body for name in ("swagger", "redoc"))]
    for text in own:
        assert not re.search(r"""["'(\s](https?:)?//[a-z]""", text), "an address of another host"
    assert "/openapi.json" in own[1]
    assert "/openapi.json" in own[2]


def test_redocs_foreign_logo_is_replaced_by_ours(shared_api: Api) -> None:
    script = shared_api.get("/assets/redoc.standalone.js", token=None).body
    assert "cdn.redoc.ly" not in script
    assert "/assets/icon.svg" in script


@pytest.mark.parametrize("name", ["openapi.json", "..", "routes.py", "swagger.html/..", "%2e%2e%2froutes.py"])
def test_nothing_else_is_served(shared_api: Api, name: str) -> None:
    assert shared_api.get(f"/assets/{name}", token=None).status == 404


def test_the_root_shows_the_way(shared_api: Api) -> None:
    reply = shared_api.get("/", token=None)
    assert (reply.status, reply.headers["Location"]) == (307, "/docs")
