"""Idempotency keys: whatever is sent again, by whoever and in whatever state, makes one object."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from shared import documents
from shared.errors import AlreadyExists, Conflict, EnvctlError
from shared.ports import Write
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply

KEY = {"Idempotency-Key": "build-4711"}
Send = Callable[[Any], Reply]


def _targets(api: Api) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every operation that creates: where, and a body."""
    project_id = api.project()
    environment_id = api.running(PERSISTENT, project_id)
    api.deploy(environment_id)
    api.live(3)
    api.deploy(environment_id, "v2")
    api.live(3)
    return {
        "project": ("/api/v1/projects", {"name": "x"}),
        "environment": (f"/api/v1/environments/projects/{project_id}", ENVIRONMENT),
        "deployment": (f"/api/v1/deployments/environments/{environment_id}", {"version": "v3"}),
        "rollback": (f"/api/v1/environments/{environment_id}/rollback", {}),
    }


KINDS = ["project", "environment", "deployment", "rollback"]
CHANGED = {
    "project": {"name": "y"},
    "environment": {**ENVIRONMENT, "ttl_hours": 23},
    "deployment": {"version": "v4"},
    "rollback": None,  # filled in with a target
}


def _documents(api: Api) -> int:
    return len(api.content())


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeat_answers_the_same_object_and_changes_nothing(api: Api, kind: str) -> None:
    target, body = _targets(api)[kind]
    first = api.post(target, body, headers=KEY)
    assert (first.status, first.headers.get("Idempotent-Replayed")) == (201, None)
    for again in (target, target + "/"):
        with api.nothing_changes():
            repeat = api.post(again, dict(reversed(body.items())), headers=KEY)
        assert (repeat.status, repeat.headers["Idempotent-Replayed"]) == (201, "true")
        assert (repeat.body, repeat.headers["Location"]) == (first.body, first.headers["Location"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_repeat_shows_the_object_as_it_is_now(api: Api, kind: str) -> None:
    target, body = _targets(api)[kind]
    first = api.post(target, body, headers=KEY)
    api.live(3)
    if kind == "project":
        api.patch(f"/api/v1/projects/{first['id']}", {"name": "renamed"})
    now = api.get(first.headers["Location"]).body
    assert api.post(target, body, headers=KEY).body == now != first.body


@pytest.mark.parametrize("kind", KINDS)
def test_another_body_with_the_key_is_422_and_changes_nothing(api: Api, kind: str) -> None:
    target, body = _targets(api)[kind]
    made = api.post(target, body, headers=KEY)
    other = CHANGED[kind] or {"to": made["rollback_of"]}
    with api.nothing_changes():
        reply = api.post(target, other, headers=KEY)
    assert (reply.status, reply["type"]) == (422, "urn:envctl:problem:idempotency_key_reused")


def test_a_deployment_and_a_rollback_with_one_key_are_different_requests(api: Api) -> None:
    targets = _targets(api)
    assert api.post(*targets["deployment"], headers=KEY).status == 201
    assert api.post(*targets["rollback"], headers=KEY).status == 422


@pytest.mark.parametrize("kind", KINDS)
def test_other_keys_other_callers_and_other_parents_make_other_objects(api: Api, kind: str) -> None:
    target, body = _targets(api)[kind]
    ids = {api.post(target, body, headers=KEY)["id"]}
    ids.add(api.post(target, body, headers={"Idempotency-Key": "build-4712"})["id"])
    ids.add(api.post(target, body)["id"])
    if kind == "project":
        ids.add(api.post(target, body, headers=KEY, token=api.join())["id"])
    else:
        ids.add(api.post(*_targets(api)[kind], headers=KEY)["id"])
    assert len(ids) == 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [Conflict("x"), AlreadyExists("x")], ids=["Conflict", "AlreadyExists"])
def test_one_that_got_through_although_it_reported_otherwise_is_made_once(
    api: Api, kind: str, error: EnvctlError
) -> None:
    target, body = _targets(api)[kind]
    before = _documents(api)

    def fail(_writes: Sequence[Write]) -> None:
        raise error

    api.store.after_commit = [fail]
    made = api.post(target, body, headers=KEY)
    assert (made.status, _documents(api)) == (201, before + 1)
    assert api.post(target, body, headers=KEY)["id"] == made["id"]
    api.live(4)
    assert kind == "project" or api.status(made["id"]) in {"running", "succeeded"}


@pytest.mark.parametrize("kind", ["environment", "deployment", "rollback"])
def test_a_key_holds_through_the_tombstone_and_is_free_after_the_purge(api: Api, kind: str) -> None:
    target, body = _targets(api)[kind]
    made = api.post(target, body, headers=KEY)
    environment_id = made["id"] if kind == "environment" else made["environment_id"]
    api.live(3)
    api.delete(f"/api/v1/environments/{environment_id}")
    api.live(3)
    repeat = api.post(target, body, headers=KEY)
    assert (repeat.status, repeat["id"], repeat.headers["Idempotent-Replayed"]) == (201, made["id"], "true")
    assert kind != "environment" or repeat["status"] == "deleted"
    api.live(7 * 86_400)
    after = api.post(target, body, headers=KEY)
    if kind == "environment":
        assert (after.status, after["status"]) == (201, "provisioning")
        assert "Idempotent-Replayed" not in after.headers
    else:
        assert after.status == 404


def test_a_repeat_comes_before_policies_and_caps(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    target = f"/api/v1/deployments/environments/{environment_id}"
    first = api.post(target, {"version": "v"}, headers=KEY)
    for _ in range(19):
        api.deploy(environment_id)
    assert api.post(target, {"version": "v"}).status == 429
    assert api.post(target, {"version": "v"}, headers=KEY)["id"] == first["id"]
    reject = {"version": "v", "on_conflict": "reject"}
    assert api.post(target, reject, headers={"Idempotency-Key": "other"}).status == 409


def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    environment_id = api.environment()
    target = f"/api/v1/deployments/environments/{environment_id}"
    assert api.post(target, {"version": "v1"}, headers=KEY).status == 409
    api.live(2)
    assert api.post(target, {"version": "v2"}, headers=KEY).status == 201


def test_a_lease_that_has_passed_meanwhile_is_no_reason_to_refuse_a_repeat(api: Api) -> None:
    project_id = api.project()
    target = f"/api/v1/environments/projects/{project_id}"
    body = {"name": "x", "type": "ephemeral", "expires_at": "2026-01-31T12:00:05Z"}
    made = api.post(target, body, headers=KEY)
    api.live(10)
    repeat = api.post(target, body, headers=KEY)
    assert (repeat.status, repeat["id"], repeat["status"]) == (201, made["id"], "expired")


@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "tab\there", "\x7f"])
def test_a_key_that_is_none_is_422(shared_api: Api, key: str) -> None:
    with shared_api.nothing_changes():
        headers = {"Idempotency-Key": key.encode().decode("latin-1")}
        reply = shared_api.post("/api/v1/projects", {"name": "x"}, headers=headers)
    assert (reply.status, reply["errors"][0]["parameter"]) == (422, "Idempotency-Key")


@pytest.mark.parametrize("key", ["x" * 255, " ", "~", '"quoted"', "a,b"])
def test_any_printable_key_will_do(api: Api, key: str) -> None:
    first = api.post("/api/v1/projects", {"name": "x"}, headers={"Idempotency-Key": key})
    assert first["id"] == api.post("/api/v1/projects", {"name": "x"}, headers={"Idempotency-Key": key})["id"]


def test_a_key_is_not_looked_at_where_nothing_repeatable_is_made(api: Api) -> None:
    account = {"email": "twice@example.com", "password": "secret123"}
    statuses = [api.post("/api/v1/auth/register", account, token=None, headers=KEY).status for _ in "ab"]
    assert statuses == [201, 409]


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_costs_a_document_more_in_the_same_calls(api: Api, kind: str) -> None:
    target, body = _targets(api)[kind]
    without = api.spent(lambda: api.post(target, body))
    if kind != "environment":
        target, body = _targets(api)[kind]
    with_key = api.spent(lambda: api.post(target, body, headers=KEY))
    wanted = ["get 1", *without] if kind == "project" else [f"get {int(without[0][4:]) + 1}", *without[1:]]
    assert with_key == wanted
    repeat = api.spent(lambda: api.post(target, body, headers=KEY))
    assert repeat == with_key[:1]


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_at_once_make_one(api: Api, kind: str) -> None:
    target, body = _targets(api)[kind]
    before, barrier = _documents(api), Barrier(20)

    def send(_: int) -> Reply:
        barrier.wait(10)
        return api.post(target, body, headers=KEY)

    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(send, range(20)))
    assert {reply.status for reply in replies} == {201}
    assert len({reply["id"] for reply in replies}) == 1
    assert sum("Idempotent-Replayed" not in reply.headers for reply in replies) == 1
    assert _documents(api) == before + 1


def test_a_document_from_before_has_no_fingerprint(api: Api) -> None:
    environment_id = api.environment()
    data = dict(api.stored(documents.environment_ref(environment_id)).data)
    del data["fingerprint"]
    assert documents.environment(data).fingerprint is None
