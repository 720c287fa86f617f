"""Parameters of the query: strict, each once, unknown ones refused."""

import pytest

from tests.functions.api import Api


@pytest.fixture(scope="module")
def lists(shared_api: Api) -> dict[str, str]:
    project_id = shared_api.project()
    environment_id = shared_api.running(project_id=project_id)
    return {
        "projects": "/api/v1/projects",
        "project": f"/api/v1/projects/{project_id}",
        "environments": f"/api/v1/environments/projects/{project_id}",
        "environment": f"/api/v1/environments/{environment_id}",
        "deployments": f"/api/v1/deployments/environments/{environment_id}",
    }


BAD_SIZES = (
    "0",
    "101",
    "5.0",
    "+5",
    "%205",
    "5%20",
    "-1",
    "",
    "x",
    "1e1",
    "0x5",
    "%D9%A5",
    "9" * 5_000,
    "true",
)
BAD_STATUSES = ("", "nothing", "running,", ",", "RUNNING", "running,%20expired", "%00", "running;expired")
CASES = [
    *((name, f"page_size={size}", "page_size") for name in ("projects", "environments", "deployments")
      for size in BAD_SIZES),
    *((name, "page_size=5&page_size=5", "page_size") for name in ("projects", "environments", "deployments")),
    *((name, f"status={status}", "status") for name in ("environments", "deployments")
      for status in BAD_STATUSES),
    ("environments", "status=succeeded", "status"),
    ("deployments", "status=provisioning", "status"),
    ("environments", "type=other", "type"),
    ("environments", "type=", "type"),
    ("environments", "type=ephemeral,persistent", "type"),
    *((name, f"show_deleted={value}", "show_deleted")
      for name in ("environments", "environment", "deployments") for value in ("1", "True", "", "yes")),
    *((name, "nothing=1", "nothing")
      for name in ("projects", "project", "environments", "environment", "deployments")),
    ("projects", "status=running", "status"),
    ("projects", "", None),
    ("projects", "&", None),
    ("projects", "page_size=100", None),
    ("projects", "page_size=1", None),
    ("environments", "status=running,running,expired&type=ephemeral&show_deleted=false", None),
    *(("projects", query, "query") for query in ("page_token=%ff", "%ED%A0%80=1", "page_token=\u00e9")),
    ("projects", "%zz=1", "%zz"),
    ("projects", "page_size=%zz", "page_size"),
    ("projects", "Page_size=5", "Page_size"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "query", "parameter"), CASES)
def test_a_parameter_that_can_not_be_is_422_and_named(
    shared_api: Api, lists: dict[str, str], name: str, query: str, parameter: str | None
) -> None:
    with shared_api.nothing_changes():
        reply = shared_api.get(lists[name], query_string=query)
    if parameter is None:
        assert reply.status == 200
    else:
        assert reply.status == 422, reply.body
        assert parameter in {fault.get("parameter") for fault in reply["errors"]}


@pytest.mark.parametrize("force", ["1", "", "TRUE", "true&force=true"])
def test_a_project_is_not_deleted_by_a_flag_that_can_not_be_read(
    shared_api: Api, lists: dict[str, str], force: str
) -> None:
    with shared_api.nothing_changes():
        assert shared_api.delete(lists["project"], query_string=f"force={force}").status == 422


@pytest.mark.parametrize("count", [20, 21])
def test_parameters_without_end_are_refused(shared_api: Api, count: int) -> None:
    query = "&".join(f"x{number}=1" for number in range(count))
    assert shared_api.get("/api/v1/projects", query_string=query).status == 422


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_operations_without_parameters_take_none(shared_api: Api, lists: dict[str, str], method: str) -> None:
    target = lists["projects" if method == "POST" else "environment"]
    with shared_api.nothing_changes():
        reply = shared_api.call(method, target + "?dry_run=true", {"name": "x"})
    assert (reply.status, reply["errors"][0]["parameter"]) == (422, "dry_run")
