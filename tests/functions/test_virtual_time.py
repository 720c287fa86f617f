"""Virtual time: it stands still until it is advanced, and then everything happens at its own moment."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from functions.simulation import use_cases
from shared import documents
from shared.times import from_text, to_text
from tests.functions.api import ENVIRONMENT, PERSISTENT, SECRET, Api
from tests.functions.doubles import START
from tests.functions.virtual import ADVANCE, CLOCK, VirtualApi, at, content, fail

DAY = 86_400


def test_a_real_clock_can_t_be_looked_at_or_advanced(api: Api) -> None:
    for reply in (api.get(CLOCK), api.post(ADVANCE, {"by": "PT1S"})):
        assert (reply.status, reply["type"]) == (409, "urn:envctl:problem:clock_is_real")
        assert "ENVCTL_CLOCK=virtual" in reply["detail"]


def test_it_stands_still_until_it_is_advanced_and_real_time_doesn_t_matter(virtual: VirtualApi) -> None:
    environment_id = virtual.environment()
    virtual.clock.advance(365 * DAY)
    assert virtual.get(CLOCK).body == {"now": at(0), "started_at": at(0)}
    assert virtual.status(environment_id) == "provisioning"
    assert virtual.get(f"/api/v1/environments/{environment_id}")["created_at"] == at(0)
    arrived = virtual.advanced({"by": "PT1.999999S"})
    assert arrived.body == {
        "from": at(0),
        "to": at(1.999999),
        "now": at(1.999999),
        "complete": True,
        "settled": [],
    }
    assert virtual.status(environment_id) == "provisioning"
    assert virtual.live(1e-6) == ["environment running"]
    assert virtual.status(environment_id) == "running"
    assert virtual.get(CLOCK).body == {"now": at(2), "started_at": at(0)}


def test_where_it_stands_is_as_good_a_target_as_any(virtual: VirtualApi) -> None:
    for body in ({"to": at(0)}, {"by": "PT0S"}, {"by": "P0D"}):
        assert virtual.advanced(body).body == {
            "from": at(0),
            "to": at(0),
            "now": at(0),
            "complete": True,
            "settled": [],
        }


def test_a_time_in_another_zone_is_the_same_time(virtual: VirtualApi) -> None:
    assert virtual.advanced({"to": "2026-01-31T14:00:00+01:00"})["now"] == at(3_600)


def test_what_happened_is_told_in_order_each_at_its_own_moment(virtual: VirtualApi) -> None:
    other = virtual.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    virtual.live(3)
    environment_id = virtual.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    virtual.live(3594)
    deployment_id = virtual.deploy(environment_id)
    other_deployment_id = virtual.deploy(other)
    told = [
        (3_597.5, "deployment", deployment_id, "running", None),
        (3_597.5, "deployment", other_deployment_id, "running", None),
        (3_600, "environment", other, "expired", "ttl_expired"),
        (3_600, "deployment", other_deployment_id, "succeeded", None),
        (3_600, "deployment", deployment_id, "succeeded", None),
        (3_603, "environment", environment_id, "expired", "ttl_expired"),
        (7_200, "environment", other, "deleting", "grace_period_over"),
        (7_202, "environment", other, "deleted", "grace_period_over"),
        (7_203, "environment", environment_id, "deleting", "grace_period_over"),
        (7_205, "environment", environment_id, "deleted", "grace_period_over"),
        (7_202 + 7 * DAY, "environment", other, "purged", None),
        (7_205 + 7 * DAY, "environment", environment_id, "purged", None),
    ]
    events = virtual.events({"by": "P8D"})
    names = ("at", "object", "id", "status", "reason")
    expected = [dict(zip(names, (at(one[0]), *one[1:]), strict=True)) for one in told]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert sorted(map(str, events)) == sorted(map(str, expected)), "at one moment any order will do"
    assert [ref for ref in virtual.store.inner.get_many([documents.environment_ref(other)]) if ref] == []


def _a_week(virtual: Api) -> Sequence[str]:
    project_id = virtual.project()
    ephemeral = virtual.environment(project_id, {**ENVIRONMENT, "ttl_hours": 1})
    persistent = virtual.environment(project_id, PERSISTENT)
    made = [project_id, ephemeral, persistent]
    virtual.live(2)
    made += [virtual.deploy(persistent, f"v{number}") for number in range(4)]
    made += [virtual.deploy(ephemeral, f"v{number}") for number in range(3)]
    virtual.live(4)
    virtual.post(f"/api/v1/deployments/{made[3]}/cancel")
    virtual.post(f"/api/v1/deployments/{made[4]}/cancel")
    virtual.live(20)
    made.append(str(virtual.post(f"/api/v1/environments/{persistent}/rollback", {"to": made[5]})["id"]))
    virtual.live(3_573.5)
    made.append(virtual.deploy(ephemeral))
    virtual.live(60)
    virtual.post(f"/api/v1/environments/{ephemeral}/restore", {"hours": 2})
    virtual.live(3 * DAY)
    virtual.delete(f"/api/v1/projects/{project_id}?force=true")
    return made


@pytest.mark.parametrize("seconds", [0, 1, 2, 61, DAY, 7 * DAY - 1, 7 * DAY, 8 * DAY])
def test_everything_is_stored_as_if_callbacks_had_come_punctually(
    virtual: VirtualApi, api: Api, seconds: float
) -> None:
    made = {one: _a_week(one) for one in (api, virtual)}
    for one in made:
        one.live(seconds)
    assert content(virtual, made[virtual]) == content(api, made[api])
    assert bool(content(virtual, made[virtual])) == (seconds < 8 * DAY)


def test_as_many_steps_as_one_likes_lead_to_the_same(virtual: VirtualApi, api: Api) -> None:
    found = []
    for one, times in ((api, 1), (virtual, 240)):
        project_id = one.project()
        made = [project_id, one.environment(project_id, {**ENVIRONMENT, "ttl_hours": 0.01})]
        for _ in range(times):
            one.live(2 * 3_600 / times)
        found.append(content(one, made))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({}, "/by", "is required"),
        ({"by": "PT1S", "to": at(1)}, "/to", "left out"),
        ({"to": at(-1e-6)}, "/to", "never goes back"),
        ({"to": at(366 * DAY + 1e-6)}, "/to", "366 days"),
        ({"by": "P366DT0.000001S"}, "/by", "366 days"),
        ({"by": "P999999999999W"}, "/by", "longer than any"),
        ({"by": 3}, "/by", "ISO 8601"),
        ({"by": "-PT3S"}, "/by", "ISO 8601"),
        ({"by": "P1M"}, "/by", "years or months"),
        ({"to": "tomorrow"}, "/to", "RFC 3339"),
        ({"until": at(1)}, "/until", "not known"),
    ],
)
def test_a_target_that_can_t_be_is_refused(virtual: VirtualApi, body: Any, pointer: str, said: str) -> None:  # noqa: ANN401 - any JSON value
    with virtual.nothing_changes():
        reply = virtual.post(ADVANCE, body)
    assert reply.status == 422
    [fault] = reply["errors"]
    assert fault["pointer"] == pointer
    assert said in fault["detail"]


def test_it_ends_before_plans_would_find_no_time(
    virtual: VirtualApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_cases, "LAST", START + timedelta(days=2))
    assert virtual.post(ADVANCE, {"by": "P3D"}).status == 422
    assert virtual.advanced({"by": "P2D"})["complete"]
    assert virtual.post(ADVANCE, {"by": "PT0.000001S"}).status == 422


def test_a_project_s_end_is_carried_on_up_to_its_purge(virtual: VirtualApi) -> None:
    project_id = virtual.project()
    virtual.running(project_id=project_id)
    virtual.delete(f"/api/v1/projects/{project_id}?force=true")
    now = virtual.now()

    def told(seconds: float) -> list[tuple[float, str, str]]:
        events = virtual.events({"to": to_text(now + timedelta(seconds=seconds))})
        found = [(event["at"], event["object"], event["status"]) for event in events]
        return [((_seconds(one[0]) - _seconds(to_text(now))), *one[1:]) for one in found]

    assert told(0) == [(0, "project", "ended")]
    assert told(60) == [(2, "environment", "deleted"), (60, "project", "ended")]
    assert told(7 * DAY + 2) == [
        (7 * DAY, "project", "ended"),
        (7 * DAY + 2, "environment", "purged"),
    ]
    assert [what for _, *what in told(8 * DAY)] == [["project", "purged"]]
    assert content(virtual, []) == []


def _seconds(text: str) -> float:
    return from_text(text).timestamp()


def test_lists_filter_by_what_is_at_the_clock_s_moment(virtual: VirtualApi) -> None:
    project_id = virtual.project()
    environment_id = virtual.environment(project_id)
    target = f"/api/v1/environments/projects/{project_id}?status="

    def listed() -> list[str]:
        return [name for name in ("provisioning", "running", "expired") if virtual.get(target + name).body]

    assert listed() == ["provisioning"]
    virtual.live(2)
    assert listed() == ["running"]
    deployment_id = virtual.deploy(environment_id)
    virtual.live(0.5)
    found = virtual.get(f"/api/v1/deployments/environments/{environment_id}?status=running").body
    assert [item["id"] for item in found] == [deployment_id]
    virtual.store.before_commit = [lambda _: None, lambda _: None, fail]  # moved, not settled
    assert virtual.post(ADVANCE, {"by": "P1D"}).status == 503
    assert virtual.get(f"/api/v1/deployments/environments/{environment_id}?status=running").body == []
    virtual.live(DAY)
    assert listed() == ["expired"]


def test_what_is_created_at_one_moment_is_listed_by_id_page_by_page(virtual: VirtualApi) -> None:
    project_id = virtual.project()
    made = [virtual.environment(project_id) for _ in range(7)]
    listed = [item["id"] for item in virtual.all(f"/api/v1/environments/projects/{project_id}?page_size=3")]
    assert listed == sorted(made, reverse=True)
    assert len(virtual.all("/api/v1/projects?page_size=2")) == 1


def test_the_platform_s_callbacks_answer_and_find_nothing_to_do(virtual: VirtualApi) -> None:
    environment_id = virtual.environment()
    virtual.live(2)
    virtual.clock.advance(365 * DAY)
    with virtual.nothing_changes():
        swept = virtual.post("/api/v1/tasks/sweep", {}, token=SECRET)
        assert swept.body == {"woken": 0, "reached": 0, "complete": True}
    task = {"collection": "environments", "id": environment_id, "due_at": at(DAY)}
    assert virtual.post("/api/v1/tasks/settle", task, token=SECRET)["outcome"] == "early"


def test_the_clock_is_read_with_whatever_else_is_read(virtual: VirtualApi) -> None:
    project_id = virtual.project()
    environment_id = virtual.environment(project_id, PERSISTENT)
    virtual.live(2)
    deployment_id = virtual.deploy(environment_id)
    virtual.live(3)
    lists = f"/api/v1/environments/projects/{project_id}"
    for target, calls in {
        f"/api/v1/projects/{project_id}": ["get 2"],
        f"/api/v1/environments/{environment_id}": ["get 3"],
        f"/api/v1/deployments/{deployment_id}": ["get 4"],
        lists: ["get 2", "find 1"],
        f"{lists}?status=running": ["get 2", "find 1", "find 0"],
        CLOCK: ["get 1"],
    }.items():
        assert virtual.spent(partial(virtual.get, target)) == calls, target
    assert virtual.spent(lambda: virtual.post("/api/v1/projects", {"name": "x"})) == ["get 1", "commit 1"]
    assert virtual.spent(lambda: virtual.post(lists, ENVIRONMENT)) == ["get 2", "commit 1"]
    deploying = f"/api/v1/deployments/environments/{environment_id}"
    assert virtual.spent(lambda: virtual.post(deploying, {"version": "v"})) == ["get 3", "commit 2"]


def test_what_an_advance_costs(virtual: VirtualApi) -> None:
    take, give_back = ["get 1", "commit 1"], ["get 1", "commit 1"]
    look, move = ["find 0"] * 3, ["get 1", "commit 1"]
    assert virtual.spent(lambda: virtual.post(ADVANCE, {"by": "PT1S"})) == [*take, *look, *move, *give_back]
    virtual.environment()
    found, settled, seen = ["find 1", *["find 0"] * 2], ["get 2", "commit 1"], ["get 3"]
    assert virtual.spent(lambda: virtual.post(ADVANCE, {"by": "PT3S"})) == [
        *take,
        *found,
        *move,
        *settled,
        *seen,
        *look,
        *move,
        *give_back,
    ]
