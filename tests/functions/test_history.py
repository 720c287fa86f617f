"""An environment's whole life as one list: what it tells, in which order, to whom."""

from datetime import timedelta

import pytest

from shared.times import from_text
from tests.functions.api import ENVIRONMENT, Api
from tests.functions.lives import HOUR, STORY, TICK, act, deploy, live_the_story, short, tell, timeline_of

KEYS = {"at", "planned", "object", "id", "number", "status", "reason", "action", "until"}


def test_a_life_is_told_from_its_beginning_to_its_end(api: Api) -> None:
    environment_id = live_the_story(api)
    told = tell(api, environment_id, "&show_deleted=true")
    assert [short(entry) for entry in told] == STORY
    assert all(set(entry) == KEYS and entry["planned"] is False for entry in told)
    assert [entry["at"] for entry in told] == sorted(entry["at"] for entry in told)
    assert {(entry["object"], entry["id"]) for entry in told if not entry["number"]} == {
        ("environment", environment_id)
    }
    notes = {entry["action"]: entry for entry in told if entry["action"]}
    assert notes["extended"]["until"] == next(e["at"] for e in told if e["status"] == "expired")
    restored = from_text(notes["restored"]["at"])
    assert from_text(notes["restored"]["until"]) - restored == timedelta(hours=3)
    assert [entry["reason"] for entry in told if entry["status"] == "superseded"] == ["newer_deployment"]


def test_it_says_the_same_as_each_objects_own_timeline(api: Api) -> None:
    environment_id = live_the_story(api)
    told = [entry for entry in tell(api, environment_id, "&show_deleted=true") if entry["status"]]
    deployments = api.all(f"/api/v1/deployments/environments/{environment_id}?show_deleted=true")
    own = [api.get(f"/api/v1/environments/{environment_id}?show_deleted=true").body, *deployments]
    for item in own:
        found = [
            {name: e[name] for name in ("at", "status", "reason")} for e in told if e["id"] == item["id"]
        ]
        assert found == item["timeline"]
    assert len(told) == sum(len(item["timeline"]) for item in own)


def test_what_is_planned_is_told_as_planned_until_its_very_moment(api: Api) -> None:
    environment_id = api.running()
    deployment_id = deploy(api, environment_id)["id"]
    api.live(0.5 - TICK)
    for moved, planned in ((0, True), (TICK, False)):
        api.advance(moved)
        told = {short(entry): entry for entry in tell(api, environment_id)}
        assert (told["1 running"]["planned"], told["1 running"]["id"]) == (planned, deployment_id)
    assert [name for name, entry in told.items() if entry["planned"]] == [
        "1 succeeded",
        "expired",
        "deleting",
        "deleted",
    ]
    api.delete(f"/api/v1/environments/{environment_id}")
    assert [short(entry) for entry in tell(api, environment_id)][-3:] == [
        "deleting",
        "1 failed",
        "deleted",
    ]


@pytest.mark.parametrize("does", [[], ["extend"], ["extend", "extend"]])
def test_at_one_moment_it_is_told_in_the_order_in_which_it_happened(api: Api, does: list[str]) -> None:
    """While the clock stands still: at the expiry a restore, then more."""
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 10 / HOUR})
    api.live(9)
    api.deploy(environment_id)
    api.live(1)
    act(api, environment_id, "restore", {"hours": 1})
    for action in does:
        act(api, environment_id, action, {"hours": 2})
    api.deploy(environment_id)
    api.delete(f"/api/v1/environments/{environment_id}")
    now = [entry for entry in tell(api, environment_id) if from_text(entry["at"]) == api.clock.now]
    notes = ["(extended)" for _ in does]
    assert [short(entry) for entry in now] == [
        "expired",
        "1 failed",
        "(restored)",
        "running",
        *notes,
        "2 pending",
        "deleting",
        "2 canceled",
    ]


# who, and for how long -----------------------------------------------------------------------


def test_a_deleted_one_is_told_if_asked_for_until_it_is_purged(api: Api) -> None:
    environment_id = api.running()
    api.deploy(environment_id)
    api.live(5)
    api.delete(f"/api/v1/environments/{environment_id}")
    api.live(2 - TICK)
    assert api.get(timeline_of(environment_id)).status == 200
    api.live(TICK)
    shown = f"{timeline_of(environment_id)}?show_deleted=true"
    assert api.get(timeline_of(environment_id)).status == 404
    assert [short(entry) for entry in api.get(shown).body][-1] == "deleted"
    api.live(7 * 86_400)
    assert api.get(shown).status == 404


def test_it_tells_of_its_own_deployments_only(api: Api) -> None:
    one, other = api.running(), api.running()
    for environment_id in (one, other, other):
        api.deploy(environment_id)
    api.live(5)
    assert {entry["id"] for entry in tell(api, one) if entry["number"]} == {
        item["id"] for item in api.all(f"/api/v1/deployments/environments/{one}")
    }
