"""The log as a stream: every entry at its time, whole wherever it is cut, whatever others do meanwhile."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.times import from_text
from tests.events import STREAM, Follower, is_gapless
from tests.functions.api import PERSISTENT, Api, api_with
from tests.functions.streams import HEARTBEAT, cancel, logs, opened, text_of

# what it says -----------------------------------------------------------------------------------


def test_it_tells_every_entry_at_its_time_and_then_the_end(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    follower, seen_at = Follower(), list[tuple[str, Any]]()
    with opened(api, deployment_id) as pieces:
        for piece in pieces:
            known = len(follower.entries)
            follower.read(piece)
            seen_at += [(entry["time"], api.clock.now) for entry in follower.entries[known:]]
    log = api.get(logs(deployment_id))
    assert (follower.entries, follower.end) == (log["entries"], {"status": "succeeded"})
    assert (follower.heartbeats, follower.retries) == (1, []), "one at its beginning"
    assert len(seen_at) == 11
    for time, seen in seen_at:
        assert time == f"{seen:%Y-%m-%dT%H:%M:%S.%f}Z"


def test_an_event_is_its_number_and_the_entry_as_json(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    api.live(5)
    reply = api.get(logs(deployment_id), headers=STREAM)
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert reply.headers["Vary"] == "Accept"
    assert "Content-Length" not in reply.headers
    entries = api.get(logs(deployment_id))["entries"]
    events = "".join(f"id: {entry['seq']}\ndata: {_json(entry)}\n\n" for entry in entries)
    assert reply.body == f'{HEARTBEAT}{events}event: end\ndata: {{"status":"succeeded"}}\n\n'
    assert api.sleeper.slept == []


def _json(entry: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(entry, separators=(",", ":"))


def test_a_version_can_not_break_out_of_its_event(api: Api) -> None:
    target = f"/api/v1/deployments/environments/{api.running()}"
    deployment_id = api.post(target, {"version": "v\u2028\u2029data: x"})["id"]
    follower = Follower()
    follower.read(text_of(api, deployment_id))
    assert follower.entries == api.get(logs(deployment_id))["entries"]


@pytest.mark.parametrize(
    ("accept", "is_stream"),
    [
        ("text/event-stream", True),
        ("text/event-stream, */*;q=0.1", True),
        ("text/event-stream; charset=utf-8", True),
        ("text/event-stream;q=0.5, application/json;q=0.4", True),
        ("text/event-stream;q=0, */*", False),
        ("application/json, text/event-stream;q=0.5", False),
        ("*/*", False),
        ("text/*", False),
    ],
)
def test_it_is_for_those_who_prefer_it(api: Api, accept: str, *, is_stream: bool) -> None:
    deployment_id = api.deploy(api.running())
    api.live(5)
    reply = api.get(logs(deployment_id), headers={"Accept": accept})
    assert reply.headers["Content-Type"].startswith("text/event-stream") == is_stream


def test_a_level_holds_for_a_stream_too(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    api.sleeper.after(1.2, lambda: cancel(api, deployment_id))
    follower = Follower()
    follower.read(text_of(api, deployment_id, "?level=warning"))
    assert [entry["level"] for entry in follower.entries] == ["warning"]
    assert follower.entries == api.get(logs(deployment_id))["entries"][-1:]
    assert follower.end == {"status": "canceled"}


# resuming ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("canceled_after", [None, 0.2, 1.1, 2.4])
@pytest.mark.parametrize("pause", [0, 0.6, 10])
@pytest.mark.parametrize("cut_after", range(1, 14))
def test_cut_after_any_piece_and_resumed_it_has_no_gap_and_no_repeat(
    api: Api, cut_after: int, pause: float, canceled_after: float | None
) -> None:
    deployment_id = api.deploy(api.running())
    if canceled_after is not None:
        api.sleeper.after(canceled_after, lambda: cancel(api, deployment_id))
    follower = Follower()
    with opened(api, deployment_id) as pieces:
        for _, piece in zip(range(cut_after), pieces, strict=False):
            follower.read(piece)
    follower.cut()
    if follower.end is None:
        api.sleeper(pause)
        follower.read(text_of(api, deployment_id, **follower.headers))
    assert follower.entries == api.get(logs(deployment_id))["entries"]
    assert is_gapless(follower.entries)
    assert follower.end == {"status": "succeeded" if canceled_after is None else "canceled"}


def test_cut_at_any_byte_and_resumed_it_has_no_gap_and_no_repeat(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    whole = text_of(api, deployment_id)
    entries = api.get(logs(deployment_id))["entries"]

    @cache
    def resumed(last_id: str) -> str:
        return text_of(api, deployment_id, **{"Last-Event-ID": last_id})

    assert len(whole) > 1_000
    for position in range(len(whole)):
        follower = Follower()
        follower.read(whole[:position])
        follower.cut()
        follower.read(resumed(follower.last_id or ""))
        assert follower.entries == entries, position
        assert follower.end == {"status": "succeeded"}


def test_cut_at_every_entry_and_resumed_each_time(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    follower = Follower()
    for _ in range(40):
        known = len(follower.entries)
        with opened(api, deployment_id, **follower.headers) as pieces:
            while len(follower.entries) == known and follower.end is None:
                follower.read(next(pieces))
        if follower.end is not None:
            break
    assert follower.entries == api.get(logs(deployment_id))["entries"]
    assert follower.end == {"status": "succeeded"}


def test_the_last_event_comes_before_the_cursor(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    api.live(5)
    for after, last_id, first in ((3, "7", 8), (7, "3", 4), (3, "", 4), (3, "0", 1)):
        follower = Follower()
        follower.read(text_of(api, deployment_id, f"?after={after}", **{"Last-Event-ID": last_id}))
        assert [entry["seq"] for entry in follower.entries] == list(range(first, 12))


def test_who_has_had_everything_gets_the_end_alone(api: Api) -> None:
    deployment_id = api.deploy(api.running())
    api.live(5)
    for last_id in ("11", "999999999"):
        text = text_of(api, deployment_id, **{"Last-Event-ID": last_id})
        assert text == f'{HEARTBEAT}event: end\ndata: {{"status":"succeeded"}}\n\n'


@pytest.mark.parametrize("last_id", ["x", "-1", "1.5", "1 2", "٣", "1" * 10, "null", "1,2"])
def test_a_last_event_that_can_not_be_is_422_and_named(shared_api: Api, last_id: str) -> None:
    path = logs(shared_api.deploy(shared_api.running()))
    headers = {**STREAM, "Last-Event-ID": last_id.encode().decode("latin-1")}
    reply = shared_api.get(path, headers=headers)
    assert reply.status == 422
    assert [fault["parameter"] for fault in reply["errors"]] == ["Last-Event-ID"]


# what others do meanwhile ------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.001, 0.3, 0.499, 0.5, 0.7, 1.3, 2.9])
def test_somebody_elses_cancel_ends_it_within_a_second_of_the_end(api: Api, after: float) -> None:
    deployment_id = api.deploy(api.running())
    api.sleeper.after(after, lambda: cancel(api, deployment_id))
    follower = Follower()
    follower.read(text_of(api, deployment_id))
    log = api.get(logs(deployment_id))
    assert follower.entries == log["entries"], "no entry that is not in the log"
    assert follower.end == {"status": "canceled"}
    shown = api.get(f"/api/v1/deployments/{deployment_id}")
    late = api.clock.now - from_text(shown["timeline"][-1]["at"])
    assert late.total_seconds() <= 1


def test_an_environment_that_is_deleted_meanwhile_ends_it_as_it_ends_the_deployment(tmp_path: Path) -> None:
    with api_with(tmp_path, deleting_seconds=0.1) as api:
        environment_id = api.running(PERSISTENT)
        deployment_id = api.deploy(environment_id)
        api.sleeper.after(1.4, lambda: api.delete(f"/api/v1/environments/{environment_id}"))
        follower = Follower()
        follower.read(text_of(api, deployment_id))
        assert follower.end == {"status": "failed"}
        assert follower.entries == api.get(logs(deployment_id) + "?show_deleted=true")["entries"]
        assert api.get(logs(deployment_id), headers=STREAM).status == 404
        follower = Follower()
        follower.read(text_of(api, deployment_id, "?show_deleted=true"))
        assert follower.end == {"status": "failed"}
