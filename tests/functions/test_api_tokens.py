"""API tokens: shown once, good for what their scopes and roles give, and worth nothing once they are gone."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from functions.auth.api_tokens import delete_all_tokens
from shared import documents, ids, secret_tokens
from shared.api_tokens import PREFIX, data_of, token_of
from shared.errors import Conflict, Unavailable
from shared.ports import Delete, Ref, Update
from tests.functions.accounts import account, session
from tests.functions.api import KEYS, PASSWORD, Api, Reply

TOKENS = "/api/v1/auth/tokens"
PROJECTS = "/api/v1/projects"
DAY = 86_400


def _create(api: Api, **fields: Any) -> Reply:  # noqa: ANN401 - any JSON value
    return api.post(TOKENS, {"name": "ci", "scopes": ["read"], **fields})


def _token(api: Api, *scopes: str, **fields: Any) -> str:  # noqa: ANN401 - likewise
    return str(_create(api, scopes=scopes or ("read",), **fields)["token"])


def _ref(token: str) -> Ref:
    return documents.api_token_ref(f"tok-{secret_tokens.name_in(PREFIX, token)}")


# making them -----------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_only_its_hash_is_kept(api: Api) -> None:
    made = _create(api, name="deploys", scopes=["deploy", "read"])
    assert (made.status, made.headers["Cache-Control"]) == (201, "no-store")
    token = made["token"]
    assert token.startswith("envctl_")
    assert made.headers["Location"] == f"{TOKENS}/{made['id']}"
    assert {name: made[name] for name in ("name", "scopes", "project_id", "last_used_at")} == {
        "name": "deploys",
        "scopes": ["deploy", "read"],
        "project_id": None,
        "last_used_at": None,
    }
    shown = api.get(made.headers["Location"])
    assert {**shown.body, "token": token} == {**made.body, "etag": shown["etag"]}
    [listed] = api.get(TOKENS).body
    assert listed == shown.body
    everything = json.dumps([str(row) for row in api.content()])
    assert token not in everything
    assert secret_tokens.hash_of(token) in everything


def test_a_token_lives_as_long_as_it_was_asked_for_90_days_by_default(api: Api) -> None:
    for fields, days in (({}, 90), ({"expires_in_days": 1}, 1), ({"expires_in_days": 0.5}, 0.5)):
        token, began = _token(api, **fields), api.clock.now
        api.advance(days * DAY - 1e-6)
        assert api.get(PROJECTS, token=token).status == 200
        api.advance(1e-6)
        expired = api.get(PROJECTS, token=token)
        assert (expired.status, "has expired" in expired["detail"]) == (401, True)
        api.clock.now = began


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["read", "read"]}, "/scopes"),
        ({"scopes": ["write"]}, "/scopes/0"),
        ({"scopes": "read"}, "/scopes"),
        ({"scopes": [1]}, "/scopes/0"),
        ({"expires_in_days": 0}, "/expires_in_days"),
        ({"expires_in_days": 366}, "/expires_in_days"),
        ({"expires_in_days": "5"}, "/expires_in_days"),
        ({"name": ""}, "/name"),
        ({"project_id": "prj-" + "a" * 16}, "/project_id"),
        ({"project_id": "x/y"}, "/project_id"),
        ({"project_id": ""}, "/project_id"),
        ({"user_id": "x"}, "/user_id"),
    ],
)
def test_what_can_not_be_made_is_422_and_changes_nothing(
    api: Api, fields: dict[str, Any], pointer: str
) -> None:
    with api.nothing_changes():
        reply = _create(api, **fields)
    assert (reply.status, [fault["pointer"] for fault in reply["errors"]]) == (422, [pointer])


def test_a_foreign_project_is_refused_as_one_that_is_missing(api: Api) -> None:
    stranger, mine = api.join(), api.project()
    refused = [
        api.post(TOKENS, {"name": "x", "scopes": ["read"], "project_id": named}, token=stranger)
        for named in (mine, "prj-" + "a" * 16)
    ]
    assert {reply.status for reply in refused} == {422}
    assert refused[0]["errors"] == refused[1]["errors"]


def test_each_sees_their_own_newest_first_page_by_page(api: Api) -> None:
    made = []
    for _ in range(5):
        api.advance(1)
        made.append(_create(api)["id"])
    assert [item["id"] for item in api.all(f"{TOKENS}?page_size=2")] == made[::-1]
    stranger = api.join()
    assert api.get(TOKENS, token=stranger).body == []
    for method in ("GET", "DELETE"):
        foreign = api.call(method, f"{TOKENS}/{made[0]}", token=stranger)
        missing = api.call(method, f"{TOKENS}/tok-{'a' * 64}", token=stranger)
        assert (foreign.status, missing.status) == (404, 404)
        assert foreign["detail"].replace(made[0], "") == missing["detail"].replace(f"tok-{'a' * 64}", "")


# what they are good for --------------------------------------------------------------------------


def test_a_token_acts_for_its_owner_within_its_scopes(api: Api) -> None:
    project_id = api.project()
    read, deploy, admin = (_token(api, scope) for scope in ("read", "deploy", "admin"))
    target = f"/api/v1/environments/projects/{project_id}"
    new = {"name": "x", "type": "persistent"}
    refused = api.post(target, new, token=read)
    assert (refused.status, refused["type"]) == (403, "urn:envctl:problem:forbidden")
    assert refused["detail"] == "This needs the permission deploy; an API token for read does not suffice."
    assert api.post(target, new, token=deploy).status == 201
    assert api.patch(f"{PROJECTS}/{project_id}", {"name": "y"}, token=deploy).status == 403
    assert api.patch(f"{PROJECTS}/{project_id}", {"name": "y"}, token=admin).status == 200
    assert api.get("/api/v1/auth/me", token=read)["email"] == "person-0@example.com"
    assert [item["id"] for item in api.get(PROJECTS, token=deploy).body] == [project_id]
    assert api.post(PROJECTS, {"name": "z"}, token=deploy).status == 403
    mine = api.post(PROJECTS, {"name": "z"}, token=admin)["id"]
    assert api.get(f"{PROJECTS}/{mine}").status == 200, "it is its owner's"


def test_a_bound_token_sees_its_project_and_no_other(api: Api) -> None:
    bound_to, other = api.project(), api.project()
    token = _token(api, "admin", project_id=bound_to)
    assert [item["id"] for item in api.get(PROJECTS, token=token).body] == [bound_to]
    assert api.get(f"{PROJECTS}/{bound_to}", token=token).status == 200
    assert api.get(f"{PROJECTS}/{other}", token=token).status == 404
    refused = api.post(PROJECTS, {"name": "x"}, token=token)
    assert (refused.status, "single project" in refused["detail"]) == (403, True)
    api.delete(f"{PROJECTS}/{bound_to}")
    assert api.get(PROJECTS, token=token).body == []


def test_what_an_idempotency_key_made_is_the_same_for_a_login_and_a_token(api: Api) -> None:
    token, headers = _token(api, "admin"), {"Idempotency-Key": "k"}
    first = api.post(PROJECTS, {"name": "x"}, headers=headers)
    again = api.post(PROJECTS, {"name": "x"}, token=token, headers=headers)
    assert (first.status, again.status, again["id"]) == (201, 201, first["id"])


@pytest.mark.parametrize("act", ["delete", "delete all"])
def test_a_deleted_token_is_worth_nothing_at_once(api: Api, act: str) -> None:
    made = _create(api)
    others = api.join()
    kept = api.post(TOKENS, {"name": "x", "scopes": ["read"]}, token=others)["token"]
    for _ in range(101 if act == "delete all" else 0):
        _create(api)
    assert api.get(PROJECTS, token=made["token"]).status == 200
    if act == "delete":
        assert api.delete(f"{TOKENS}/{made['id']}").status == 204
        assert api.delete(f"{TOKENS}/{made['id']}").status == 404
    else:
        delete_all_tokens(api.runtime, ids.user_of(made["id"]))
        assert api.get(TOKENS).body == []
    assert api.get(PROJECTS, token=made["token"]).status == 401
    assert api.get(PROJECTS, token=kept).status == 200


# what they cost, and what is noted --------------------------------------------------------------------


def test_a_use_is_noted_once_an_hour_and_by_one_commit(api: Api) -> None:
    project_id, made = api.project(), _create(api)
    target = f"{PROJECTS}/{project_id}"
    spent = [api.spent(lambda: api.get(target, token=made["token"])) for _ in range(2)]
    assert spent == [["get 2", "commit 1"], ["get 2"]]
    first = api.get(f"{TOKENS}/{made['id']}")["last_used_at"]
    assert first is not None
    api.advance(3_600 - 1)
    assert api.spent(lambda: api.get(target, token=made["token"])) == ["get 2"]
    api.advance(1)
    assert api.spent(lambda: api.get(target, token=made["token"])) == ["get 2", "commit 1"]
    assert api.get(f"{TOKENS}/{made['id']}")["last_used_at"] > first


def test_a_refused_request_is_no_use(api: Api) -> None:
    made = _create(api)
    with api.nothing_changes():
        for reply in (
            api.post(PROJECTS, {"name": "x"}, token=made["token"]),
            api.get(TOKENS, token=made["token"]),
            api.get(f"{PROJECTS}/x", token=made["token"]),
        ):
            assert reply.status in {403, 404}
    assert api.get(f"{TOKENS}/{made['id']}")["last_used_at"] is None


@pytest.mark.parametrize("fault", [Conflict("x"), Unavailable("database")])
def test_what_can_not_be_noted_fails_nothing(api: Api, fault: Exception) -> None:
    token = _token(api)

    def fail(_writes: object) -> None:
        raise fault

    api.store.before_commit.append(fail)
    assert api.get(PROJECTS, token=token).status == 200


def test_a_note_does_not_bring_a_deleted_token_back(api: Api) -> None:
    made = _create(api)
    api.store.before_commit.append(lambda _writes: _delete_meanwhile(api, made["token"]))
    assert api.get(PROJECTS, token=made["token"]).status == 200
    assert api.get(PROJECTS, token=made["token"]).status == 401


def _delete_meanwhile(api: Api, token: str) -> None:
    document = api.stored(_ref(token))
    api.store.inner.commit(Delete(document.ref, document.version))


# races with the account ---------------------------------------------------------------------------


def test_no_token_outlives_its_account(api: Api) -> None:
    """A login's access token is good for a while after the account is gone. It makes none then, nor while."""
    account = documents.user_ref(KEYS.email_key("person-0@example.com"))

    def end(_writes: object) -> None:
        api.store.inner.commit(Delete(account, api.stored(account).version))

    api.store.before_commit.append(end)
    assert _create(api).status == 401
    assert _create(api).status == 401
    assert api.get(TOKENS).body == []


def test_an_accounts_end_is_its_tokens_end_also_of_one_that_is_made_meanwhile(api: Api) -> None:
    login = session(api, account(api, "leaver@example.com")).access_token
    new = {"name": "ci", "scopes": ["admin"]}
    made = [api.post(TOKENS, new, token=login)["token"]]

    def make_another(_writes: object) -> None:
        made.append(api.post(TOKENS, new, token=login)["token"])

    # Its tokens are deleted by one commit, the account by the next one, which one more token overtakes.
    api.store.before_commit += [lambda _writes: None, make_another]
    assert api.post("/api/v1/auth/me/delete", {"password": PASSWORD}, token=login).status == 204
    assert len(made) == 2
    for token in made:
        assert api.get("/api/v1/auth/me", token=token).status == 401
        assert api.get(PROJECTS, token=token).status == 401
        assert api.store.inner.get(_ref(token)) is None


def test_a_create_whose_answer_was_a_conflict_is_found_again(api: Api) -> None:
    def lose(_writes: object) -> None:
        raise Conflict("x")

    api.store.after_commit.append(lose)
    made = _create(api)
    assert made.status == 201
    assert api.get(PROJECTS, token=made["token"]).status == 200
    assert len(api.get(TOKENS).body) == 1


def test_a_delete_and_uses_at_the_same_time_end_with_the_token_gone(api: Api) -> None:
    for _ in range(5):
        made = _create(api)
        with ThreadPoolExecutor(4) as pool:
            used = [pool.submit(api.get, PROJECTS, token=made["token"]) for _ in range(3)]
            deleted = pool.submit(api.delete, f"{TOKENS}/{made['id']}")
        assert deleted.result().status == 204
        assert {one.result().status for one in used} <= {200, 401}
        assert api.get(PROJECTS, token=made["token"]).status == 401


def test_a_token_is_of_its_own_instance_only(api: Api) -> None:
    token = _token(api)
    document = api.stored(_ref(token))
    other = replace(token_of(document.data), token_hash="0" * 64)
    api.store.inner.commit(Update(document.ref, data_of(other), document.version))
    assert api.get(PROJECTS, token=token).status == 401
