"""Leases over HTTP: extended until they end, restored within the grace period, bounded from creation on."""

from typing import Any

import pytest

from shared import documents
from shared.times import from_text
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply

HOUR = 3_600
TICK = 1e-6
ONE_HOUR = {**ENVIRONMENT, "ttl_hours": 1}


def _act(api: Api, environment_id: str, action: str, body: dict[str, Any] | None = None) -> Reply:
    return api.post(f"/api/v1/environments/{environment_id}/{action}", body)


def _refused(reply: Reply, status: int, code: str) -> str:
    assert (reply.status, reply["type"]) == (status, f"urn:envctl:problem:{code}"), reply.body
    return str(reply["detail"])


@pytest.mark.parametrize("text", ["2026-02-02T13:14:15.25Z", "2026-02-02t14:14:15.25+01:00"])
def test_a_lease_may_be_asked_for_as_a_moment(api: Api, text: str) -> None:
    body = {"name": "x", "type": "ephemeral", "expires_at": text}
    environment_id = api.environment(None, body)
    reply = api.get(f"/api/v1/environments/{environment_id}")
    assert reply["expires_at"] == "2026-02-02T13:14:15.250000Z"
    assert [step["at"] for step in reply["timeline"] if step["status"] == "expired"] == [reply["expires_at"]]


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize(
    ("body", "expires_at"),
    [
        ({"hours": 2}, "2026-01-31T14:30:00.000000Z"),
        ({"until": "2026-02-05T00:00:00Z"}, "2026-02-05T00:00:00.000000Z"),
    ],
)
def test_an_extended_one_runs_until_its_new_end_for_every_reader(
    api: Api, body: dict[str, Any], expires_at: str, *, settles: bool
) -> None:
    environment_id = api.environment(None, ONE_HOUR)
    target = f"/api/v1/environments/projects/prj-{environment_id[4:20]}"
    move = api.live if settles else api.advance
    move(HOUR / 2)
    before = api.get(f"/api/v1/environments/{environment_id}")
    reply = _act(api, environment_id, "extend", body)
    assert (reply.status, reply["status"], reply["expires_at"]) == (200, "running", expires_at)
    assert reply["updated_at"] == "2026-01-31T12:30:00.000000Z"
    assert reply["etag"] != before["etag"]
    assert api.get(f"/api/v1/environments/{environment_id}").body == reply.body
    left = from_text(expires_at) - api.clock.now
    move(left.total_seconds() - TICK)
    assert [item["status"] for item in api.all(f"{target}?status=running")] == ["running"]
    move(TICK)
    assert [item["status"] for item in api.all(f"{target}?status=expired")] == ["expired"]
    assert api.status(environment_id) == "expired"


@pytest.mark.parametrize("settles", [False, True])
def test_it_may_be_extended_a_microsecond_before_its_expiry_and_not_at_it(api: Api, *, settles: bool) -> None:
    first, second = api.environment(None, ONE_HOUR), api.environment(None, ONE_HOUR)
    (api.live if settles else api.advance)(HOUR - TICK)
    assert _act(api, first, "extend", {"hours": 1}).status == 200
    (api.live if settles else api.advance)(TICK)
    with api.nothing_changes():
        detail = _refused(_act(api, second, "extend", {"hours": 1}), 409, "not_possible")
    assert "is expired; extend needs one that is provisioning, running or failed" in detail
    assert (api.status(first), api.status(second)) == ("running", "expired")


def test_a_deployment_that_would_have_ended_with_the_old_lease_goes_on(api: Api) -> None:
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 4 / HOUR})
    deployment_id = api.deploy(environment_id)
    assert api.get(f"/api/v1/deployments/{deployment_id}")["timeline"][-1]["status"] == "failed"
    _act(api, environment_id, "extend", {"hours": 1})
    assert api.get(f"/api/v1/deployments/{deployment_id}")["timeline"][-1]["status"] == "succeeded"
    api.live(3)
    assert api.status(deployment_id) == "succeeded"


@pytest.mark.parametrize("action", ["extend", "restore"])
@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"hours": 719.51}, "/hours"), ({"until": "2026-03-02T12:00:00.000001Z"}, "/until")],
)
def test_the_longest_lifetime_counts_from_creation_and_nothing_is_clamped(
    api: Api, action: str, body: dict[str, Any], pointer: str
) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1 if action == "extend" else 0.4})
    api.live(HOUR / 2)
    with api.nothing_changes():
        reply = _act(api, environment_id, action, body)
    assert "2026-03-02T12:00:00.000000Z" in _refused(reply, 422, "invalid_input")
    assert "720 hours" in reply["detail"]
    assert [fault["pointer"] for fault in reply["errors"]] == [pointer]
    longest = _act(api, environment_id, action, {"until": "2026-03-02T12:00:00Z"})
    assert (longest.status, longest["expires_at"]) == (200, "2026-03-02T12:00:00.000000Z")


@pytest.mark.parametrize("action", ["extend", "restore"])
def test_what_is_deleting_or_deleted_takes_neither(api: Api, action: str) -> None:
    environment_id = api.running()
    api.delete(f"/api/v1/environments/{environment_id}")
    with api.nothing_changes():
        assert "is deleting" in _refused(_act(api, environment_id, action, {"hours": 1}), 409, "not_possible")
    api.advance(2)
    with api.nothing_changes():
        _refused(_act(api, environment_id, action, {"hours": 1}), 404, "not_found")


def test_a_persistent_one_has_no_lease(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    with api.nothing_changes():
        _refused(_act(api, environment_id, "extend", {"hours": 1}), 409, "no_lease")
        _refused(_act(api, environment_id, "restore", {"hours": 1}), 409, "not_possible")


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("seconds", [0, HOUR - TICK])
def test_a_restored_one_runs_again_and_revives_no_deployment(
    api: Api, seconds: float, *, settles: bool
) -> None:
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 10 / HOUR})
    move = api.live if settles else api.advance
    move(6)
    running = api.deploy(environment_id)
    move(1)
    pending = api.deploy(environment_id)
    move(1 + seconds)
    reply = _act(api, environment_id, "restore", {"hours": 1})
    assert (reply.status, reply["status"], reply["status_reason"]) == (200, "running", "restore_requested")
    assert [step["status"] for step in reply["timeline"]] == [
        *("provisioning", "running", "expired", "running", "expired", "deleting", "deleted")
    ]
    assert reply["base_url"] == f"https://{environment_id}.preview.example.com"
    assert (api.status(running), api.status(pending)) == ("failed", "canceled")
    move(60)
    assert (api.status(running), api.status(pending)) == ("failed", "canceled")
    third = api.deploy(environment_id)
    move(3)
    assert (api.status(third), api.get(f"/api/v1/deployments/{third}")["number"]) == ("succeeded", 3)
    move(HOUR - 63)
    assert api.status(environment_id) == "expired"
    move(HOUR + 2)
    assert api.status(environment_id) == 404


def test_one_that_runs_or_whose_grace_period_is_over_is_not_restored(api: Api) -> None:
    environment_id = api.environment(None, ONE_HOUR)
    for seconds, status in ((0, "provisioning"), (2, "running"), (2 * HOUR - 2, "deleting")):
        api.live(seconds)
        with api.nothing_changes():
            detail = _refused(_act(api, environment_id, "restore", {"hours": 1}), 409, "not_possible")
        assert f"is {status}; restore needs one that is expired" in detail


def test_an_absent_body_is_an_empty_one(api: Api) -> None:
    environment_id = api.running()
    bodies: list[dict[str, Any] | None] = [None, {}]
    for body in bodies:
        reply = _act(api, environment_id, "extend", body)
        assert [fault["pointer"] for fault in reply["errors"]] == ["/hours"]
    reply = api.post(f"/api/v1/environments/{environment_id}/extend", content_type="application/json")
    assert reply.status == 422
    reply = api.post(f"/api/v1/environments/{environment_id}/extend", data=b'{"hours": 1}')
    assert reply.status == 415


def test_the_document_notes_what_was_done(api: Api) -> None:
    environment_id = api.environment(None, ONE_HOUR)
    _act(api, environment_id, "extend", {"hours": 2})
    api.live(2 * HOUR)
    _act(api, environment_id, "restore", {"hours": 1})
    notes = api.stored(documents.environment_ref(environment_id)).data["notes"]
    assert [(note["action"], note["at"]) for note in notes] == [
        ("extended", "2026-01-31T12:00:00.000000Z"),
        ("restored", "2026-01-31T14:00:00.000000Z"),
    ]


@pytest.mark.parametrize("action", ["extend", "restore"])
def test_an_acknowledged_lease_holds_for_a_clock_that_is_behind(api: Api, action: str) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 10 / HOUR})
    api.live(9 if action == "extend" else 11)
    reply = _act(api, environment_id, action, {"hours": 1})
    api.advance(-5)
    assert api.get(f"/api/v1/environments/{environment_id}").body == reply.body
    for task in api.drop_tasks():
        api.deliver(task)
    api.live(20)
    assert api.status(environment_id) == "running"
