"""Members: who may join a project, as what, and how nobody can leave it without an owner."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared import documents
from shared.domain import members
from shared.errors import Conflict
from shared.ports import Delete, Update
from tests.functions.api import KEYS, PERSISTENT, Api, Reply

ANN, BEN = "ann@example.com", "ben@example.com"


class Team:
    """A project of the first account, and two more accounts."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.project = api.project()
        self.path = f"/api/v1/projects/{self.project}"
        self.members = f"{self.path}/members"
        self.ann, self.ben = api.join(ANN), api.join(BEN)

    def add(self, email: str, role: str = "viewer", **more: Any) -> Reply:  # noqa: ANN401 - as a client sends it
        return self.api.post(self.members, {"email": email, "role": role}, **more)

    def who(self, token: str = "") -> str:
        return str(self.api.get("/api/v1/auth/me", token=token)["id"])

    def at(self, token: str = "") -> str:
        return f"{self.members}/{self.who(token)}"

    def roles(self) -> dict[str, str]:
        return {item["email"]: item["role"] for item in self.api.all(self.members)}


@pytest.fixture
def team(api: Api) -> Team:
    return Team(api)


def test_whoever_makes_a_project_owns_it(team: Team) -> None:
    [owner] = team.api.get(team.members).body
    created_at = team.api.get(team.path)["created_at"]
    assert (owner["email"], owner["role"], owner["joined_at"]) == (
        "person-0@example.com",
        "owner",
        created_at,
    )
    assert team.api.get(team.at()).body == owner


def test_a_registered_user_is_added_by_address_in_any_case(team: Team) -> None:
    made = team.add("Ann@Example.COM", "deployer")
    assert (made.status, made["email"], made["role"]) == (201, ANN, "deployer")
    assert made.headers["Location"] == team.at(team.ann)
    assert team.api.get(made.headers["Location"], token=team.ann).body == made.body
    assert [item["id"] for item in team.api.get("/api/v1/projects", token=team.ann).body] == [team.project]


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", "", "\u212a@example.com"])
def test_an_address_that_nobody_registered_with_is_422_for_owners_only(team: Team, email: str) -> None:
    with team.api.nothing_changes():
        refused = team.add(email)
        assert (refused.status, refused["errors"][0]["pointer"]) == (422, "/email")
        assert team.add(email, token=team.ann).status == 404, "whoever doesn't own it learns nothing"


def test_a_member_is_added_once(team: Team) -> None:
    team.add(ANN, "deployer")
    with team.api.nothing_changes():
        for role in ("deployer", "owner"):
            refused = team.add(ANN, role)
            assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:already_member")


def test_an_idempotency_key_adds_once_and_for_one_request(team: Team) -> None:
    headers = {"Idempotency-Key": "k"}
    first = team.add(ANN, headers=headers)
    with team.api.nothing_changes():
        again = team.add(ANN, headers=headers)
        assert (again.status, again.body) == (201, first.body)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.headers
        for email, role in ((ANN, "owner"), (BEN, "viewer")):
            other = team.add(email, role, headers=headers)
            assert (other.status, other["type"]) == (422, "urn:envctl:problem:idempotency_key_reused")


def test_a_project_has_a_hundred_members(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    assert members.MOST_MEMBERS == 100
    monkeypatch.setattr(members, "MOST_MEMBERS", 2)
    assert team.add(ANN).status == 201
    refused = team.add(BEN)
    assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:too_many_members")


def test_the_list_has_pages_who_came_last_first(team: Team) -> None:
    for email in (ANN, BEN):
        team.api.advance(1)
        team.add(email)
    wanted = [BEN, ANN, "person-0@example.com"]
    for size in (1, 2, 3):
        assert [item["email"] for item in team.api.all(f"{team.members}?page_size={size}")] == wanted


# what a role gives, at once -------------------------------------------------------------------------


def test_another_role_holds_from_the_next_request_on(team: Team) -> None:
    environments = f"/api/v1/environments/projects/{team.project}"

    def may() -> list[int]:
        return [
            team.api.get(team.path, token=team.ann).status,
            team.api.post(environments, PERSISTENT, token=team.ann).status,
            team.api.patch(team.path, {"name": "x"}, token=team.ann).status,
        ]

    assert may() == [404, 404, 404]
    team.add(ANN, "viewer")
    assert may() == [200, 403, 403]
    for role, expected in (
        ("owner", [200, 201, 200]),
        ("deployer", [200, 201, 403]),
        ("viewer", [200, 403, 403]),
    ):
        assert team.api.patch(team.at(team.ann), {"role": role})["role"] == role
        assert may() == expected
    assert team.api.delete(team.at(team.ann)).status == 204
    assert may() == [404, 404, 404]


def test_an_api_token_loses_what_its_owner_loses(team: Team) -> None:
    team.add(ANN, "deployer")
    new = {"name": "ci", "scopes": ["admin"], "project_id": team.project}
    token = team.api.post("/api/v1/auth/tokens", new, token=team.ann)["token"]
    target = f"/api/v1/environments/projects/{team.project}"
    assert team.api.post(target, PERSISTENT, token=token).status == 201
    assert team.api.patch(team.path, {"name": "x"}, token=token).status == 403, "not even as admin"
    team.api.patch(team.at(team.ann), {"role": "viewer"})
    assert team.api.post(target, PERSISTENT, token=token).status == 403
    team.api.delete(team.at(team.ann))
    assert team.api.get(team.path, token=token).status == 404
    assert team.api.get("/api/v1/projects", token=token).body == []


def test_a_member_that_is_none_is_404(team: Team) -> None:
    for user_id in (team.who(team.ann), "usr-x", "x", "usr-" + "a" * 48):
        target = f"{team.members}/{user_id}"
        for reply in (
            team.api.get(target),
            team.api.patch(target, {"role": "viewer"}),
            team.api.delete(target),
        ):
            assert (reply.status, reply["detail"]) == (404, f"There is no member {user_id}.")


def test_members_leave_a_projects_own_fields_and_tag_alone(team: Team) -> None:
    before = team.api.get(team.path).body
    team.api.advance(5)
    team.add(ANN)
    assert team.api.get(team.path).body == before
    assert team.api.get(team.path, token=team.ann).body == before, "it shows the same to everybody"


def test_changes_may_be_tied_to_what_was_seen(team: Team) -> None:
    seen = team.add(ANN)
    stale = {"If-Match": seen["etag"]}
    changed = team.api.patch(team.at(team.ann), {"role": "deployer"}, headers=stale)
    assert (changed.status, changed["role"]) == (200, "deployer")
    assert team.api.patch(team.at(team.ann), {"role": "owner"}, headers=stale).status == 412
    assert team.api.delete(team.at(team.ann), headers=stale).status == 412
    assert team.api.delete(team.at(team.ann), headers={"If-Match": changed["etag"]}).status == 204


def test_giving_the_same_role_changes_nothing(team: Team) -> None:
    team.add(ANN, "owner")
    with team.api.nothing_changes():
        assert team.api.patch(team.at(team.ann), {"role": "owner"}).status == 200


# leaving, and the last owner ----------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "deployer", "owner"])
def test_everybody_may_leave(team: Team, role: str) -> None:
    team.add(ANN, role)
    team.add(BEN)
    if role != "owner":
        assert team.api.delete(team.at(team.ben), token=team.ann).status == 403, "but not remove others"
    assert team.api.delete(team.at(team.ann), token=team.ann).status == 204
    assert team.api.get(team.path, token=team.ann).status == 404


def test_an_api_token_leaves_with_admin_scope_and_an_owners_role_only(team: Team) -> None:
    team.add(ANN, "owner")
    for scope, expected in (("read", 403), ("deploy", 403), ("admin", 204)):
        new = {"name": "ci", "scopes": [scope]}
        token = team.api.post("/api/v1/auth/tokens", new, token=team.ann)["token"]
        assert team.api.delete(team.at(team.ann), token=token).status == expected


def test_the_last_owner_can_not_leave_nor_be_demoted(team: Team) -> None:
    team.add(ANN, "deployer")
    with team.api.nothing_changes():
        for reply in (team.api.delete(team.at()), team.api.patch(team.at(), {"role": "viewer"})):
            assert (reply.status, reply["type"]) == (409, "urn:envctl:problem:last_owner")
    assert team.api.patch(team.at(), {"role": "owner"}).status == 200


def test_a_project_is_handed_over_by_making_another_owner_and_leaving(team: Team) -> None:
    team.add(ANN)
    assert team.api.patch(team.at(team.ann), {"role": "owner"}).status == 200
    assert team.api.delete(team.at()).status == 204
    assert team.api.get(team.path).status == 404
    assert team.api.delete(team.at(team.ann), token=team.ann).status == 409
    assert team.api.delete(f"{team.path}?force=true", token=team.ann).status == 204


def test_of_two_owners_who_leave_at_once_one_stays(team: Team) -> None:
    api = team.api
    for _ in range(5):
        project = f"/api/v1/projects/{api.project()}"
        api.post(f"{project}/members", {"email": ANN, "role": "owner"})
        targets = [(f"{project}/members/{team.who(token)}", token) for token in ("", team.ann)]
        with ThreadPoolExecutor(2) as pool:
            left = list(pool.map(lambda one: api.delete(one[0], token=one[1]).status, targets))
        assert sorted(left) == [204, 409]


# what may happen meanwhile, and before ------------------------------------------------------------------


def test_a_commit_that_got_through_although_it_reported_a_conflict_adds_once(team: Team) -> None:
    def lose(_writes: object) -> None:
        raise Conflict("x")

    team.api.store.after_commit.append(lose)
    made = team.add(ANN, "deployer")
    assert (made.status, made["role"]) == (201, "deployer")
    assert team.roles() == {ANN: "deployer", "person-0@example.com": "owner"}


def test_an_account_that_ends_meanwhile_is_not_added(team: Team) -> None:
    def end(_writes: object) -> None:
        ref = documents.user_ref(KEYS.email_key(ANN))
        team.api.store.inner.commit(Delete(ref, team.api.stored(ref).version))

    team.api.store.before_commit.append(end)
    reply = team.add(ANN, "owner")
    assert (reply.status, reply["errors"][0]["pointer"]) == (422, "/email")
    assert team.roles() == {"person-0@example.com": "owner"}


def test_a_change_beside_another_one_is_made_to_what_that_left(team: Team) -> None:
    team.add(ANN)

    def overtake(_writes: object) -> None:
        document = team.api.stored(documents.project_ref(team.project))
        changed = {**document.data, "name": "theirs"}
        team.api.store.inner.commit(Update(document.ref, changed, document.version))

    team.api.store.before_commit.append(overtake)
    assert team.add(BEN).status == 201
    assert team.api.get(team.path)["name"] == "theirs"
    assert set(team.roles()) == {ANN, BEN, "person-0@example.com"}


def test_a_project_from_before_there_were_members_has_its_owner(team: Team) -> None:
    document = team.api.stored(documents.project_ref(team.project))
    old = {name: value for name, value in document.data.items() if name != "joined"}
    team.api.store.inner.commit(Update(document.ref, old, document.version))
    assert team.roles() == {"person-0@example.com": "owner"}
    assert team.add(ANN).status == 201


def test_whoever_has_left_is_not_shown_what_their_key_once_made(team: Team) -> None:
    headers = {"Idempotency-Key": "k"}
    made = team.api.post("/api/v1/projects", {"name": "x"}, headers=headers)["id"]
    path = f"/api/v1/projects/{made}"
    team.api.post(f"{path}/members", {"email": ANN, "role": "owner"})
    team.api.delete(f"{path}/members/{team.who()}")
    assert team.api.post("/api/v1/projects", {"name": "x"}, headers=headers).status == 403


def test_a_member_whose_account_is_gone_is_shown_without_an_address(team: Team) -> None:
    ref = documents.project_ref(team.project)
    document = team.api.stored(ref)
    gone = "usr-" + "a" * 48
    data = {**document.data, "roles": {**document.data["roles"], gone: "viewer"}}
    team.api.store.inner.commit(Update(ref, data, document.version))
    assert team.api.get(f"{team.members}/{gone}")["email"] is None
    assert None in team.roles()
