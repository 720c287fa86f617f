"""A session's tokens: used once, answered again for 30 s, and a copy ends it all."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.session import GRACE, Lifetime, Session, Use, begin, judge, rotate

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
LIFETIME = Lifetime(idle=14 * DAY, whole=90 * DAY)


def _begun() -> Session:
    return begin("ses-1", "usr-1", 0, "hash 1", None, NOW, LIFETIME)


def test_the_first_token_is_the_next_to_be_used_whenever_that_is() -> None:
    assert judge(_begun(), "hash 1", NOW) is Use.NEXT
    assert judge(_begun(), "hash 1", NOW + 80 * DAY) is Use.NEXT


@pytest.mark.parametrize(
    ("presented", "after", "use"),
    [
        ("hash 3", timedelta(0), Use.NEXT),
        ("hash 3", 2 * GRACE, Use.NEXT),
        ("hash 2", timedelta(0), Use.AGAIN),
        ("hash 2", -DAY, Use.AGAIN),
        ("hash 2", GRACE - TICK, Use.AGAIN),
        ("hash 2", GRACE, Use.COPIED),
        ("hash 1", timedelta(0), Use.COPIED),
        ("never one", timedelta(0), Use.COPIED),
    ],
)
def test_after_two_refreshes(presented: str, after: timedelta, use: Use) -> None:
    once = rotate(_begun(), "hash 2", NOW + DAY, LIFETIME)
    twice = rotate(once, "hash 3", NOW + 2 * DAY, LIFETIME)
    assert judge(twice, presented, NOW + 2 * DAY + after) is use


def test_each_refresh_prolongs_it_up_to_the_whole() -> None:
    session = _begun()
    assert session.expires_at == NOW + 14 * DAY
    for day in range(10, 100, 10):
        session = rotate(session, f"hash {day}", NOW + day * DAY, LIFETIME)
        assert session.expires_at == min(NOW + (day + 14) * DAY, NOW + 90 * DAY)
        assert (session.created_at, session.last_used_at) == (NOW, NOW + day * DAY)
