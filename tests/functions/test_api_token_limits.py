"""How many API tokens an account may have."""

from collections.abc import Sequence

import pytest

from functions.auth import api_tokens
from shared.ports import Write
from tests.functions.api import Api


def _fill(api: Api, days: Sequence[float]) -> None:
    """Make API tokens that last so long."""
    for expires_in_days in days:
        body = {"name": "ci", "scopes": ["read"], "expires_in_days": expires_in_days}
        assert api.post("/api/v1/auth/tokens", body).status == 201
        api.advance(0.001)


def test_an_account_has_so_many_at_most_and_expired_ones_make_room(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_tokens, "MOST_API_TOKENS", 4)
    _fill(api, [9, 1, 1, 9])
    with api.nothing_changes():
        refused = api.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["read"]})
    assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:too_many_api_tokens")
    assert refused["detail"] == "This account has 4 API tokens, the most it may have. Delete one first."
    assert api.post("/api/v1/auth/tokens", {"name": "x", "scopes": ["read"]}, token=api.join()).status == 201
    api.advance(86_400)
    _fill(api, [9])
    assert len(api.all("/api/v1/auth/tokens")) == 3, "two had expired"
    _fill(api, [9])
    newest = api.all("/api/v1/auth/tokens")[0]["id"]
    assert api.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["read"]}).status == 409
    assert api.delete(f"/api/v1/auth/tokens/{newest}").status == 204
    _fill(api, [9])


def test_of_many_who_make_the_last_one_at_once_one_does(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "MOST_API_TOKENS", 4)
    _fill(api, [9, 9, 9])

    def make_another(_writes: Sequence[Write]) -> None:
        _fill(api, [9])

    api.store.before_commit.append(make_another)
    assert api.post("/api/v1/auth/tokens", {"name": "late", "scopes": ["read"]}).status == 409
    assert [one["name"] for one in api.all("/api/v1/auth/tokens")] == ["ci"] * 4


def test_all_that_an_account_may_have_are_on_one_page(api: Api) -> None:
    assert api.get(f"/api/v1/auth/tokens?page_size={api_tokens.MOST_API_TOKENS}").status == 200
