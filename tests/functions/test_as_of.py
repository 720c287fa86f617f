"""`?at=`: an environment or a deployment as it was at an earlier moment."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from shared.times import from_text, to_text
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply

TICK = 1e-6
OF_THEN = ("status", "status_reason", "base_url", "active_deployment", "updated_at")


def _path(object_id: str) -> str:
    kind = "environments" if object_id.startswith("env") else "deployments"
    return f"/api/v1/{kind}/{object_id}"


def _at(api: Api, object_id: str, moment: str, query: str = "") -> Reply:
    return api.get(f"{_path(object_id)}?at={quote(moment)}{query}")


def _is_expected(was: Any, now: Any, moment: str) -> None:  # noqa: ANN401 - JSON objects
    """`now` asks back for what `was` at that moment."""
    for name in was:
        if name in OF_THEN:
            assert now[name] == was[name], (moment, name)
    assert now["timeline"] == [step for step in was["timeline"] if step["at"] <= moment]
    assert now["timeline"][-1]["at"] <= moment
    assert now["allowed_actions"] == []


def _live_noting(api: Api, environment_id: str, ids: list[str]) -> Iterator[tuple[str, str, Any]]:
    """Live from step to step, each moment and the one before: who, when, what was shown then."""
    while True:
        shown = [(one, api.get(f"{_path(one)}?show_deleted=true").body) for one in (environment_id, *ids)]
        yield from ((one, to_text(api.clock.now), body) for one, body in shown)
        ahead = [from_text(step["at"]) for _, body in shown for step in body["timeline"]]
        ahead = [moment for moment in ahead if moment > api.clock.now]
        if not ahead:
            return
        seconds = (min(ahead) - api.clock.now).total_seconds()
        api.live(seconds - TICK if seconds > TICK else TICK)


@pytest.mark.parametrize("ends", [False, True], ids=["lives on", "is deleted meanwhile"])
def test_at_the_very_boundaries_of_each_step_it_is_what_was_shown_then(api: Api, *, ends: bool) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 20 / 3_600})
    seen = []
    for _ in range(3):  # provisioning; running, just before and from its moment on
        seen += [(environment_id, to_text(api.clock.now), api.get(_path(environment_id)).body)]
        api.live(2 - TICK if len(seen) == 1 else TICK)
    ids = [api.deploy(environment_id), api.deploy(environment_id)]  # the second supersedes the first
    api.live(4)
    ids.append(api.deploy(environment_id))
    api.live(1)
    ids.append(api.deploy(environment_id))
    if ends:
        api.delete(_path(environment_id))
    seen += _live_noting(api, environment_id, ids)
    assert {body["status"] for _, _, body in seen} >= {"deleting", "deleted", "superseded", "succeeded"}
    assert len(seen) > (15 if ends else 50)
    for one, moment, body in seen:
        _is_expected(body, _at(api, one, moment, "&show_deleted=true").body, moment)


def test_an_edit_changes_the_fields_of_then_and_nothing_of_what_is_of_then(api: Api) -> None:
    """Fields are replaced without a trace: they are shown as they are."""
    environment_id = api.running()
    moment = to_text(api.clock.now)
    before = _at(api, environment_id, moment).body
    api.live(1)
    api.patch(_path(environment_id), {"name": "y", "config": {"a": 1}})
    api.post(f"{_path(environment_id)}/extend", {"hours": 48})
    after = _at(api, environment_id, moment).body
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"name", "config", "expires_at", "etag"}
    assert after["updated_at"] == before["updated_at"] == moment


def test_of_now_it_is_as_it_is_without_what_is_to_come(api: Api) -> None:
    environment_id = api.running()
    deployment_id = api.deploy(environment_id)
    api.live(1)
    for one in (environment_id, deployment_id):
        now = to_text(api.clock.now)
        _is_expected(api.get(_path(one)).body, _at(api, one, now).body, now)
        planned = api.get(_path(one)).body["timeline"]
        assert len(_at(api, one, now).body["timeline"]) < len(planned)


def test_what_was_live_is_known_as_far_back_as_there_are_deployments(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    seen: list[tuple[str, Any]] = []
    for number in range(1, 31):
        deployment_id = api.deploy(environment_id, f"v{number}")
        if number % 4 == 1:
            api.post(f"{_path(deployment_id)}/cancel")
        for seconds in (3 - TICK, TICK):
            api.live(seconds)
            live = api.get(_path(environment_id))["active_deployment"]
            seen.append((to_text(api.clock.now), live))
    assert [live and live["number"] for _, live in seen[:6]] == [None, None, None, 2, 2, 3]
    costs = []
    for moment, live in seen:
        costs.append(api.spent(partial(_at, api, environment_id, moment)))
        assert _at(api, environment_id, moment)["active_deployment"] == live, moment
    assert costs[-1] == ["get 2"], "of the last ten it is known"
    assert {call for cost in costs for call in cost} == {"get 2", "find 1", "find 0"}
    assert max(map(len, costs)) <= 1 + 5, "beyond them it is looked for by bisection"


def test_no_more_is_read_than_for_now(api: Api) -> None:
    environment_id = api.running()
    deployment_id = api.deploy(environment_id)
    api.live(5)
    now = to_text(api.clock.now)
    assert api.spent(lambda: _at(api, environment_id, now)) == ["get 2"]
    assert api.spent(lambda: _at(api, deployment_id, now)) == ["get 3"]


def test_the_entity_tag_is_that_of_what_is_shown(api: Api) -> None:
    environment_id = api.running()
    moment = to_text(api.clock.now)
    then = _at(api, environment_id, moment)
    assert then["etag"] != api.get(_path(environment_id))["etag"]
    api.live(100)
    again = _at(api, environment_id, moment)
    assert again.body == then.body
    target = f"{_path(environment_id)}?at={moment}"
    assert api.get(target, headers={"If-None-Match": then["etag"]}).status == 304


# refusals ------------------------------------------------------------------------------------


def test_before_the_creation_there_was_nothing_and_after_now_nothing_is_certain(api: Api) -> None:
    api.live(10)
    environment_id = api.environment()
    api.live(10)
    deployment_id = api.deploy(environment_id)
    api.live(10)
    for one in (environment_id, deployment_id):
        created_at = from_text(api.get(_path(one))["created_at"])
        for moment, moved, status in (
            (created_at, -TICK, 404),
            (created_at, 0, 200),
            (api.clock.now, 0, 200),
            (api.clock.now, TICK, 422),
        ):
            before = api.clock.now
            api.clock.now = moment
            api.advance(moved)
            text, api.clock.now = to_text(api.clock.now), before
            reply = _at(api, one, text)
            assert reply.status == status, (text, reply.body)
    assert reply["errors"] == [
        {"parameter": "at", "detail": "must not be later than now: what is planned may change"}
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-01-31T13:00:00 01:00", "must not contain a space; a + is written %2B in a query"),
        ("2026-01-31T13:00:00+01:00", "must not contain a space; a + is written %2B in a query"),
        ("yesterday", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z"),
        ("", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.0000001Z", "must not be finer than microseconds"),
        ("2026-02-30T12:00:00Z", "is no time that there is"),
    ],
)
def test_a_moment_that_is_none_is_422(api: Api, text: str, says: str) -> None:
    environment_id = api.running()
    for one in (environment_id, api.deploy(environment_id)):
        reply = api.get(f"{_path(one)}?at={quote(text, safe='+')}")
        assert (reply.status, reply["errors"]) == (422, [{"parameter": "at", "detail": says}])


def test_a_moment_may_have_any_offset(api: Api) -> None:
    environment_id = api.running()
    for text in ("2026-01-31T13:00:01+01:00", "2026-01-31t12:00:01.0z", "2026-01-31T07:00:01-05:00"):
        reply = _at(api, environment_id, text)
        assert (reply.status, reply["status"]) == (200, "provisioning")


def test_who_looks_back_does_not_wait(api: Api) -> None:
    environment_id = api.running()
    for one in (environment_id, api.deploy(environment_id)):
        reply = _at(api, one, to_text(api.clock.now), "&wait_for=running")
        assert reply.status == 422
        assert [fault["parameter"] for fault in reply["errors"]] == ["wait_for"]


def test_a_deleted_one_is_shown_as_of_then_only_if_asked_for_and_until_it_is_purged(api: Api) -> None:
    environment_id = api.running()
    deployment_id = api.deploy(environment_id)
    moment = to_text(api.clock.now)
    api.live(10)
    api.delete(_path(environment_id))
    api.live(10)
    for one, status in ((environment_id, "running"), (deployment_id, "pending")):
        assert _at(api, one, moment).status == 404
        assert _at(api, one, moment, "&show_deleted=true")["status"] == status
    api.live(8 * 86_400)
    assert _at(api, environment_id, moment, "&show_deleted=true").status == 404


def test_nobody_else_sees_the_past_either(api: Api) -> None:
    environment_id = api.running()
    moment, stranger = to_text(api.clock.now), api.join()
    for one in (environment_id, api.deploy(environment_id)):
        assert api.get(f"{_path(one)}?at={moment}", token=stranger).status == 404
