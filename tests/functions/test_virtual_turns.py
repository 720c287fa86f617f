"""Turns at the virtual clock: who else comes meanwhile, what goes wrong in the middle, what is too much."""

import itertools
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from functions.simulation import use_cases
from functions.simulation.turns import TURN
from shared import documents
from shared.ports import Write
from shared.times import to_text
from shared.virtual_clock import REF, end_turn
from tests.functions.api import ENVIRONMENT, Api
from tests.functions.doubles import START
from tests.functions.virtual import ADVANCE, VirtualApi, at, content, fail


def test_it_goes_on_where_one_request_was_not_enough(
    virtual: VirtualApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_cases, "MOST_SETTLEMENTS", 4)
    for _ in range(3):
        virtual.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    first = virtual.advanced({"by": "PT3H"})
    assert (first["complete"], first["now"], first["to"]) == (False, at(3_600), at(3 * 3_600))
    assert [event["status"] for event in first["settled"]] == ["running"] * 3 + ["expired"]
    assert virtual.now() == START + timedelta(hours=1)
    following = [virtual.advanced({"to": first["to"]}) for _ in range(3)]
    assert [reply["complete"] for reply in following] == [False, False, True]
    statuses = [event["status"] for reply in following for event in reply["settled"]]
    assert statuses == ["expired"] * 2 + ["deleting"] * 3 + ["deleted"] * 3
    assert following[-1]["now"] == at(3 * 3_600)


def test_one_request_settles_a_thousand_times_at_most(
    virtual: VirtualApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = Mock(return_value=[])
    monkeypatch.setattr(use_cases, "settle_next", settle)
    assert not virtual.advanced({"by": "PT1H"})["complete"]
    assert settle.call_count == 1_000


@pytest.mark.parametrize(("each", "settled"), [(20, 1), (4, 3), (1, 6)])
def test_one_request_begins_nothing_after_ten_seconds(
    virtual: VirtualApi, monkeypatch: pytest.MonkeyPatch, each: float, settled: int
) -> None:
    for _ in range(2):
        virtual.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    seconds = itertools.count(step=each)
    monkeypatch.setattr(use_cases, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    reply = virtual.advanced({"by": "PT2H"})
    assert (len(reply["settled"]), reply["complete"]) == (settled, settled == 6)
    monkeypatch.undo()
    rest = virtual.advanced({"to": reply["to"]})
    assert (len(rest["settled"]), rest["complete"], rest["now"]) == (6 - settled, True, at(7_200))


def _meanwhile(virtual: VirtualApi, act: Callable[[], object], commit: int) -> None:
    """Act just before one of the commits that follow."""
    idle: list[Callable[[Sequence[Write]], None]] = [lambda _: None] * commit

    def hook(_writes: Sequence[Write]) -> None:
        with virtual.elsewhere():
            act()

    virtual.store.before_commit = [*idle, hook]


@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_while_it_is_advanced_nobody_else_advances_it(virtual: VirtualApi, commit: int) -> None:
    virtual.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    refused: list[Any] = []
    _meanwhile(virtual, lambda: refused.append(virtual.post(ADVANCE, {"by": "PT1S"})), commit)
    reply = virtual.advanced({"by": "PT1H"})
    assert [event["status"] for event in reply["settled"]] == ["running", "expired"]
    [other] = refused
    assert (other.status, other["type"]) == (409, "urn:envctl:problem:clock_advancing")
    assert virtual.live(3_600) == ["environment deleting"]


def test_of_two_that_begin_together_one_is_refused(virtual: VirtualApi) -> None:
    _meanwhile(virtual, lambda: virtual.advanced({"by": "PT1S"}), 0)
    assert virtual.post(ADVANCE, {"by": "PT1H"}).status == 409
    assert virtual.now() == START + timedelta(seconds=1)


def test_one_that_stood_still_for_too_long_finds_that_its_turn_is_over(virtual: VirtualApi) -> None:
    environment_id = virtual.environment(None, {**ENVIRONMENT, "ttl_hours": 1})

    def overtake() -> None:
        virtual.clock.now += TURN
        virtual.advanced({"by": "PT2H"})

    _meanwhile(virtual, overtake, 2)  # it has moved the clock to 2 s, and is about to settle
    assert virtual.post(ADVANCE, {"by": "PT1H"}).status == 409
    assert virtual.now() == START + timedelta(hours=2, seconds=2)
    stored = virtual.stored(documents.environment_ref(environment_id)).data
    assert (stored["status"], stored["timeline"][1]["at"]) == ("deleted", at(2))


def test_a_change_meanwhile_is_made_up_at_the_clock_s_moment(virtual: VirtualApi) -> None:
    virtual.environment(None, {**ENVIRONMENT, "ttl_hours": 1})
    project_id = virtual.project()
    made: list[str] = []
    _meanwhile(virtual, lambda: made.append(virtual.environment(project_id)), 3)
    events = virtual.events({"by": "PT1H"})
    assert [event["id"] for event in events].count(made[0]) == 1
    assert virtual.status(made[0]) == "running"


@pytest.mark.parametrize("commit", range(7))
def test_a_failure_at_any_commit_is_made_up_by_the_next_advance(
    virtual: VirtualApi, api: Api, commit: int
) -> None:
    made = {one: _deploying(one) for one in (api, virtual)}
    idle: list[Callable[[Sequence[Write]], None]] = [lambda _: None] * commit
    virtual.store.before_commit = [*idle, fail]
    reply = virtual.post(ADVANCE, {"by": "PT4S"})
    assert reply.status == (200 if commit >= 6 else 503), "at the end only the turn is given back"
    stood_at = virtual.now()
    due = [
        json.loads(body)["due_at"]
        for (body,) in virtual.database.fetch("SELECT body FROM documents")
        if "due_at" in json.loads(body)
    ]
    assert min(text for text in due if text) >= to_text(stood_at), "it is never ahead of what is unsettled"
    virtual.clock.now += TURN
    virtual.advanced({"to": at(6)})
    api.live(4)
    assert content(virtual, made[virtual]) == content(api, made[api])


def _deploying(api: Api) -> Sequence[str]:
    project_id = api.project()
    environment_id = api.running({**ENVIRONMENT, "ttl_hours": 1}, project_id)
    return [project_id, environment_id, api.deploy(environment_id)]


def test_an_advance_that_died_keeps_others_waiting_until_its_turn_is_over_or_the_server_is_started(
    virtual: VirtualApi,
) -> None:
    _die(virtual)
    for seconds in (0, 30 - 1e-6):
        virtual.clock.advance(seconds)
        assert virtual.post(ADVANCE, {"by": "PT1S"}).status == 409
    virtual.clock.advance(1e-6)
    assert virtual.advanced({"by": "PT1S"})["complete"]
    _die(virtual)
    assert virtual.post(ADVANCE, {"by": "PT1S"}).status == 409
    end_turn(virtual.store.inner)
    assert virtual.advanced({"by": "PT1S"})["complete"]


def _die(virtual: VirtualApi) -> None:
    """An advance takes its turn, and that is all."""
    virtual.environment()
    virtual.store.before_commit = [lambda _: None, fail, fail]
    assert virtual.post(ADVANCE, {"by": "PT1H"}).status == 503
    assert virtual.stored(REF).data["turn"] is not None
