"""Who may do what: every role with every permission, from a login and from API tokens."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared import api_tokens
from shared.access import Caller, permit_beyond_projects, visible_project
from shared.api_tokens import Credential
from shared.domain.api_token import ApiToken, use
from shared.domain.project import Project
from shared.domain.roles import ROLES, SCOPES, Permission, Role
from shared.errors import Forbidden, NotFound, Unauthenticated
from shared.ports import Ref

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
READ, DEPLOY, ADMIN = Permission
PROJECT = Project(
    id="prj-mine",
    name="x",
    description=None,
    repo_url=None,
    roles={"usr-v": Role.VIEWER, "usr-d": Role.DEPLOYER, "usr-o": Role.OWNER},
    created_at=NOW,
    changed_at=NOW,
    as_of=NOW,
)
TOKEN = ApiToken("tok-x", "usr-o", "ci", (ADMIN,), None, "hash", NOW, NOW + timedelta(days=1))
MAY = {
    "usr-v": {READ},
    "usr-d": {READ, DEPLOY},
    "usr-o": {READ, DEPLOY, ADMIN},
}
EVERY_SCOPES = [*itertools.combinations(Permission, 1), *itertools.permutations(Permission, 2)]


def _with_token(user_id: str, needs: Permission, token: ApiToken | None) -> Caller:
    credential = Credential("envctl_x", Ref("api_tokens", "tok-x"), proven=token)
    return Caller(user_id, needs, credential)


def _is_permitted(caller: Caller) -> bool:
    try:
        return visible_project(PROJECT, caller, "project", PROJECT.id) is PROJECT
    except Forbidden:
        return False


@pytest.mark.parametrize("needs", Permission)
@pytest.mark.parametrize("user_id", MAY)
def test_a_login_may_what_its_role_gives(user_id: str, needs: Permission) -> None:
    assert _is_permitted(Caller(user_id, needs)) == (needs in MAY[user_id])


@pytest.mark.parametrize("scopes", EVERY_SCOPES)
@pytest.mark.parametrize("needs", Permission)
@pytest.mark.parametrize("user_id", MAY)
def test_an_api_token_may_what_both_its_scopes_and_the_role_give(
    user_id: str, needs: Permission, scopes: tuple[Permission, ...]
) -> None:
    caller = _with_token(user_id, needs, replace(TOKEN, user_id=user_id, scopes=scopes))
    least = [READ, DEPLOY, ADMIN].index(needs)
    is_in_scope = any([READ, DEPLOY, ADMIN].index(scope) >= least for scope in scopes)
    assert _is_permitted(caller) == (needs in MAY[user_id] and is_in_scope)


def test_the_tables_are_total_and_what_gives_more_gives_the_lesser_too() -> None:
    assert set(SCOPES) == set(Permission)
    assert set(ROLES) == set(Role)
    for table in (SCOPES, ROLES):
        gifts = list(table.values())
        assert all(less < more for less, more in itertools.pairwise(gifts))


@pytest.mark.parametrize("needs", Permission)
def test_what_is_not_visible_is_not_found_whatever_is_asked(needs: Permission) -> None:
    bound = replace(TOKEN, project_id="prj-other")
    for project, caller in (
        (None, Caller("usr-o", needs)),
        (PROJECT, Caller("usr-stranger", needs)),
        (replace(PROJECT, ended_at=NOW), Caller("usr-o", needs)),
        (PROJECT, _with_token("usr-o", needs, bound)),
        (PROJECT, _with_token("usr-o", needs, replace(bound, scopes=(READ,)))),
        (PROJECT, _with_token("usr-stranger", needs, TOKEN)),
    ):
        with pytest.raises(NotFound, match=r"There is no environment env-1\."):
            visible_project(project, caller, "environment", "env-1")


def test_a_token_bound_to_a_project_sees_that_one() -> None:
    assert _is_permitted(_with_token("usr-o", ADMIN, replace(TOKEN, project_id=PROJECT.id)))


def test_a_token_that_nobody_has_looked_up_may_nothing() -> None:
    unproven = _with_token("usr-o", READ, None)
    assert not unproven.is_proven
    with pytest.raises(Unauthenticated):
        visible_project(PROJECT, unproven, "project", PROJECT.id)
    with pytest.raises(Unauthenticated):
        permit_beyond_projects(unproven)


def test_new_projects_are_for_logins_and_for_admin_tokens_of_all_projects() -> None:
    permit_beyond_projects(Caller("usr-v", ADMIN))
    permit_beyond_projects(_with_token("usr-o", ADMIN, TOKEN))
    for token in (replace(TOKEN, scopes=(READ, DEPLOY)), replace(TOKEN, project_id=PROJECT.id)):
        with pytest.raises(Forbidden):
            permit_beyond_projects(_with_token("usr-o", ADMIN, token))


def test_a_use_is_noted_once_an_hour() -> None:
    first = use(TOKEN, NOW)
    assert first.last_used_at == NOW
    assert use(first, NOW + timedelta(hours=1) - timedelta(microseconds=1)) is first
    later = NOW + timedelta(hours=1)
    assert use(first, later).last_used_at == later


def test_a_token_is_found_by_what_it_says_and_names_its_owner() -> None:
    user_id = "usr-" + "a" * 32 + "b" * 16
    token_id, token = api_tokens.issue(user_id)
    assert token_id.startswith("tok-" + user_id[4:])
    assert token.startswith("envctl_")
    assert api_tokens.presented(token).ref == Ref("api_tokens", token_id)


def test_a_refusal_says_which_roles_suffice() -> None:
    for needs, enough in ((DEPLOY, "deployer or owner"), (ADMIN, "owner")):
        sentence = f"This needs the role {enough}; the role viewer does not suffice."
        with pytest.raises(Forbidden, match=f"^{sentence}$"):
            visible_project(PROJECT, Caller("usr-v", needs), "project", "prj-mine")
