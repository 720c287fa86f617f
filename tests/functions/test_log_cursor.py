"""Parts of a log over HTTP: parameters, cursors as time goes on, text."""

from typing import Any

import pytest

from tests.functions.api import Api


def _path(api: Api) -> str:
    return f"/api/v1/deployments/{api.deploy(api.running())}/logs"


def test_a_log_without_parameters_is_all_of_it(api: Api) -> None:
    path = _path(api)
    assert api.get(path).body == {"entries": [], "next_after": 0, "complete": False}
    api.live(10)
    log = api.get(path)
    assert (len(log["entries"]), log["next_after"], log["complete"]) == (11, 11, True)


@pytest.mark.parametrize("limit", [1, 2, 5, 11, 1_000])
@pytest.mark.parametrize("seconds", [0.1, 0.7])
def test_who_follows_the_cursor_gets_every_entry_once(api: Api, limit: int, seconds: float) -> None:
    path, after, got, complete = _path(api), 0, list[Any](), False
    while not complete:
        part = api.get(f"{path}?after={after}&limit={limit}")
        assert len(part["entries"]) <= limit
        got += part["entries"]
        assert part["next_after"] == (part["entries"][-1]["seq"] if part["entries"] else after)
        after, complete = part["next_after"], part["complete"]
        api.live(seconds)
    assert got == api.get(path)["entries"]
    assert api.get(f"{path}?after={after}").body == {"entries": [], "next_after": 11, "complete": True}
    assert api.get(f"{path}?after=999999999")["next_after"] == 999_999_999


@pytest.mark.parametrize("canceled_after", [0.2, 0.5, 1.1, 1.7, 2.2])
def test_a_cancel_rewrites_nothing_that_was_shown(api: Api, canceled_after: float) -> None:
    path = _path(api)
    api.live(canceled_after)
    before = api.get(path)
    assert api.post(path.replace("/logs", "/cancel")).status in {200, 202}
    api.live(5)
    rest = api.get(f"{path}?after={before['next_after']}")
    assert rest["complete"]
    assert before["entries"] + rest["entries"] == api.get(path)["entries"]
    assert rest["entries"][-1]["message"] == "Deployment canceled: cancel_requested"


def test_a_level_hides_entries_keeps_their_numbers_and_passes_them(api: Api) -> None:
    path = _path(api)
    api.live(1.7)
    assert api.get(f"{path}?level=warning").body == {
        "entries": [],
        "next_after": api.get(path)["next_after"],
        "complete": False,
    }
    api.post(path.replace("/logs", "/cancel"))
    api.live(5)
    entries = api.get(path)["entries"]
    for level, shown in (("info", entries), ("warning", entries[-1:]), ("error", [])):
        log = api.get(f"{path}?level={level}&limit=100")
        assert log.body == {"entries": shown, "next_after": len(entries), "complete": True}


def test_text_takes_the_same_parameters(api: Api) -> None:
    path, plain = _path(api), {"Accept": "text/plain"}
    api.live(1.7)
    api.post(path.replace("/logs", "/cancel"))
    api.live(5)
    lines = api.get(path, headers=plain).body.splitlines()
    assert len(lines) == api.get(path)["next_after"] > 4
    for query, expected in (
        ("after=2", lines[2:]),
        ("limit=2", lines[:2]),
        ("after=1&limit=2", lines[1:3]),
        ("level=warning", lines[-1:]),
        ("level=error", []),
        ("after=999", []),
    ):
        assert api.get(f"{path}?{query}", headers=plain).body.splitlines() == expected, query


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("after", value) for value in ("-1", "", "x", "1.0", "+1", "1e1", "%D9%A5", "1" * 10, "true")),
        *(("limit", value) for value in ("0", "1001", "-1", "", "x", "5.0")),
        *(("level", value) for value in ("", "debug", "INFO", "info,error")),
        ("nothing", "1"),
        ("after", "1&after=2"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/plain", "text/event-stream"])
def test_a_parameter_that_can_not_be_is_422_and_named(
    shared_api: Api, parameter: str, value: str, accept: str
) -> None:
    path = f"{_path(shared_api)}?{parameter}={value}"
    reply = shared_api.get(path, headers={"Accept": accept})
    assert (reply.status, [fault["parameter"] for fault in reply["errors"]]) == (422, [parameter])
