"""The audit: each change with its event, each refusal as far as possible, reads never; who may see which."""
# ruff: noqa: ANN401 - any JSON value, and what the client takes

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared import auditing
from shared.config import Settings
from shared.errors import Conflict, Unavailable
from shared.ports import Write
from tests.functions.accounts import account, login, refresh
from tests.functions.api import ENVIRONMENT, PASSWORD, PERSISTENT, SECRET, Api


def _events(api: Api, query: str = "", **more: Any) -> list[dict[str, Any]]:
    return list(api.all(f"/api/v1/audit{query}", **more))


def _told(api: Api, **more: Any) -> list[tuple[str, str, str | None]]:
    """What the caller did, oldest first: action, outcome, code."""
    return [(one["action"], one["outcome"], one["code"]) for one in reversed(_events(api, **more))]


def test_every_change_is_there_with_its_object(api: Api) -> None:
    project_id = api.project()
    api.advance(1)
    environment_id = api.running(PERSISTENT, project_id)
    deployment_id = api.deploy(environment_id)
    api.advance(0.1)
    api.post(f"/api/v1/deployments/{deployment_id}/cancel")
    api.advance(0.1)
    api.delete(f"/api/v1/environments/{environment_id}", headers={"X-Request-Id": "mine"})
    found = list(reversed(_events(api)))
    assert [(one["action"], one["object_id"]) for one in found] == [
        ("create_project", project_id),
        ("open_environment", environment_id),
        ("create_deployment", deployment_id),
        ("cancel_deployment", deployment_id),
        ("delete_environment", environment_id),
    ]
    assert {one["project_id"] for one in found} == {project_id}
    assert {one["outcome"] for one in found} == {"succeeded"}
    assert found[-1]["request_id"] == "mine"
    assert found[-1]["address"] == "127.0.0.1"
    assert {one["actor_id"] for one in found} == {api.get("/api/v1/auth/me")["id"]}


def test_what_changes_nothing_and_what_only_reads_leave_no_event(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    path = f"/api/v1/environments/{environment_id}"
    api.delete(path)
    before = _told(api)
    api.delete(path)
    for target in (path, "/api/v1/projects", f"{path}/timeline", "/api/v1/audit", "/api/v1/nothing"):
        api.get(target)
    api.get("/api/v1/projects/prj-" + "a" * 16)
    api.live(10)
    assert _told(api) == before


@pytest.mark.parametrize(
    ("method", "path", "body", "outcome", "code"),
    [
        ("POST", "/environments/{environment}/retry", {}, "failed", "not_possible"),
        ("POST", "/environments/{environment}/extend", {"hours": -1}, "failed", "invalid_input"),
        ("DELETE", "/projects/{project}", None, "failed", "project_in_use"),
        ("PATCH", "/projects/prj-aaaaaaaaaaaaaaaa", {"name": "x"}, "denied", "not_found"),
        ("DELETE", "/environments/nonsense", None, "denied", "not_found"),
    ],
)
def test_a_refusal_is_there(api: Api, method: str, path: str, body: Any, outcome: str, code: str) -> None:
    project_id = api.project()
    environment_id = api.running(PERSISTENT, project_id)
    target = "/api/v1" + path.format(environment=environment_id, project=project_id)
    assert api.call(method, target, body).status >= 400
    found = _events(api)[0]
    assert (found["outcome"], found["code"]) == (outcome, code)
    named = target.split("/")[4]
    assert found["object_id"] == (None if named == "nonsense" else named)


def test_an_owner_sees_what_others_did_and_were_denied_in_the_project(api: Api) -> None:
    project_id, stranger = api.project(), api.join()
    api.advance(1)
    assert api.delete(f"/api/v1/projects/{project_id}", token=stranger).status == 404
    seen = _events(api, f"?project_id={project_id}")
    assert [(one["action"], one["outcome"]) for one in seen] == [
        ("delete_project", "denied"),
        ("create_project", "succeeded"),
    ]
    assert seen[0]["actor_id"] == api.get("/api/v1/auth/me", token=stranger)["id"]
    assert [one["action"] for one in _events(api)] == ["create_project"]
    assert api.get(f"/api/v1/audit?project_id={project_id}", token=stranger).status == 404
    assert [one["action"] for one in _events(api, token=stranger)] == ["delete_project"]


def test_a_failed_login_is_its_accounts_and_says_no_more_than_that(api: Api) -> None:
    somebody = account(api, "victim@example.com")
    assert login(api, somebody.email, "wrong-password").status == 401
    assert login(api, "nobody@example.com", "wrong-password").status == 401
    api.advance(60)
    token = login(api, somebody.email)["access_token"]
    assert _told(api, token=token) == [
        ("login", "failed", "wrong_credentials"),
        ("login", "succeeded", None),
    ]


def test_a_refresh_token_that_was_used_again_is_denied_and_no_success(api: Api) -> None:
    somebody = account(api, "owner@example.com")
    signed = login(api, somebody.email)
    api.advance(1)
    refresh(api, signed["refresh_token"])
    api.advance(3_600)
    assert refresh(api, signed["refresh_token"]).status == 401
    stored = api.database.fetch("SELECT body FROM documents WHERE collection = 'events'")
    events = sorted((json.loads(body) for (body,) in stored), key=lambda one: str(one["at"]))
    assert [(one["action"], one["outcome"]) for one in events] == [
        ("login", "succeeded"),
        ("refresh", "succeeded"),
        ("refresh", "denied"),
    ]


def test_a_wrong_password_that_must_be_given_once_more_has_failed(api: Api) -> None:
    somebody = account(api, "owner@example.com")
    token = login(api, somebody.email)["access_token"]
    api.advance(1)
    body = {"current_password": "wrong-password", "new_password": "another-password"}
    assert api.post("/api/v1/auth/password", body, token=token).status == 403
    assert _told(api, token=token)[-1][1:] == ("failed", "wrong_password")


def test_what_is_done_to_a_member_names_the_member(api: Api) -> None:
    project_id = api.project()
    api.join("member@example.com")
    members = f"/api/v1/projects/{project_id}/members"
    api.advance(1)
    user_id = api.post(members, {"email": "member@example.com", "role": "viewer"})["user_id"]
    newest = _events(api)[0]
    named = (newest["action"], newest["project_id"], newest["object_id"])
    assert named == ("add_member", project_id, user_id)
    assert newest["actor_id"] != user_id
    api.advance(1)
    assert api.delete(f"{members}/{user_id}").status == 204
    newest = _events(api)[0]
    named = (newest["action"], newest["project_id"], newest["object_id"])
    assert named == ("remove_member", project_id, user_id)


def test_owners_see_that_another_owner_left_by_deleting_their_account(api: Api) -> None:
    leaver = api.join("leaver@example.com")
    user_id = api.get("/api/v1/auth/me", token=leaver)["id"]
    shared = [api.project(), api.project()]
    for project_id in shared:
        body = {"email": "leaver@example.com", "role": "owner"}
        assert api.post(f"/api/v1/projects/{project_id}/members", body).status == 201
    api.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["read"]}, token=leaver)
    api.advance(1)
    assert api.post("/api/v1/auth/me/delete", {"password": PASSWORD}, token=leaver).status == 204
    for project_id in shared:
        newest = _events(api, f"?project_id={project_id}")[0]
        assert (newest["action"], newest["outcome"]) == ("delete_me", "succeeded")
        assert (newest["actor_id"], newest["object_id"]) == (user_id, user_id)
    mine = [one for one in _events(api, token=leaver) if one["action"] == "delete_me"]
    assert sorted(str(one["project_id"]) for one in mine) == sorted([*shared, "None"])
    assert len({one["request_id"] for one in mine}) == 1


def test_an_account_that_could_not_be_deleted_is_not_said_to_be(api: Api) -> None:
    leaver = api.join("leaver@example.com")
    user_id = api.get("/api/v1/auth/me", token=leaver)["id"]
    both = {}
    for name in ("kept", "lost"):
        project_id = both[name] = api.project()
        body = {"email": "leaver@example.com", "role": "owner"}
        api.post(f"/api/v1/projects/{project_id}/members", body)
        api.advance(1)
    me = api.get("/api/v1/auth/me")["id"]

    def desert(_writes: Sequence[Write]) -> None:
        """While the account leaves the newer project, it becomes the only owner of the older one."""
        assert api.delete(f"/api/v1/projects/{both['kept']}/members/{me}").status == 204

    api.store.before_commit.append(desert)
    assert api.post("/api/v1/auth/me/delete", {"password": PASSWORD}, token=leaver).status == 409
    told = [(one["outcome"], one["project_id"]) for one in _events(api, token=leaver)]
    assert sorted(told, key=str) == [("failed", None), ("succeeded", both["lost"])]
    newest = _events(api, f"?project_id={both['lost']}")[0]
    assert (newest["action"], newest["object_id"]) == ("delete_me", user_id)
    assert api.get("/api/v1/auth/me", token=leaver).status == 200


def test_without_a_valid_token_it_is_nobodys(api: Api) -> None:
    api.post("/api/v1/projects", {"name": "x"}, token="x")
    stored = api.database.fetch("SELECT body FROM documents WHERE collection = 'events'")
    assert len(stored) == 1
    assert '"actor_id":null' in stored[0][0].replace(" ", "")
    assert _events(api) == []


def test_a_page_is_short_where_the_filter_leaves_out(api: Api) -> None:
    project_id = api.project()
    for number in range(6):
        name = {"name": f"n{number}"} if number % 2 else {"name": ""}
        api.patch(f"/api/v1/projects/{project_id}", name)
        api.advance(1)
    for outcome, count in (("succeeded", 4), ("failed", 3), ("denied", 0)):
        assert len(_events(api, f"?outcome={outcome}&page_size=2")) == count
    assert len(_events(api, "?page_size=1")) == 7
    assert api.get("/api/v1/audit?outcome=other").status == 422


def test_the_event_is_in_the_commit_of_the_change(api: Api) -> None:
    project_id = api.project()

    def collections() -> list[list[str]]:
        found: list[list[str]] = []
        api.store.before_commit = [lambda writes: found.append([one.ref.collection for one in writes])]
        return found

    found = collections()
    environment_id = api.environment(project_id)
    assert found == [["environments", "events"]]
    api.live(2)
    found = collections()
    api.deploy(environment_id)
    assert found == [["deployments", "environments", "events"]]


def test_a_change_that_is_tried_again_has_one_event(api: Api) -> None:
    project_id = api.project()

    def lose(_writes: Sequence[Write]) -> None:
        raise Conflict("x")

    for hooks in (api.store.before_commit, api.store.after_commit):
        hooks.append(lose)
        assert api.post(f"/api/v1/environments/projects/{project_id}", ENVIRONMENT).status == 201
    assert [one["action"] for one in _events(api)].count("open_environment") == 2


def test_a_refusal_costs_one_commit_and_an_audit_that_is_down_fails_nothing(api: Api) -> None:
    project_id = api.project()
    writes: list[int] = []
    api.store.before_commit = [lambda written: writes.append(len(written))]
    assert api.delete(f"/api/v1/projects/{project_id}x").status == 404
    assert writes == [1]

    def down(_writes: Sequence[Write]) -> None:
        raise Unavailable("database")

    api.store.before_commit = [down]
    assert api.delete(f"/api/v1/projects/{project_id}x").status == 404


def test_refusals_are_written_down_so_often_at_most(api: Api) -> None:
    for _ in range(auditing.REFUSALS_PER_MINUTE + 40):
        api.delete("/api/v1/projects/x")
    assert len(_events(api)) == auditing.REFUSALS_PER_MINUTE
    api.advance(1)
    api.delete("/api/v1/projects/x")
    assert len(_events(api)) == auditing.REFUSALS_PER_MINUTE + 1


def _denied(api: Api, project_id: str, **more: Any) -> int:
    return len(_events(api, f"?project_id={project_id}&outcome=denied", **more))


def test_outsiders_can_not_bury_what_happens_in_a_project(api: Api) -> None:
    project_id, other = api.project(), api.project()
    strangers = [api.join() for _ in range(5)]
    for stranger in strangers:
        for _ in range(4):
            assert api.delete(f"/api/v1/projects/{project_id}", token=stranger).status == 404
    for _ in range(20):
        assert api.delete(f"/api/v1/projects/{project_id}", token="x").status == 401
    assert _denied(api, project_id) == auditing.OUTSIDERS_PER_MINUTE
    assert [len(_events(api, token=stranger)) for stranger in strangers] == [4] * 5, "their own have it all"
    assert api.delete(f"/api/v1/projects/{other}", token=strangers[0]).status == 404
    assert _denied(api, other) == 1, "each project by itself"
    api.advance(60)
    api.delete(f"/api/v1/projects/{project_id}", token=strangers[0])
    assert _denied(api, project_id) == auditing.OUTSIDERS_PER_MINUTE + 1


def test_what_members_may_not_do_is_shown_whoever_tries_from_outside(api: Api) -> None:
    project_id, viewer, stranger = api.project(), api.join("viewer@example.com"), api.join()
    body = {"email": "viewer@example.com", "role": "viewer"}
    added = api.post(f"/api/v1/projects/{project_id}/members", body)
    assert added.status == 201
    for token, status in ((stranger, 404), (viewer, 403)):
        for _ in range(10):
            assert api.delete(f"/api/v1/projects/{project_id}", token=token).status == status
    assert _denied(api, project_id) == auditing.OUTSIDERS_PER_MINUTE + 10


def test_an_instance_may_have_none(tmp_path: Path) -> None:
    api = Api(
        tmp_path, Settings.model_validate({"home": tmp_path, "callback_secret": SECRET, "audit_days": 0})
    )
    api.project()
    api.delete("/api/v1/projects/x")
    assert _events(api) == []
    api.database.close()
