"""An account's other password, and its end, over HTTP."""

import pytest

from shared import documents, project_documents
from shared.domain.roles import Role
from shared.domain.user import User
from shared.ports import Update
from tests.functions.accounts import account, is_refused, login, meanwhile, refresh, session
from tests.functions.api import PASSWORD, Api, Reply

CONFIRM = {"password": PASSWORD}


@pytest.fixture
def user(api: Api) -> User:
    return account(api, "user@example.com")


# Another password ---------------------------------------------------------------------------------


def _change(api: Api, token: str, current: str = PASSWORD, new: str = "another password") -> Reply:
    body = {"current_password": current, "new_password": new}
    return api.post("/api/v1/auth/password", body, token=token)


def test_another_password_ends_all_sessions(api: Api, user: User) -> None:
    signed = session(api, user)
    assert _change(api, signed.access_token).status == 204
    assert is_refused(refresh(api, signed.refresh_token))
    assert login(api, user.email).status == 401
    assert login(api, user.email, "another password").status == 200


def test_a_wrong_current_password_is_403_and_changes_nothing_but_the_throttle(api: Api, user: User) -> None:
    token = session(api, user).access_token
    refused = _change(api, token, "wrong password")
    assert (refused.status, refused["type"]) == (403, "urn:envctl:problem:wrong_password")
    assert refused["detail"] == "The password is wrong."
    for _ in range(4):
        assert _change(api, token, "wrong password").status == 403
    assert _change(api, token).status == 429, "whoever has stolen a token can't guess here either"
    assert login(api, user.email).status == 429
    api.advance(1)
    assert login(api, user.email).status == 200


def test_of_two_who_change_it_at_once_the_second_finds_another_password(api: Api, user: User) -> None:
    token = session(api, user).access_token
    meanwhile(api, lambda: _change(api, token, new="the winner's"))
    assert _change(api, token, new="the loser's").status == 403
    assert login(api, user.email, "the winner's").status == 200


# The account's end --------------------------------------------------------------------------------


def test_a_deleted_account_is_gone_with_its_sessions(api: Api, user: User) -> None:
    signed = session(api, user)
    assert api.post("/api/v1/auth/me/delete", CONFIRM, token=signed.access_token).status == 204
    assert is_refused(refresh(api, signed.refresh_token))
    assert login(api, user.email).status == 401
    assert api.get("/api/v1/auth/me", token=signed.access_token).status == 401
    assert _change(api, signed.access_token).status == 401
    assert _delete(api, signed.access_token).status == 401


def _delete(api: Api, token: str) -> Reply:
    return api.post("/api/v1/auth/me/delete", CONFIRM, token=token)


def test_whoever_registers_the_address_again_is_somebody_else(api: Api, user: User) -> None:
    signed = session(api, user)
    _delete(api, signed.access_token)
    form = {"email": user.email, "password": PASSWORD}
    again = api.post("/api/v1/auth/register", form, token=None)
    assert (again.status, again["id"] != user.id) == (201, True)
    assert is_refused(refresh(api, signed.refresh_token))
    assert api.get("/api/v1/auth/me", token=signed.access_token).status == 401
    with api.nothing_changes():
        assert _delete(api, signed.access_token).status == 401, "the password is right, the account another"
        assert _change(api, signed.access_token).status == 401


def test_a_wrong_password_deletes_nothing(api: Api, user: User) -> None:
    token = session(api, user).access_token
    refused = api.post("/api/v1/auth/me/delete", {"password": "wrong"}, token=token)
    assert (refused.status, refused["type"]) == (403, "urn:envctl:problem:wrong_password")
    assert api.get("/api/v1/auth/me", token=token).status == 200


def _share(api: Api, project_id: str, **roles: Role) -> None:
    """Give a project's owner company; a name stands for a user id with its dash as an underscore."""
    stored = api.stored(documents.project_ref(project_id))
    project = project_documents.project(stored.data)
    members = {name.replace("_", "-", 1): role for name, role in roles.items()}
    object.__setattr__(project, "roles", {**project.roles, **members})
    api.store.inner.commit(Update(stored.ref, project_documents.project_data(project), stored.version))


def test_the_only_owner_of_projects_is_told_which_and_stays(api: Api, user: User) -> None:
    token = session(api, user).access_token
    owned = []
    for _ in range(7):
        owned.append(api.project(token=token))
        api.advance(1)
    shared = api.project(token=token)
    _share(api, shared, usr_other=Role.OWNER)
    before = api.content()
    refused = _delete(api, token)
    assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:owns_projects")
    assert f"Only this account owns {', '.join(owned[:1:-1])} and 2 more." in refused["detail"]
    assert api.content() == before
    for project_id in owned:
        assert api.delete(f"/api/v1/projects/{project_id}", token=token).status == 204
    assert _delete(api, token).status == 204


def test_it_leaves_the_projects_that_others_own_too(api: Api, user: User) -> None:
    token = session(api, user).access_token
    project_id = api.project(token=token)
    _share(api, project_id, usr_other=Role.OWNER)
    assert _delete(api, token).status == 204
    assert api.stored(documents.project_ref(project_id)).data["member_ids"] == ["usr-other"]


def test_when_the_other_owner_leaves_meanwhile_the_account_stays(api: Api, user: User) -> None:
    token = session(api, user).access_token
    project_id = api.project(token=token)
    _share(api, project_id, usr_other=Role.OWNER)

    def leave(_: object) -> None:
        stored = api.stored(documents.project_ref(project_id))
        roles = {user.id: "owner"}
        data = {**stored.data, "roles": roles, "member_ids": [user.id]}
        api.store.inner.commit(Update(stored.ref, data, stored.version))

    api.store.before_commit.append(leave)
    assert _delete(api, token).status == 409
    assert api.get("/api/v1/auth/me", token=token).status == 200
