import random
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.times import from_text, to_text

MOMENTS = [
    datetime(2026, 1, 31, 12, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
]


def any_moment(chance: random.Random) -> datetime:
    zone = timezone(timedelta(minutes=chance.randint(-14 * 60, 14 * 60)))
    moment = datetime(2, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=chance.randrange(9_000 * 365 * 86_400 * 10**6)
    )
    return moment.astimezone(zone)


@pytest.mark.parametrize("moment", [*MOMENTS, *map(any_moment, [random.Random(7)] * 200)], ids=str)
def test_a_moment_is_text_in_utc_and_the_same_moment_again(moment: datetime) -> None:
    text = to_text(moment)
    assert text == moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert from_text(text) == moment


def test_text_sorts_as_time() -> None:
    chance = random.Random(11)
    moments = [any_moment(chance) for _ in range(500)]
    assert sorted(moments) == [from_text(text) for text in sorted(map(to_text, moments))]
