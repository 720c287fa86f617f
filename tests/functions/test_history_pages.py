"""An environment's whole life page by page: nothing twice, nothing missing, nothing read in vain."""

from dataclasses import replace
from typing import Any

import pytest

from shared import documents
from shared.ports import Update
from tests.functions.api import PERSISTENT, Api
from tests.functions.lives import act, deploy, live_the_story, short, tell, timeline_of


def test_pages_of_every_size_are_the_whole(api: Api) -> None:
    environment_id = live_the_story(api)
    whole = tell(api, environment_id, "&show_deleted=true")
    for size in range(1, len(whole) + 2):
        pages = list(api.walk(f"{timeline_of(environment_id)}?page_size={size}&show_deleted=true"))
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
    made = [deploy(api, environment_id, on_conflict=policy)["number"] for _ in range(count)]
    if policy == "queue":
        api.delete(f"/api/v1/environments/{environment_id}")
    told = api.all(f"{timeline_of(environment_id)}?page_size={size}")
    superseded = [f"{number} superseded" for number in made[:-1]]
    pending = [f"{number} pending" for number in made]
    canceled = [f"{number} canceled" for number in made]
    assert [short(entry) for entry in told] == (
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
    deploy(api, environment_id)
    for _ in range(60):
        api.live(1)
        item = deploy(api, environment_id)
        api.post(f"/api/v1/deployments/{item['id']}/cancel")
    whole = tell(api, environment_id)
    assert [short(entry) for entry in whole][-2:] == ["1 running", "1 succeeded"]
    assert len(whole) == 2 + 3 + 60 * 2
    for size in (1, 2, 5, 13, 60):
        assert api.all(f"{timeline_of(environment_id)}?page_size={size}") == whole


def test_what_happens_meanwhile_disturbs_no_walk(api: Api) -> None:
    """What is new comes where it belongs: after all that was there, and before what is planned."""
    environment_id = api.running()
    expected = []
    for _ in range(3):
        deploy(api, environment_id)
        api.live(5)
    expected = [short(entry) for entry in tell(api, environment_id) if not entry["planned"]]
    seen: list[str] = []
    for number, page in enumerate(api.walk(f"{timeline_of(environment_id)}?page_size=2")):
        seen += [short(entry) for entry in page]
        if number < 3:
            act(api, environment_id, "extend", {"hours": 5 + number})
            deploy(api, environment_id)
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
    assert not [entry for entry in tell(api, environment_id) if entry["number"]]
    assert [entry for entry in tell(api, environment_id) if entry["number"]]


def test_a_token_of_another_list_is_400(api: Api) -> None:
    one, other = api.running(), api.running()
    link = api.get(f"{timeline_of(one)}?page_size=1").headers["Link"]
    token = link.partition("page_token=")[2].partition(">")[0]
    assert api.get(f"{timeline_of(one)}?page_token={token}").status == 200
    assert api.get(f"{timeline_of(one)}?page_token={token}&show_deleted=true").status == 400
    assert api.get(f"{timeline_of(other)}?page_token={token}").status == 400
    assert api.get(f"/api/v1/deployments/environments/{one}?page_token={token}").status == 400


def test_a_page_reads_only_deployments_that_have_something_to_tell_on_it(api: Api) -> None:
    environment_id = api.running(PERSISTENT)
    for _ in range(130):
        api.deploy(environment_id)
        api.live(5)
    target = f"{timeline_of(environment_id)}?page_size=60"
    assert api.spent(lambda: api.get(target)) == ["get 2", "find 50"], "half a page, and 20"
    calls: list[list[str]] = []
    following: str | None = target
    while following:
        api.store.calls.clear()
        link = api.get(following).headers.get("Link")
        calls.append(list(api.store.calls))
        following = link and link[1 : link.index(">")]
    assert calls == [["get 2", "find 50"]] * 5 + [["get 2", "find 31"], ["get 2", "find 11"]]
