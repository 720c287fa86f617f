"""Conditional requests (RFC 9110, 13): what the client believes, held against what there is."""

from collections.abc import Callable
from typing import Any

import pytest

from shared import account_documents, documents, groups
from tests.functions.accounts import session
from tests.functions.api import ENVIRONMENT, KEYS, PERSISTENT, Api, Reply

FAILED = (412, "urn:envctl:problem:precondition_failed")
Made = dict[str, tuple[str, str, Any]]


def _objects(api: Api) -> dict[str, str]:
    """One of each kind, by its path."""
    project_id = api.project()
    environment_id = api.running(PERSISTENT, project_id)
    deployment_id = api.deploy(environment_id)
    return {
        "project": f"/api/v1/projects/{project_id}",
        "environment": f"/api/v1/environments/{environment_id}",
        "deployment": f"/api/v1/deployments/{deployment_id}",
    }


def _changes(api: Api) -> Made:
    """Every operation that looks at If-Match: the object, the method and path, the body."""
    project_id, idle = api.project(), api.project()
    environment_id = api.running(ENVIRONMENT, project_id)
    expired = api.environment(project_id, {**ENVIRONMENT, "ttl_hours": 1e-9})
    persistent = api.running(PERSISTENT, project_id)
    for version in ("v1", "v2"):
        api.deploy(persistent, version)
        api.live(4)
    waiting = api.deploy(environment_id)
    project, environment = f"/api/v1/projects/{project_id}", f"/api/v1/environments/{environment_id}"
    restorable, rollable = f"/api/v1/environments/{expired}", f"/api/v1/environments/{persistent}"
    deployment = f"/api/v1/deployments/{waiting}"
    api.join("member@example.com")
    wanted = {"email": "member@example.com", "role": "viewer"}
    member = f"{project}/members/{api.post(f'{project}/members', wanted)['user_id']}"
    token = f"/api/v1/auth/tokens/{api.post('/api/v1/auth/tokens', {'name': 'ci', 'scopes': ['read']})['id']}"
    account = api.stored(documents.user_ref(KEYS.email_key("person-0@example.com"))).data
    begun = session(api, account_documents.user(account)).session
    return {
        "DELETE /auth/tokens/{token_id}": (token, token, None),
        "DELETE /auth/sessions/{session_id}": (
            "/api/v1/auth/sessions",
            f"/api/v1/auth/sessions/{begun.id}",
            None,
        ),
        "PATCH /projects/{project_id}/members/{user_id}": (member, member, {"role": "deployer"}),
        "DELETE /projects/{project_id}/members/{user_id}": (member, member, None),
        "PATCH /projects/{project_id}": (project, project, {"name": "y"}),
        "DELETE /projects/{project_id}": (f"/api/v1/projects/{idle}", f"/api/v1/projects/{idle}", None),
        "PATCH /environments/{environment_id}": (environment, environment, {"name": "y"}),
        "DELETE /environments/{environment_id}": (environment, environment, None),
        "POST /environments/{environment_id}/extend": (environment, f"{environment}/extend", {"hours": 2}),
        "POST /environments/{environment_id}/restore": (restorable, f"{restorable}/restore", {"hours": 2}),
        "POST /environments/{environment_id}/rollback": (rollable, f"{rollable}/rollback", {}),
        "POST /environments/{environment_id}/retry": (environment, f"{environment}/retry", {}),
        "POST /deployments/{deployment_id}/cancel": (deployment, f"{deployment}/cancel", {}),
    }


CONDITIONAL = sorted(
    f"{route.method} {route.path}"
    for name in groups.names()
    for route in groups.load(name).routes
    if route.conditional
)
SHOWN = ["project", "environment", "deployment"]


def test_every_change_of_an_object_is_conditional() -> None:
    changes = {
        f"{route.method} {route.path}"
        for name in ("auth", "projects", "environments", "deployments")
        for route in groups.load(name).routes
        if route.method in {"PATCH", "DELETE"}
        or (route.path.count("/") == 3 and route.method == "POST" and name != "auth")
    }
    creates = {
        "POST /environments/projects/{project_id}",
        "POST /deployments/environments/{environment_id}",
        "POST /projects/{project_id}/members",
    }
    assert set(CONDITIONAL) == changes - creates


def _tag(api: Api, path: str) -> str:
    """What the object shows; of the sessions, which are shown in their list only, the newest."""
    body = api.get(path).body
    return str((body[0] if isinstance(body, list) else body)["etag"])


def _send(api: Api, change: tuple[str, str, Any], name: str, tag: str) -> Reply:
    _, target, body = change
    return api.call(name.split(maxsplit=1)[0], target, body, headers={"If-Match": tag})


@pytest.mark.parametrize("name", CONDITIONAL)
@pytest.mark.parametrize(
    "wrong",
    [
        lambda _: '"other"',
        lambda tag: f"W/{tag}",
        lambda tag: tag[:-2] + '"',
        lambda _: '"a", "b"',
        lambda _: "nonsense",
        lambda _: "",
        lambda _: ",",
    ],
    ids=["other", "weak", "cut", "several", "unquoted", "empty", "none of several"],
)
def test_another_tag_is_412_and_changes_nothing(api: Api, name: str, wrong: Callable[[str], str]) -> None:
    change = _changes(api)[name]
    tag = _tag(api, change[0])
    with api.nothing_changes():
        reply = _send(api, change, name, wrong(tag))
    assert (reply.status, reply["type"]) == FAILED


@pytest.mark.parametrize("name", CONDITIONAL)
@pytest.mark.parametrize("form", ["{}", '"other", {}', "*"])
def test_the_tag_of_what_there_is_lets_through(api: Api, name: str, form: str) -> None:
    change = _changes(api)[name]
    tag = _tag(api, change[0])
    status = _send(api, change, name, form.format(tag)).status
    assert status == 409 if name.endswith("/retry") else status in {200, 201, 202, 204}


def test_a_step_that_comes_by_itself_makes_a_tag_stale(api: Api) -> None:
    environment_id = api.environment()
    path = f"/api/v1/environments/{environment_id}"
    seen = api.get(path)["etag"]
    api.advance(2)
    assert api.patch(path, {"name": "y"}, headers={"If-Match": seen}).status == 412
    now = api.get(path)["etag"]
    assert api.patch(path, {"name": "y"}, headers={"If-Match": now}).status == 200


def test_settling_leaves_a_tag_fresh(api: Api) -> None:
    path = f"/api/v1/environments/{api.environment()}"
    api.advance(2)
    seen = api.get(path)["etag"]
    assert api.run_due() == ["settled"]
    assert api.patch(path, {"name": "y"}, headers={"If-Match": seen}).status == 200


def test_it_is_asked_at_every_attempt(api: Api) -> None:
    path = f"/api/v1/environments/{api.running(PERSISTENT)}"
    seen = api.get(path)["etag"]

    def overtake(_writes: object) -> None:
        with api.elsewhere():
            assert api.patch(path, {"name": "theirs"}).status == 200

    api.store.before_commit = [overtake]
    reply = api.patch(path, {"name": "ours"}, headers={"If-Match": seen})
    assert (reply.status, reply["type"]) == FAILED
    assert api.get(path)["name"] == "theirs"


def test_of_two_with_the_same_tag_one_wins(api: Api) -> None:
    path = f"/api/v1/projects/{api.project()}"
    tag = {"If-Match": api.get(path)["etag"]}
    assert [api.patch(path, {"name": name}, headers=tag).status for name in "xy"] == [200, 412]


def test_what_is_not_visible_is_404_before_it_is_412(api: Api) -> None:
    for name, change in _changes(api).items():
        headers = {"If-Match": '"x"'}
        reply = api.call(name.split()[0], change[1], change[2], headers=headers, token=api.join())
        assert reply.status == 404


def test_who_repeats_a_create_is_not_asked_what_it_believes(api: Api) -> None:
    path, target, body = _changes(api)["POST /environments/{environment_id}/rollback"]
    headers = {"Idempotency-Key": "k", "If-Match": api.get(path)["etag"]}
    made = api.post(target, body, headers=headers)
    assert api.post(target, body, headers=headers)["id"] == made["id"]


@pytest.mark.parametrize("kind", SHOWN)
@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_who_has_seen_it_is_answered_304(api: Api, kind: str, form: str) -> None:
    path = _objects(api)[kind]
    tag = api.get(path)["etag"]
    reply = api.get(path, headers={"If-None-Match": form.format(tag)})
    assert (reply.status, reply.headers["ETag"], reply.body) == (304, tag, "")
    assert reply.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("kind", SHOWN)
@pytest.mark.parametrize("form", ['"other"', "", "nonsense"])
def test_who_has_seen_another_is_shown_this_one(api: Api, kind: str, form: str) -> None:
    assert api.get(_objects(api)[kind], headers={"If-None-Match": form}).status == 200


@pytest.mark.parametrize("kind", ["environment", "deployment"])
def test_what_has_moved_on_is_shown(api: Api, kind: str) -> None:
    path = _objects(api)[kind]
    tag = api.get(path)["etag"]
    api.delete(_objects(api)["environment"])
    api.live(0.5)
    if kind == "deployment":
        assert api.get(path, headers={"If-None-Match": tag}).status == 200


def test_a_list_has_no_tag(api: Api) -> None:
    api.project()
    reply = api.get("/api/v1/projects", headers={"If-None-Match": "*"})
    assert (reply.status, "ETag" in reply.headers) == (200, False)
