"""What an API token costs: one document more in the first read, and no call where something is read."""

import pytest

from tests.functions.api import Api
from tests.functions.test_budgets import CASES, Known

WITH_A_LOGIN_OR_NOTHING = {
    *("health", "scenarios", "login", "refresh", "refresh once more", "log out", "log out of nothing"),
    *("log out everywhere", "sessions", "end a session", "change the password", "delete the account"),
    *("create API token", "create bound API token", "API tokens", "API token", "delete API token"),
}


@pytest.mark.parametrize("name", [name for name in CASES if name not in WITH_A_LOGIN_OR_NOTHING])
def test_an_api_token_costs_a_document_of_the_first_read_and_no_call(api: Api, name: str) -> None:
    act, calls, _tasks = CASES[name]
    known = Known(api)
    api.token = api.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["admin"]})["token"]
    api.get("/api/v1/auth/me")  # its use is noted within the hour
    reads = len(calls) if "wait" in name else 1 if calls[0].startswith("get") else 0
    with_token = [f"get {int(call.removeprefix('get ')) + 1}" for call in calls[:reads]]
    expected = [*with_token, *calls[reads:]] if reads else ["get 1", *calls]
    assert api.spent(lambda: act(known)) == expected, "each look of a wait is a first read"


def test_a_list_of_the_one_project_that_a_token_is_for_costs_two_reads(api: Api) -> None:
    known = Known(api)
    new = {"name": "ci", "scopes": ["read"], "project_id": known.project}
    api.token = api.post("/api/v1/auth/tokens", new)["token"]
    api.get("/api/v1/auth/me")
    assert api.spent(lambda: api.get("/api/v1/projects")) == ["get 1", "get 2"]
