"""What a request about an account costs: calls to the store, documents. Exactly."""

from collections.abc import Callable

import pytest

from tests.functions.accounts import account, login, logout, refresh, session
from tests.functions.api import PASSWORD, Api, Reply


class Known:
    """An account with two sessions, one of them refreshed, and another with an API token and a project."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.project = api.project()
        self.account = account(api, "user@example.com")
        self.signed, self.used = session(api, self.account), session(api, self.account)
        refresh(api, self.used.refresh_token)
        self.api_token = api.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["read"]})["id"]

    def post(self, target: str, body: object = None) -> Reply:
        """A request of the account's."""
        return self.api.post(target, body, token=self.signed.access_token)


Act = Callable[[Known], Reply]
CASES: dict[str, tuple[Act, list[str]]] = {
    "login": (lambda to: login(to.api, to.account.email), ["get 2", "commit 1"]),
    "refresh": (lambda to: refresh(to.api, to.signed.refresh_token), ["get 2", "commit 1"]),
    "refresh once more": (lambda to: refresh(to.api, to.used.refresh_token), ["get 2"]),
    "log out": (lambda to: logout(to.api, to.signed.refresh_token), ["get 1", "commit 1"]),
    "log out of nothing": (lambda to: logout(to.api, "x"), []),
    "log out everywhere": (
        lambda to: to.post("/api/v1/auth/logout-everywhere"),
        ["get 1", "commit 1"],
    ),
    "sessions": (
        lambda to: to.api.get("/api/v1/auth/sessions", token=to.signed.access_token),
        ["get 1", "find 2"],
    ),
    "end a session": (
        lambda to: to.api.delete(
            f"/api/v1/auth/sessions/{to.signed.session.id}", token=to.signed.access_token
        ),
        ["get 1", "commit 1"],
    ),
    "change the password": (
        lambda to: to.post(
            "/api/v1/auth/password", {"current_password": PASSWORD, "new_password": "another one"}
        ),
        ["get 2", "commit 1"],
    ),
    "delete the account": (
        lambda to: to.post("/api/v1/auth/me/delete", {"password": PASSWORD}),
        ["get 2", "find 0", "find 0", "commit 2"],
    ),
    "me": (lambda to: to.api.get("/api/v1/auth/me"), ["get 1"]),
    "create API token": (
        lambda to: to.api.post("/api/v1/auth/tokens", {"name": "x", "scopes": ["read"]}),
        ["get 1", "find 1", "commit 2"],
    ),
    "create bound API token": (
        lambda to: to.api.post(
            "/api/v1/auth/tokens", {"name": "x", "scopes": ["read"], "project_id": to.project}
        ),
        ["get 2", "find 1", "commit 2"],
    ),
    "API tokens": (lambda to: to.api.get("/api/v1/auth/tokens"), ["find 1"]),
    "API token": (lambda to: to.api.get(f"/api/v1/auth/tokens/{to.api_token}"), ["get 1"]),
    "delete API token": (
        lambda to: to.api.delete(f"/api/v1/auth/tokens/{to.api_token}"),
        ["get 1", "commit 1"],
    ),
}


@pytest.mark.parametrize(("act", "calls"), CASES.values(), ids=CASES.keys())
def test_a_request_costs(api: Api, act: Act, calls: list[str]) -> None:
    known = Known(api)
    assert api.spent(lambda: act(known)) == calls
    assert api.queue.enqueued == 0


@pytest.mark.parametrize("email", ["user@example.com", "nobody@example.com"])
def test_a_wrong_password_costs_what_it_costs_for_an_address_unknown(api: Api, email: str) -> None:
    Known(api)
    for calls in [["get 2", "commit 1"]] * 5 + [["get 2"]]:
        api.store.calls.clear()
        assert login(api, email, "wrong password").status in {401, 429}
        assert api.store.calls == calls
