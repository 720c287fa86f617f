"""Going back to what succeeded, over HTTP: a new deployment, to which target, in whose place."""

from typing import Any

import pytest

from shared import documents, purging
from shared.ports import Update
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply


def _rollback(api: Api, environment_id: str, body: Any = None) -> Reply:  # noqa: ANN401 - any JSON value
    return api.post(f"/api/v1/environments/{environment_id}/rollback", body)


def _deployed(api: Api, environment_id: str, *versions: str) -> list[str]:
    """Deployments that have succeeded one after the other, each with a configuration of its own."""
    made = []
    for version in versions:
        api.patch(f"/api/v1/environments/{environment_id}", {"config": {"of": version}})
        made.append(api.deploy(environment_id, version))
        api.live(4)
    return made


def _refused(reply: Reply, status: int, code: str) -> str:
    assert (reply.status, reply["type"]) == (status, f"urn:envctl:problem:{code}"), reply.body
    return str(reply["detail"])


@pytest.mark.parametrize("body", [None, {}, {"to": None}], ids=["absent", "empty", "null"])
@pytest.mark.parametrize("kind", [ENVIRONMENT, PERSISTENT], ids=["ephemeral", "persistent"])
def test_it_is_a_new_deployment_of_what_was_live_before(
    api: Api, kind: dict[str, Any], body: dict[str, Any] | None
) -> None:
    environment_id = api.running(kind)
    first, second = _deployed(api, environment_id, "v1", "v2")
    reply = _rollback(api, environment_id, body)
    assert (reply.status, reply.headers["Location"]) == (201, f"/api/v1/deployments/{reply['id']}")
    assert reply["id"] not in {first, second}
    assert (reply["kind"], reply["rollback_of"], reply["version"], reply["number"]) == (
        "rollback",
        first,
        "v1",
        3,
    )
    assert reply["status"] == "pending"
    assert api.get(reply.headers["Location"]).body == reply.body
    assert reply["config"] == {"of": "v1"}
    shown = api.get(f"/api/v1/environments/{environment_id}")
    assert (shown["config"], shown["active_deployment"]["id"]) == ({"of": "v2"}, second)
    api.live(3)
    shown = api.get(f"/api/v1/environments/{environment_id}")
    assert shown["active_deployment"] == {"id": reply["id"], "version": "v1", "number": 3}
    assert shown["config"] == {"of": "v2"}
    listed = api.all(f"/api/v1/deployments/environments/{environment_id}")
    assert [(item["kind"], item["rollback_of"], item["config"]["of"]) for item in listed] == [
        ("rollback", first, "v1"),
        ("deploy", None, "v2"),
        ("deploy", None, "v1"),
    ]


def test_it_may_name_any_deployment_that_succeeded(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    made = _deployed(api, environment_id, *(f"v{number}" for number in range(1, 13)))
    for target in (made[0], made[-1], made[5]):
        reply = _rollback(api, environment_id, {"to": target})
        assert (reply.status, reply["rollback_of"]) == (201, target)
        assert reply["version"] == f"v{made.index(target) + 1}"
        api.live(3)
    again = _rollback(api, environment_id, {"to": reply["id"]})
    assert (again["rollback_of"], again["version"]) == (reply["id"], "v6")


def test_it_takes_the_place_of_what_waits_and_waits_for_what_runs(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    [live] = _deployed(api, environment_id, "v1")
    running, *waiting = (api.deploy(environment_id, version) for version in ("v2", "v3", "v4"))
    api.live(1)
    reply = _rollback(api, environment_id)
    assert (reply.status, reply["rollback_of"]) == (201, live), "what is live, while another runs"
    assert [api.status(one) for one in (running, *waiting)] == ["running", "superseded", "superseded"]
    assert reply["timeline"][1]["at"] == api.get(f"/api/v1/deployments/{running}")["timeline"][-1]["at"]
    api.live(10)
    assert [api.status(one) for one in (running, reply["id"])] == ["succeeded", "succeeded"]


def test_it_disregards_the_policy_to_reject(api: Api) -> None:
    environment_id = api.running({**PERSISTENT, "on_conflict": "reject"})
    _deployed(api, environment_id, "v1")
    api.deploy(environment_id, "v2")
    api.live(1)
    assert _rollback(api, environment_id).status == 201


@pytest.mark.parametrize("settles", [False, True])
def test_without_a_target_it_is_409(api: Api, *, settles: bool) -> None:
    environment_id = api.running(PERSISTENT)
    move = api.live if settles else api.advance
    for act in (None, lambda: api.deploy(environment_id), lambda: move(1), lambda: move(2)):
        if act:
            act()
        with api.nothing_changes():
            _refused(_rollback(api, environment_id), 409, "nothing_to_roll_back_to")
    api.deploy(environment_id)
    move(3)
    assert _rollback(api, environment_id).status == 201


def test_a_target_that_did_not_succeed_is_422(api: Api) -> None:
    environment_id = api.running()
    _deployed(api, environment_id, "v1")
    running = api.deploy(environment_id)
    api.live(1)
    superseded, pending = (api.deploy(environment_id) for _ in range(2))
    for target, status in ((running, "running"), (superseded, "superseded"), (pending, "pending")):
        with api.nothing_changes():
            reply = _rollback(api, environment_id, {"to": target})
        assert f"it is {status}" in _refused(reply, 422, "invalid_input")
        assert [fault["pointer"] for fault in reply["errors"]] == ["/to"]
    api.advance(2)
    assert _rollback(api, environment_id, {"to": running}).status == 201, "it has succeeded, settled or not"


def test_a_target_that_is_not_of_this_environment_is_422_whosever_it_is(api: Api) -> None:
    project_id = api.project()
    environment_id, other = (api.running(PERSISTENT, project_id) for _ in range(2))
    [foreign] = _deployed(api, other, "v1")
    _deployed(api, environment_id, "v1")
    unknown = f"dep-{environment_id[4:]}{'a' * 16}"
    for target in (foreign, unknown, environment_id, "", "x", "dep-" + "a" * 48, "\ud800", "\x00"):
        with api.nothing_changes():
            reply = _rollback(api, environment_id, {"to": target})
        _refused(reply, 422, "invalid_input")
        assert reply["errors"] == [{"pointer": "/to", "detail": "must be a deployment of this environment"}]
    wrongs: tuple[Any, ...] = (1, True, [foreign], {})
    for wrong in wrongs:
        assert _rollback(api, environment_id, {"to": wrong})["errors"][0]["pointer"] == "/to"
    assert _rollback(api, environment_id, {"version": "v1"})["errors"][0]["pointer"] == "/version"


def test_an_environment_that_does_not_run_is_409_and_a_deleted_one_404(api: Api) -> None:
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 10 / 3_600})
    [target] = _deployed(api, environment_id, "v1")
    for seconds, status in ((4, "expired"), (3_600, "deleting")):
        api.live(seconds)
        with api.nothing_changes():
            detail = _refused(_rollback(api, environment_id, {"to": target}), 409, "environment_not_running")
        assert f"is {status}" in detail
    api.live(2)
    _refused(_rollback(api, environment_id, {"to": target}), 404, "not_found")


def test_what_was_live_before_a_restore_may_be_gone_back_to(api: Api) -> None:
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 12 / 3_600})
    _deployed(api, environment_id, "v1", "v2")
    api.live(5)
    assert api.post(f"/api/v1/environments/{environment_id}/restore", {"hours": 1}).status == 200
    assert api.get(f"/api/v1/environments/{environment_id}")["active_deployment"]["version"] == "v2"
    assert _rollback(api, environment_id)["version"] == "v1"


def test_what_was_live_outlasts_the_deployments_that_are_kept(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "KEPT_DEPLOYMENTS", 1)
    environment_id = api.running(PERSISTENT)
    first, second = _deployed(api, environment_id, "v1", "v2")
    canceled = api.deploy(environment_id)
    api.post(f"/api/v1/deployments/{canceled}/cancel")
    api.deploy(environment_id)
    api.live(1)
    kept = [item["id"] for item in api.all(f"/api/v1/deployments/environments/{environment_id}")]
    assert canceled not in kept
    assert {first, second} <= set(kept)
    reply = _rollback(api, environment_id, {"to": first})
    assert (reply.status, reply["version"]) == (201, "v1")


def test_deployments_from_before_are_of_the_kind_deploy(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    stored = api.stored(documents.deployment_ref(deployment_id))
    older = {key: stored.data[key] for key in stored.data.keys() - {"kind", "rollback_of", "queued_at"}}
    api.store.inner.commit(Update(stored.ref, older, stored.version))
    shown = api.get(f"/api/v1/deployments/{deployment_id}")
    assert (shown["kind"], shown["rollback_of"]) == ("deploy", None)
    api.live(3)
    assert api.status(deployment_id) == "succeeded"
