"""An environment's life over HTTP, to the microsecond, with and without tasks."""

import pytest

from shared import documents
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api

HOUR = 3_600
TICK = 1e-6


def _stored_status(api: Api, environment_id: str) -> str:
    return str(api.stored(documents.environment_ref(environment_id)).data["status"])


def test_it_runs_two_seconds_after_its_creation_and_not_a_moment_before(api: Api) -> None:
    environment_id = api.environment()
    path = f"/api/v1/environments/{environment_id}"
    api.advance(2 - TICK)
    early = api.get(path)
    assert (early["status"], early["base_url"]) == ("provisioning", None)
    api.advance(TICK)
    running = api.get(path)
    assert (running["status"], running["status_reason"]) == ("running", None)
    assert running["base_url"] == f"https://{environment_id}.preview.example.com"
    assert running["updated_at"] == "2026-01-31T12:00:02.000000Z"
    assert running["etag"] != early["etag"]


@pytest.mark.parametrize("settles", [False, True])
@pytest.mark.parametrize("hours", [24, 0.5, 1 / 3, 720])
def test_a_ttl_is_exact_for_every_reader_settled_or_not(api: Api, hours: float, *, settles: bool) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": hours})
    target = f"/api/v1/environments/projects/prj-{environment_id[4:20]}"
    move = api.live if settles else api.advance
    move(round(hours * HOUR, 6) - TICK)
    assert api.status(environment_id) == "running"
    assert api.all(target)[0]["status"] == "running"
    move(TICK)
    reply = api.get(f"/api/v1/environments/{environment_id}")
    assert (reply["status"], reply["status_reason"]) == ("expired", "ttl_expired")
    assert reply["expires_at"] == reply["updated_at"] == reply["timeline"][2]["at"]
    assert reply["base_url"].startswith("https://")
    assert api.all(target) == [reply.body]
    assert api.all(f"{target}?status=running") == []


def test_every_step_is_settled_by_its_callback_and_purged_in_the_end(api: Api) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    path = f"/api/v1/environments/{environment_id}"
    for seconds, status in (
        (2, "running"),
        (HOUR - 2, "expired"),
        (HOUR, "deleting"),
    ):
        assert api.live(seconds - TICK) == []
        assert api.live(TICK) == ["settled"]
        assert (_stored_status(api, environment_id), api.status(environment_id)) == (status, status)
        assert len(api.queue.tasks) == 1, "each settling asks for the next wake-up"
    assert api.live(2) == ["settled"]
    assert _stored_status(api, environment_id) == "deleted"
    assert api.get(path).status == 404
    kept = api.get(f"{path}?show_deleted=true")
    assert (kept["status"], kept["status_reason"]) == ("deleted", "grace_period_over")
    assert api.live(7 * 24 * HOUR - TICK) == []
    assert api.get(f"{path}?show_deleted=true").body == kept.body
    assert api.live(TICK) == ["purged"]
    assert api.get(f"{path}?show_deleted=true").status == 404
    assert api.store.inner.get(documents.environment_ref(environment_id)) is None
    assert api.queue.tasks == []


def test_a_persistent_one_has_no_end(api: Api) -> None:
    environment_id = api.environment(None, PERSISTENT)
    assert api.live(2) == ["settled"]
    reply = api.get(f"/api/v1/environments/{environment_id}")
    assert (reply["expires_at"], [step["status"] for step in reply["timeline"]]) == (
        None,
        ["provisioning", "running"],
    )
    assert api.queue.tasks == []
    api.advance(10 * 365 * 24 * HOUR)
    assert api.status(environment_id) == "running"


def test_without_a_ttl_an_ephemeral_one_lasts_24_hours(api: Api) -> None:
    for body in ({"name": "x", "type": "ephemeral"}, {"name": "x", "type": "ephemeral", "ttl_hours": None}):
        reply = api.get(f"/api/v1/environments/{api.environment(None, body)}")
        assert reply["expires_at"] == "2026-02-01T12:00:00.000000Z"


@pytest.mark.parametrize("seconds", [0, 1, 2, 100, HOUR, 2 * HOUR - TICK])
def test_a_delete_is_accepted_at_once_and_a_repeat_changes_nothing(api: Api, seconds: float) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    path = f"/api/v1/environments/{environment_id}"
    api.live(seconds)
    first = api.delete(path)
    assert (first.status, first["status"], first["status_reason"]) == (202, "deleting", "delete_requested")
    with api.nothing_changes():
        assert api.delete(path).body == first.body
    assert api.get(path).body == first.body
    api.live(2 - TICK)
    assert api.delete(path).status == 202
    api.live(TICK)
    for method in ("GET", "DELETE"):
        assert api.call(method, path).status == 404
    assert api.patch(path, {"name": "x"}).status == 404
    assert api.status(environment_id, "?show_deleted=true") == "deleted"


def test_while_it_is_deleting_it_takes_no_changes_and_says_so(api: Api) -> None:
    environment_id = api.running()
    path = f"/api/v1/environments/{environment_id}"
    api.delete(path)
    with api.nothing_changes():
        refused = api.patch(path, {"name": "x"})
        assert (refused.status, refused["type"]) == (409, "urn:envctl:problem:environment_ending")
        assert "deleting" in refused["detail"]


@pytest.mark.parametrize("seconds", [0, 10, 3_600])
def test_an_edit_changes_fields_only(api: Api, seconds: float) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1, "config": {"a": 1}})
    path = f"/api/v1/environments/{environment_id}"
    api.live(seconds)
    before = api.get(path)
    with api.nothing_changes():
        assert api.patch(path, {}).body == before.body
        assert api.patch(path, {"name": "preview"}).body == before.body
    api.advance(1)
    after = api.patch(path, {"name": "other", "config": None})
    assert (after["name"], after["config"], after["status"]) == ("other", None, before["status"])
    assert (after["timeline"], after["expires_at"]) == (before["timeline"], before["expires_at"])
    assert after["updated_at"] > before["updated_at"]
    assert after["etag"] != before["etag"]
    assert api.get(path).body == after.body


def test_a_tag_changes_with_what_is_shown_and_with_nothing_else(api: Api) -> None:
    environment_id = api.environment()
    path = f"/api/v1/environments/{environment_id}"
    api.advance(3)
    seen = api.get(path)
    api.run_due()
    assert api.get(path).headers["ETag"] == seen["etag"], "settling changes nothing that is shown"
    api.advance(10)
    assert api.get(path)["etag"] == seen["etag"], "time alone changes nothing either"
    assert api.patch(path, {"name": "other"})["etag"] != seen["etag"]
    assert api.patch(path, {"name": "preview"})["etag"] != seen["etag"], "updated_at is shown too"


def test_a_ttl_of_less_than_the_provisioning_ends_it_before_it_has_run(api: Api) -> None:
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1 / HOUR})
    api.live(1)
    reply = api.get(f"/api/v1/environments/{environment_id}")
    assert (reply["status"], reply["base_url"]) == ("expired", None)
    api.live(2 * HOUR)
    assert api.status(environment_id, "?show_deleted=true") == "deleted"
