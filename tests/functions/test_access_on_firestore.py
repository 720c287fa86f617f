"""API tokens and members over Firestore: the same documents, decided by its versions."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import pytest

from functions.auth import api_tokens
from local.google.firestore_emulator import Emulator
from shared import documents, leaving
from shared.adapters.firestore_store import FirestoreStore
from tests.functions.accounts import account, session
from tests.functions.api import PASSWORD, Api
from tests.functions.doubles import CountingStore

pytestmark = pytest.mark.google
TOKENS = "/api/v1/auth/tokens"
NEW = {"name": "ci", "scopes": ["admin"]}


@pytest.fixture
def api(emulator: Emulator, tmp_path: Path) -> Iterator[Api]:
    made = Api(tmp_path)
    made.store = CountingStore(FirestoreStore("envctl-tests", f"t-{token_hex(8)}", emulator.host))
    made.runtime = replace(made.runtime, store=made.store)
    made.token = session(made, account(made, "owner@example.com")).access_token
    yield made
    made.database.close()


def test_a_token_is_made_used_listed_and_deleted(api: Api) -> None:
    project_id = api.project()
    made = api.post(TOKENS, {**NEW, "project_id": project_id}).body
    target = f"/api/v1/projects/{project_id}"
    spent = [api.spent(lambda: api.get(target, token=made["token"])) for _ in range(2)]
    assert spent == [["get 2", "commit 1"], ["get 2"]]
    [listed] = api.get(TOKENS).body
    assert (listed["id"], listed["last_used_at"] is None) == (made["id"], False)
    assert api.delete(f"{TOKENS}/{made['id']}").status == 204
    assert api.get(target, token=made["token"]).status == 401
    assert api.get(TOKENS).body == []


def test_an_accounts_end_sees_a_token_that_is_made_meanwhile(api: Api) -> None:
    made = []

    def make_another(_writes: object) -> None:
        made.append(api.post(TOKENS, NEW)["token"])

    api.store.before_commit.append(make_another)
    assert api.post("/api/v1/auth/me/delete", {"password": PASSWORD}).status == 204
    assert [api.get("/api/v1/auth/me", token=token).status for token in made] == [401]


def test_expired_tokens_make_room_and_others_do_not(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "MOST_API_TOKENS", 2)
    made = [api.post(TOKENS, {**NEW, "expires_in_days": days})["id"] for days in (0.001, 1)]
    assert api.post(TOKENS, NEW)["type"] == "urn:envctl:problem:too_many_api_tokens"
    api.advance(0.001 * 86_400)
    assert api.post(TOKENS, NEW).status == 201
    assert made[0] not in [one["id"] for one in api.get(TOKENS).body]


def test_what_is_made_after_an_accounts_end_ends_by_the_sweep_and_a_task(api: Api) -> None:
    assert api.post("/api/v1/auth/me/delete", {"password": PASSWORD}).status == 204
    project_id = api.project()
    api.live(leaving.TOKENS_END.total_seconds())
    assert api.sweep()["reached"] == 1
    assert api.run_due() == ["purged", "settled"]
    assert api.stored(documents.project_ref(project_id)).data["ended"]
    assert api.sweep()["reached"] == 0
    api.live(9 * 86_400)
    assert api.store.inner.get(documents.project_ref(project_id)) is None


def test_members_come_get_another_role_and_leave(api: Api) -> None:
    other = account(api, "other@example.com")
    login, members = session(api, other).access_token, f"/api/v1/projects/{api.project()}/members"
    assert api.post(members, {"email": other.email, "role": "viewer"}).status == 201
    assert [item["email"] for item in api.get(members, token=login).body if item["role"] == "viewer"] == [
        other.email
    ]
    assert api.patch(f"{members}/{other.id}", {"role": "owner"})["role"] == "owner"
    assert api.delete(f"{members}/{other.id}", token=login).status == 204
    assert api.get(members, token=login).status == 404
