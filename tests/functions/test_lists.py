"""Lists: newest first, page by page, each object once."""

import base64
from collections.abc import Callable

import pytest

from shared.keys import Keys
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply


def _link(reply: Reply) -> str:
    link = reply.headers["Link"]
    return link[1 : link.index(">")]


def _filled(api: Api, kind: str, count: int, *, apart: float = 0) -> tuple[str, list[str]]:
    """A list's path, and the ids that it must show, newest first."""
    parent = api.project()
    if kind == "projects":
        added = [parent, *(_later(api, apart, api.project) for _ in range(count - 1))]
        return "/api/v1/projects", added[::-1]
    if kind == "environments":
        added = [_later(api, apart, lambda: api.environment(parent)) for _ in range(count)]
        return f"/api/v1/environments/projects/{parent}", added[::-1]
    environment_id = api.running(project_id=parent)
    added = [_later(api, apart, lambda: api.deploy(environment_id)) for _ in range(count)]
    return f"/api/v1/deployments/environments/{environment_id}", added[::-1]


def _later(api: Api, seconds: float, make: Callable[[], str]) -> str:
    api.advance(seconds)
    return make()


@pytest.mark.parametrize("kind", ["projects", "environments", "deployments"])
@pytest.mark.parametrize("size", [1, 3, 7, 8, 100])
def test_following_the_links_sees_each_object_once_newest_first(api: Api, kind: str, size: int) -> None:
    target, expected = _filled(api, kind, 7, apart=1e-6)
    pages = list(api.walk(f"{target}?page_size={size}"))
    assert [item["id"] for page in pages for item in page] == expected
    assert [len(page) for page in pages] == [min(size, 7 - start) for start in range(0, 7, size)]


def test_objects_of_one_moment_are_ordered_by_id(api: Api) -> None:
    for kind in ("projects", "environments"):
        target, made = _filled(api, kind, 9)
        assert [item["id"] for item in api.all(f"{target}?page_size=2")] == sorted(made, reverse=True)


@pytest.mark.parametrize("kind", ["projects", "environments", "deployments"])
def test_what_is_added_meanwhile_disturbs_no_walk(api: Api, kind: str) -> None:
    target, expected = _filled(api, kind, 5, apart=1)
    parent = target.rpartition("/")[2]
    seen = []
    for page in api.walk(f"{target}?page_size=2"):
        seen += [item["id"] for item in page]
        api.advance(1)
        more: Callable[[], str] = {
            "projects": api.project,
            "environments": lambda: api.environment(parent),
            "deployments": lambda: api.deploy(parent),
        }[kind]
        more()
    assert seen == expected


def test_a_page_has_50_objects_unless_asked_otherwise(api: Api) -> None:
    target, _ = _filled(api, "projects", 101, apart=1e-6)
    assert [len(page) for page in api.walk(target)] == [50, 50, 1]
    assert [len(page) for page in api.walk(f"{target}?page_size=100")] == [100, 1]
    assert "Link" not in api.get(f"{_link(api.get(target + '?page_size=100'))}").headers


def test_a_link_keeps_the_filters_and_the_path_as_it_was_asked_for(api: Api) -> None:
    target, _ = _filled(api, "environments", 3, apart=1)
    reply = api.get(f"{target}/?page_size=1&type=ephemeral&status=provisioning,running&show_deleted=true")
    link = _link(reply)
    assert link.startswith(
        f"{target}/?page_size=1&type=ephemeral&status=provisioning%2Crunning&show_deleted=true"
    )
    assert len(api.get(link).body) == 1
    resized = link.replace("page_size=1", "page_size=100")
    assert len(api.get(resized).body) == 2, "the page's size may change on the way"


def _tampered(token: str) -> list[str]:
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    flipped = [bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]]) for at in range(len(raw))]
    made = [base64.urlsafe_b64encode(item).decode().rstrip("=") for item in flipped]
    return [
        *made,
        token[:-1],
        token + "A",
        token + "!",
        "%20" + token,
        token + "=",
        token[::-1],
        "",
        "x",
        "%00",
    ]


@pytest.mark.parametrize("kind", ["projects", "environments", "deployments"])
def test_a_page_token_that_was_tampered_with_is_400(api: Api, kind: str) -> None:
    target, _ = _filled(api, kind, 3, apart=1)
    start, _, token = _link(api.get(f"{target}?page_size=1")).partition("&page_token=")
    assert len(api.get(f"{start}&page_token={token}").body) == 1
    for bad in _tampered(token):
        reply = api.get(f"{start}&page_token={bad}")
        assert reply.status == 400, bad
        assert reply["type"] == "urn:envctl:problem:bad_page_token"


def test_a_page_token_is_good_for_its_list_its_filters_and_its_caller_only(api: Api) -> None:
    target, _ = _filled(api, "environments", 3, apart=1)
    other, _ = _filled(api, "environments", 3, apart=1)
    deployments, _ = _filled(api, "deployments", 3)
    link = _link(api.get(f"{target}?page_size=1&type=ephemeral"))
    assert api.get(link).status == 200
    token = link.partition("page_token=")[2]
    for bad in (
        f"{target}?page_token={token}",
        f"{target}?type=persistent&page_token={token}",
        f"{target}?type=ephemeral&status=running&page_token={token}",
        f"{target}?type=ephemeral&show_deleted=true&page_token={token}",
        f"{other}?type=ephemeral&page_token={token}",
        f"/api/v1/projects?page_token={token}",
        f"{deployments}?page_token={token}",
    ):
        assert api.get(bad).status == 400, bad
    assert api.get(link, token=api.join()).status in {400, 404}


def test_another_callers_token_is_400_on_the_same_list(api: Api) -> None:
    target, _ = _filled(api, "projects", 3, apart=1)
    link, stranger = _link(api.get(f"{target}?page_size=1")), api.join()
    assert api.get(link, token=stranger).status == 400


def test_a_page_token_survives_the_rotation_of_signing_keys_but_not_another_instance(api: Api) -> None:
    target, _ = _filled(api, "projects", 3, apart=1)
    link = _link(api.get(f"{target}?page_size=1"))
    token, keys = api.token, api.runtime.keys
    object.__setattr__(api.runtime, "keys", Keys({"new": b"n" * 32, **keys.signing}, keys.identity))
    assert api.get(link, token=token).status == 200
    object.__setattr__(api.runtime, "keys", Keys(keys.signing, b"o" * 32))
    assert api.get(link, token=token).status == 400


def test_environments_are_filtered_by_type(api: Api) -> None:
    project_id = api.project()
    made = {body["type"]: api.environment(project_id, body) for body in (ENVIRONMENT, PERSISTENT)}
    target = f"/api/v1/environments/projects/{project_id}"
    for kind, environment_id in made.items():
        assert [item["id"] for item in api.all(f"{target}?type={kind}")] == [environment_id]
    assert len(api.all(target)) == 2


def test_a_list_shows_what_belongs_to_its_parent_only(api: Api) -> None:
    target, made = _filled(api, "environments", 2)
    _filled(api, "deployments", 2)
    assert {item["id"] for item in api.all(target)} == set(made)
    assert api.all("/api/v1/projects", token=api.join()) == []
