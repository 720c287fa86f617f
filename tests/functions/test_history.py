"""An environment's whole life as one list: its order, its pages, what it costs."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared import documents
from shared.domain.aggregate import open_environment
from shared.domain.timeline import Outcome, Work
from shared.ports import Update
from shared.times import from_text
from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply

HOUR = 3_600
TICK = 1e-6
KEYS = {"at", "planned", "object", "id", "number", "status", "reason", "action", "until"}


def _target(environment_id: str) -> str:
    return f"/api/v1/environments/{environment_id}/timeline"


def _told(api: Api, environment_id: str, query: str = "") -> list[Any]:
    """All of it, in pages of 100."""
    return api.all(f"{_target(environment_id)}?page_size=100{query}")


def _short(entry: dict[str, Any]) -> str:
    """`3 running` of the third deployment, `running` of the environment, `(extended)` of a note."""
    what = entry["status"] or f"({entry['action']})"
    return f"{entry['number']} {what}" if entry["number"] else str(what)


def _deploy(api: Api, environment_id: str, **more: Any) -> Reply:  # noqa: ANN401 - any JSON value
    reply = api.post(f"/api/v1/deployments/environments/{environment_id}", {"version": "v", **more})
    assert reply.status == 201, reply.body
    return reply


def _act(api: Api, environment_id: str, action: str, body: Any = None) -> None:  # noqa: ANN401 - likewise
    reply = api.post(f"/api/v1/environments/{environment_id}/{action}", body)
    assert reply.status < 300, reply.body


STORY = [
    "provisioning",
    "failed",
    "provisioning",
    "(extended)",
    "running",
    "1 pending",
    "1 running",
    "1 succeeded",
    "2 pending",
    "2 running",
    "3 pending",
    "2 succeeded",
    "4 pending",  # a rollback: it takes the place of the one that it supersedes
    "3 superseded",
    "4 running",
    "4 canceling",
    "4 canceled",
    "5 pending",
    "5 running",
    "expired",
    "5 failed",
    "(restored)",
    "running",
    "6 pending",
    "deleting",
    "6 canceled",
    "deleted",
]


def _live_the_story(api: Api) -> str:
    """Every action, and every way in which a deployment ends."""
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    _provision(api, environment_id, Work(2, Outcome.FAIL))
    api.live(2)
    _provision(api, environment_id, Work(2))
    _act(api, environment_id, "retry")
    api.live(1)
    _act(api, environment_id, "extend", {"hours": 2})
    api.live(1)
    _deploy(api, environment_id)
    api.live(10)
    _deploy(api, environment_id)
    api.live(3 - TICK)
    _deploy(api, environment_id)
    api.live(TICK)
    _act(api, environment_id, "rollback")
    api.live(1)
    rolled_back = api.get(f"/api/v1/deployments/environments/{environment_id}").body[0]
    assert api.post(f"/api/v1/deployments/{rolled_back['id']}/cancel").status == 202
    api.live(2 * HOUR - 16)
    _deploy(api, environment_id)
    api.live(3)
    _act(api, environment_id, "restore", {"hours": 3})
    _deploy(api, environment_id)
    assert api.delete(f"/api/v1/environments/{environment_id}").status == 202
    api.live(10)
    return environment_id


def _provision(api: Api, environment_id: str, work: Work) -> None:
    """Give it other work, as if it had been created with it."""
    stored = api.stored(documents.environment_ref(environment_id))
    environment = replace(documents.environment(stored.data), work=work)
    if environment.as_of == environment.created_at:
        environment = open_environment(environment).environment
    api.store.inner.commit(Update(stored.ref, documents.environment_data(environment), stored.version))


def test_a_life_is_told_from_its_beginning_to_its_end(api: Api) -> None:
    environment_id = _live_the_story(api)
    told = _told(api, environment_id, "&show_deleted=true")
    assert [_short(entry) for entry in told] == STORY
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
    environment_id = _live_the_story(api)
    told = [entry for entry in _told(api, environment_id, "&show_deleted=true") if entry["status"]]
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
    deployment_id = _deploy(api, environment_id)["id"]
    api.live(0.5 - TICK)
    for moved, planned in ((0, True), (TICK, False)):
        api.advance(moved)
        told = {_short(entry): entry for entry in _told(api, environment_id)}
        assert (told["1 running"]["planned"], told["1 running"]["id"]) == (planned, deployment_id)
    assert [name for name, entry in told.items() if entry["planned"]] == [
        "1 succeeded",
        "expired",
        "deleting",
        "deleted",
    ]
    api.delete(f"/api/v1/environments/{environment_id}")
    assert [_short(entry) for entry in _told(api, environment_id)][-3:] == [
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
    _act(api, environment_id, "restore", {"hours": 1})
    for action in does:
        _act(api, environment_id, action, {"hours": 2})
    api.deploy(environment_id)
    api.delete(f"/api/v1/environments/{environment_id}")
    now = [entry for entry in _told(api, environment_id) if from_text(entry["at"]) == api.clock.now]
    notes = ["(extended)" for _ in does]
    assert [_short(entry) for entry in now] == [
        "expired",
        "1 failed",
        "(restored)",
        "running",
        *notes,
        "2 pending",
        "deleting",
        "2 canceled",
    ]


# pages ---------------------------------------------------------------------------------------


def test_pages_of_every_size_are_the_whole(api: Api) -> None:
    environment_id = _live_the_story(api)
    whole = _told(api, environment_id, "&show_deleted=true")
    for size in range(1, len(whole) + 2):
        pages = list(api.walk(f"{_target(environment_id)}?page_size={size}&show_deleted=true"))
        assert [entry for page in pages for entry in page] == whole, size
        assert {len(page) for page in pages[:-1]} <= {size}, "only the last page may be short"
        assert pages[-1], "and none is empty"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 31, 49, 50, 51, 100])
@pytest.mark.parametrize("policy", ["latest", "queue"])
def test_pages_lose_and_repeat_nothing_where_everything_happens_at_one_moment(
    api: Api, policy: str, size: int
) -> None:
    environment_id = api.running(PERSISTENT)
    count = 40 if policy == "latest" else 20
    made = [_deploy(api, environment_id, on_conflict=policy)["number"] for _ in range(count)]
    if policy == "queue":
        api.delete(f"/api/v1/environments/{environment_id}")
    told = api.all(f"{_target(environment_id)}?page_size={size}")
    superseded = [f"{number} superseded" for number in made[:-1]]
    pending = [f"{number} pending" for number in made]
    canceled = [f"{number} canceled" for number in made]
    assert [_short(entry) for entry in told] == (
        ["provisioning", "running", *pending, *superseded, f"{made[-1]} running", f"{made[-1]} succeeded"]
        if policy == "latest"
        else ["provisioning", "running", *pending, "deleting", *canceled, "deleted"]
    )


def test_deployments_that_end_long_after_later_ones_are_on_the_right_page(api: Api) -> None:
    """One waits for a day, while those that came later are canceled one after the other."""
    environment_id = api.running({**PERSISTENT, "on_conflict": "queue"})
    stored = api.stored(documents.environment_ref(environment_id))
    slow = replace(
        documents.environment(stored.data),
        pace=replace(documents.environment(stored.data).pace, pending=86_400),
    )
    api.store.inner.commit(Update(stored.ref, documents.environment_data(slow), stored.version))
    _deploy(api, environment_id)
    for _ in range(60):
        api.live(1)
        item = _deploy(api, environment_id)
        api.post(f"/api/v1/deployments/{item['id']}/cancel")
    whole = _told(api, environment_id)
    assert [_short(entry) for entry in whole][-2:] == ["1 running", "1 succeeded"]
    assert len(whole) == 2 + 3 + 60 * 2
    for size in (1, 2, 5, 13, 60):
        assert api.all(f"{_target(environment_id)}?page_size={size}") == whole


def test_what_happens_meanwhile_disturbs_no_walk(api: Api) -> None:
    """What is new comes where it belongs: after all that was there, and before what is planned."""
    environment_id = api.running()
    expected = []
    for _ in range(3):
        _deploy(api, environment_id)
        api.live(5)
    expected = [_short(entry) for entry in _told(api, environment_id) if not entry["planned"]]
    seen: list[str] = []
    for number, page in enumerate(api.walk(f"{_target(environment_id)}?page_size=2")):
        seen += [_short(entry) for entry in page]
        if number < 3:
            _act(api, environment_id, "extend", {"hours": 5 + number})
            _deploy(api, environment_id)
            api.live(5)
    later = [
        line for n in (4, 5, 6) for line in ("(extended)", f"{n} pending", f"{n} running", f"{n} succeeded")
    ]
    assert seen == [*expected, *later, "expired", "deleting", "deleted"]


def test_one_that_is_made_while_the_list_is_read_is_not_there_yet(api: Api) -> None:
    environment_id = api.running()
    find = api.store.find

    def make(query: Any) -> Any:  # noqa: ANN401 - as the store has it
        api.store.find = find  # type: ignore[method-assign]
        api.advance(1)
        api.deploy(environment_id)
        return find(query)

    api.store.find = make  # type: ignore[method-assign]
    assert not [entry for entry in _told(api, environment_id) if entry["number"]]
    assert [entry for entry in _told(api, environment_id) if entry["number"]]


# who, and for how long -----------------------------------------------------------------------


def test_a_deleted_one_is_told_if_asked_for_until_it_is_purged(api: Api) -> None:
    environment_id = api.running()
    api.deploy(environment_id)
    api.live(5)
    api.delete(f"/api/v1/environments/{environment_id}")
    api.live(2 - TICK)
    assert api.get(_target(environment_id)).status == 200
    api.live(TICK)
    shown = f"{_target(environment_id)}?show_deleted=true"
    assert api.get(_target(environment_id)).status == 404
    assert [_short(entry) for entry in api.get(shown).body][-1] == "deleted"
    api.live(7 * 86_400)
    assert api.get(shown).status == 404


def test_it_tells_of_its_own_deployments_only(api: Api) -> None:
    one, other = api.running(), api.running()
    for environment_id in (one, other, other):
        api.deploy(environment_id)
    api.live(5)
    assert {entry["id"] for entry in _told(api, one) if entry["number"]} == {
        item["id"] for item in api.all(f"/api/v1/deployments/environments/{one}")
    }


def test_a_token_of_another_list_is_400(api: Api) -> None:
    one, other = api.running(), api.running()
    link = api.get(f"{_target(one)}?page_size=1").headers["Link"]
    token = link.partition("page_token=")[2].partition(">")[0]
    assert api.get(f"{_target(one)}?page_token={token}").status == 200
    assert api.get(f"{_target(one)}?page_token={token}&show_deleted=true").status == 400
    assert api.get(f"{_target(other)}?page_token={token}").status == 400
    assert api.get(f"/api/v1/deployments/environments/{one}?page_token={token}").status == 400


# cost ----------------------------------------------------------------------------------------


def test_a_page_reads_only_deployments_that_have_something_to_tell_on_it(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    for _ in range(130):
        api.deploy(environment_id)
        api.live(5)
    target = f"{_target(environment_id)}?page_size=60"
    assert api.spent(lambda: api.get(target)) == ["get 2", "find 50"], "half a page, and 20"
    calls: list[list[str]] = []
    following: str | None = target
    while following:
        api.store.calls.clear()
        link = api.get(following).headers.get("Link")
        calls.append(list(api.store.calls))
        following = link and link[1 : link.index(">")]
    assert calls == [["get 2", "find 50"]] * 5 + [["get 2", "find 31"], ["get 2", "find 11"]]
