"""A log in parts: by cursor, by level, as time goes on. Parts put together are the log."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from shared.domain.deployment import Deployment
from shared.domain.logs import Entry, Level, entries, is_complete, next_at, page
from shared.domain.timeline import Outcome, Step, Work
from tests.unit.test_logs import LATER, START, TICK, deployment, moment, never_started

DEPLOYMENTS = {
    "succeeded": deployment(Work(10)),
    "failed": deployment(Work(10, Outcome.FAIL, "configure")),
    "canceled": deployment(
        Work(10),
        Step(moment(4), "canceling", "cancel_requested"),
        Step(moment(5), "canceled", "cancel_requested"),
    ),
    "ended with its environment": deployment(Work(10), Step(moment(5), "failed", "environment_expired")),
    "superseded": never_started(Step(moment(5), "superseded", "newer_deployment")),
}
EVERY = pytest.mark.parametrize("item", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
SEVERE = {
    Level.INFO: {"info", "warning", "error"},
    Level.WARNING: {"warning", "error"},
    Level.ERROR: {"error"},
}


@EVERY
@pytest.mark.parametrize("least", Level)
@pytest.mark.parametrize("limit", [1, 2, 3, 1_000, None])
def test_pages_put_together_are_the_log_with_its_own_numbers(
    item: Deployment, least: Level, limit: int | None
) -> None:
    shown: list[Entry] = []
    after, is_last = 0, False
    while not is_last:
        part = page(item, LATER, after, least, limit)
        assert len(part.entries) <= (limit or 1_000)
        assert part.next_after > after
        shown += part.entries
        after, is_last = part.next_after, part.is_last
    assert shown == [entry for entry in entries(item, LATER) if entry.level in SEVERE[least]]
    assert after == len(entries(item, LATER)), "what is not shown is passed too"


@EVERY
@pytest.mark.parametrize("least", Level)
def test_beyond_the_end_the_cursor_stays_and_nothing_follows(item: Deployment, least: Level) -> None:
    for after in (len(entries(item, LATER)), 999_999_999):
        part = page(item, LATER, after, least)
        assert (list(part.entries), part.next_after, part.is_last) == ([], after, True)


@EVERY
def test_while_more_may_come_no_page_is_the_last_one(item: Deployment) -> None:
    before_the_end = item.ends_at - TICK
    known = len(entries(item, before_the_end))
    for after in range(known + 1):
        for limit in (1, None):
            assert not page(item, before_the_end, after, limit=limit).is_last
    nothing_new = page(item, before_the_end, known)
    assert (list(nothing_new.entries), nothing_new.next_after) == ([], known)


@EVERY
def test_a_page_that_ends_early_is_not_the_last_one_although_the_log_is_complete(item: Deployment) -> None:
    everything = entries(item, LATER)
    for after in range(len(everything)):
        assert page(item, LATER, after, limit=1).is_last == (after == len(everything) - 1)


@EVERY
@pytest.mark.parametrize("least", Level)
@pytest.mark.parametrize("ticks", [1, 7, 40])
def test_who_follows_the_cursor_as_time_goes_on_gets_the_log(
    item: Deployment, least: Level, ticks: int
) -> None:
    shown: list[Entry] = []
    after, now, is_last = 0, START, False
    while not is_last:
        part = page(item, now, after, least, 3)
        shown += part.entries
        after, is_last = part.next_after, part.is_last
        now += timedelta(seconds=0.05 * ticks)
    assert shown == [entry for entry in entries(item, LATER) if entry.level in SEVERE[least]]


@pytest.mark.parametrize("canceled_at", [0.3 * step for step in range(34)])
def test_a_cancel_rewrites_nothing_that_a_cursor_has_passed(canceled_at: float) -> None:
    item, at = deployment(Work(10)), moment(canceled_at)
    ends = (
        Step(at, "canceling", "cancel_requested"),
        Step(at + timedelta(seconds=1), "canceled", "cancel_requested"),
    )
    cut = replace(item, timeline=(*item.timeline[:-1], *ends))
    shown = page(item, at, limit=1_000)
    rest = page(cut, LATER, shown.next_after)
    assert [*shown.entries, *rest.entries] == entries(cut, LATER)
    assert rest.is_last


@EVERY
def test_the_next_line_is_due_at_its_time(item: Deployment) -> None:
    times = sorted({START - TICK, *(entry.time for entry in entries(item, LATER))})
    for before, following in pairwise(times):
        assert next_at(item, before) == following
        assert next_at(item, following - TICK) == following
    assert next_at(item, times[-1]) is None
    assert is_complete(item, times[-1])
