"""A stream's time and place: quiet while nothing happens, over in time, and out of nobody's way."""

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from shared.errors import NotFound, Unavailable
from tests.events import STREAM, Follower
from tests.functions.api import PERSISTENT, Api, api_with
from tests.functions.streams import HEARTBEAT, RETRY, logs, long, opened, text_of

# its time ---------------------------------------------------------------------------------------


def test_it_closes_after_20_seconds_and_says_when_to_come_again(tmp_path: Path) -> None:
    with long(tmp_path) as api:
        deployment_id = api.deploy(api.running())
        text = text_of(api, deployment_id)
        assert sum(api.sleeper.slept) == 20
        assert text.endswith(RETRY)
        follower = Follower()
        follower.read(text)
        assert (follower.heartbeats, follower.retries, follower.end) == (2, [1_000], None)
        while follower.end is None:
            began = api.clock.now
            follower.read(text_of(api, deployment_id, **follower.headers))
            assert (api.clock.now - began).total_seconds() <= 20
        assert follower.entries == api.get(logs(deployment_id))["entries"]
        assert len(follower.retries) == 3, "a minute and a half second in three times 20 s, and the rest"


def test_a_heartbeat_comes_every_15_seconds(tmp_path: Path) -> None:
    with long(tmp_path) as api:
        with opened(api, api.deploy(api.running())) as pieces:
            began = api.clock.now
            first, second = (api.clock.now - began for piece in pieces if piece == HEARTBEAT)
        assert (first.total_seconds(), 15 <= second.total_seconds() < 16) == (0, True)


def test_it_looks_once_a_second_and_when_an_entry_is_due(tmp_path: Path) -> None:
    with long(tmp_path) as api:
        deployment_id = api.deploy(api.running())
        assert api.spent(lambda: api.get(logs(deployment_id), headers=STREAM)) == ["get 3"] * (
            len(api.sleeper.slept) + 1
        )
        moments = {entry["time"] for entry in api.get(logs(deployment_id))["entries"]}
        assert 20 <= len(api.sleeper.slept) <= 20 + len(moments)
        assert all(slept <= 1 for slept in api.sleeper.slept)


# its place --------------------------------------------------------------------------------------


def _is_held(api: Api, deployment_id: str) -> bool:
    """Whether another stream finds a place now."""
    api.sleeper.slept.clear()
    with opened(api, deployment_id) as pieces:
        for piece in pieces:
            if api.sleeper.slept or piece == RETRY:
                break
    return bool(api.sleeper.slept)


def _goes_away(api: Api, deployment_id: str) -> None:
    api.sleeper.slept.clear()
    with opened(api, deployment_id) as pieces:
        while not api.sleeper.slept:
            next(pieces)
        assert not _is_held(api, deployment_id), "the one place is taken"


def _is_cut_before_it_sleeps(api: Api, deployment_id: str) -> None:
    with opened(api, deployment_id) as pieces:
        next(pieces)


def _is_never_read(api: Api, deployment_id: str) -> None:
    with opened(api, deployment_id):
        pass


def _asks_for_the_head_only(api: Api, deployment_id: str) -> None:
    reply = api.call("HEAD", logs(deployment_id), headers=STREAM)
    assert (reply.status, reply.body) == (200, "")


def _runs_out_of_time(api: Api, deployment_id: str) -> None:
    assert text_of(api, deployment_id).endswith(RETRY)


def _meets_a_mistake(api: Api, deployment_id: str) -> None:
    _with_fault(api, deployment_id, LookupError("a mistake"))


def _meets_an_outage(api: Api, deployment_id: str) -> None:
    _with_fault(api, deployment_id, Unavailable("database"))


def _with_fault(api: Api, deployment_id: str, fault: Exception) -> None:
    def fail(*_: object) -> None:
        raise fault

    with pytest.MonkeyPatch.context() as patch:
        api.sleeper.after(3.5, lambda: patch.setattr(api.store, "get_many", fail))
        if isinstance(fault, LookupError):
            with pytest.raises(LookupError):
                text_of(api, deployment_id)
        else:
            assert text_of(api, deployment_id).endswith(RETRY)


@pytest.mark.parametrize(
    "ends",
    [
        _goes_away,
        _is_cut_before_it_sleeps,
        _is_never_read,
        _asks_for_the_head_only,
        _runs_out_of_time,
        _meets_a_mistake,
        _meets_an_outage,
    ],
)
def test_it_gives_its_place_back_in_whatever_way_it_ends(
    tmp_path: Path, ends: Callable[[Api, str], None]
) -> None:
    with long(tmp_path, held_requests=1) as api:
        deployment_id = api.deploy(api.running())
        for _ in range(2):
            ends(api, deployment_id)
            assert _is_held(api, deployment_id)


def test_one_that_ends_gives_its_place_back(tmp_path: Path) -> None:
    with api_with(tmp_path, held_requests=1) as api:
        environment_id = api.running(PERSISTENT)
        for _ in range(3):
            follower = Follower()
            follower.read(text_of(api, api.deploy(environment_id)))
            assert follower.end == {"status": "succeeded"}


@pytest.mark.parametrize("places", [0, 1])
def test_without_a_place_it_tells_what_there_is_and_when_to_come_again(tmp_path: Path, places: int) -> None:
    with long(tmp_path, held_requests=places) as api:
        deployment_id = api.deploy(api.running())
        api.live(10)
        with opened(api, deployment_id) as pieces:
            while places and not api.sleeper.slept:
                next(pieces)
            slept = [*api.sleeper.slept]
            follower = Follower()
            follower.read(text_of(api, deployment_id))
            assert api.sleeper.slept == slept
            assert (follower.retries, follower.end) == ([1_000], None)
            assert follower.entries == api.get(logs(deployment_id))["entries"] != []


def test_a_wait_and_a_stream_share_the_places(tmp_path: Path) -> None:
    with long(tmp_path, held_requests=1) as api:
        environment_id = api.running()
        deployment_id = api.deploy(environment_id)
        path = f"/api/v1/environments/{environment_id}?wait_for=deleted&timeout=5"
        said: list[str] = []
        api.sleeper.after(0.4, lambda: said.append(text_of(api, deployment_id)))
        assert api.get(path).status == 200
        assert said == [f"{HEARTBEAT}{RETRY}"]
        assert _is_held(api, deployment_id)


def test_to_who_has_gone_nothing_is_streamed(tmp_path: Path) -> None:
    with long(tmp_path) as api:
        deployment_id = api.deploy(api.running())
        ours, theirs = socket.socketpair()
        with closing(ours), closing(theirs):
            api.sleeper.after(2.5, theirs.close)
            api.get(logs(deployment_id), headers=STREAM, environ_overrides={"gunicorn.socket": ours})
        assert api.sleeper.slept == [0.5, 1, 1]


# what can go wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Unavailable("database"), NotFound("deployment", "x")])
def test_what_can_not_be_read_meanwhile_ends_it_and_whoever_comes_again_is_told_why(
    api: Api, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    deployment_id = api.deploy(api.running())

    def fail(*_: object) -> None:
        raise fault

    api.sleeper.after(1.5, lambda: monkeypatch.setattr(api.store, "get_many", fail))
    text = text_of(api, deployment_id)
    assert text.endswith(RETRY)
    follower = Follower()
    follower.read(text)
    assert follower.end is None
    reply = api.get(logs(deployment_id), headers=follower.headers)
    assert reply.status == (503 if isinstance(fault, Unavailable) else 404)
    monkeypatch.undo()
    follower.read(text_of(api, deployment_id, **follower.headers))
    assert follower.entries == api.get(logs(deployment_id))["entries"]


def test_a_project_that_ends_meanwhile_ends_it(api: Api) -> None:
    project_id = api.project()
    deployment_id = api.deploy(api.running(PERSISTENT, project_id))
    api.sleeper.after(1.1, lambda: api.delete(f"/api/v1/projects/{project_id}?force=true"))
    assert text_of(api, deployment_id).endswith(RETRY)
    assert api.get(logs(deployment_id), headers=STREAM).status == 404


def test_a_stranger_is_not_streamed_to(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    assert api.get(logs(deployment_id), token=api.join(), headers=STREAM).status == 404
    assert api.get(logs(deployment_id), token=None, headers=STREAM).status == 401
    assert api.sleeper.slept == []
