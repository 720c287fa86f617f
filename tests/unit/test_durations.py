"""Durations as in ISO 8601."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from functions.simulation.durations import Duration

READ = TypeAdapter[timedelta](Duration).validate_python


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT3S", timedelta(seconds=3)),
        ("PT0.5S", timedelta(seconds=0.5)),
        ("PT0,5S", timedelta(seconds=0.5)),
        ("PT0.000001S", timedelta(microseconds=1)),
        ("PT0.0000010S", timedelta(microseconds=1)),
        ("PT0.0000001M", timedelta(microseconds=6)),
        ("PT90M", timedelta(minutes=90)),
        ("PT1H30M", timedelta(minutes=90)),
        ("PT1.5H", timedelta(minutes=90)),
        ("P1D", timedelta(days=1)),
        ("P0.5D", timedelta(hours=12)),
        ("P2W", timedelta(days=14)),
        ("P1W2DT3H4M5.678901S", timedelta(9, 5, 678901, 0, 4, 3)),
        ("P1DT0.25S", timedelta(days=1, seconds=0.25)),
        ("P007D", timedelta(days=7)),
        ("PT0S", timedelta(0)),
        ("PT999999999999.999999S", timedelta(seconds=999_999_999_999, microseconds=999_999)),
    ],
)
def test_a_duration_is_as_long_as_it_says(text: str, length: timedelta) -> None:
    assert READ(text) == length


NO_DURATION = "must be a duration as in ISO 8601"
NO_FIXED_LENGTH = "must not have years or months"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", NO_DURATION),
        ("P", NO_DURATION),
        ("PT", NO_DURATION),
        ("P1DT", NO_DURATION),
        ("3S", NO_DURATION),
        ("P3S", NO_DURATION),
        ("PT3", NO_DURATION),
        ("PT3D", NO_DURATION),
        ("pt3s", NO_DURATION),
        ("PT3S ", NO_DURATION),
        ("PT3S\n", NO_DURATION),
        ("-PT3S", NO_DURATION),
        ("PT-3S", NO_DURATION),
        ("PT+3S", NO_DURATION),
        ("PT3S4M", NO_DURATION),
        ("PT3S3S", NO_DURATION),
        ("PT1.5H3S", NO_DURATION),
        ("P0.5DT1H", NO_DURATION),
        ("PT.5S", NO_DURATION),
        ("PT5.S", NO_DURATION),
        ("PT1e3S", NO_DURATION),
        ("PT\u0663S", NO_DURATION),
        ("PT1234567890123S", NO_DURATION),
        (3, NO_DURATION),
        (True, NO_DURATION),
        (["PT3S"], NO_DURATION),
        ("P1Y", NO_FIXED_LENGTH),
        ("P1M", NO_FIXED_LENGTH),
        ("P1Y2M3DT4H", NO_FIXED_LENGTH),
        ("PT0.0000001S", "must not be finer than microseconds"),
        ("PT0.00000001M", "must not be finer than microseconds"),
        ("P999999999999W", "is longer than any"),
    ],
)
def test_what_is_no_duration_of_fixed_length_is_refused(value: Any, said: str) -> None:  # noqa: ANN401 - any JSON value
    with pytest.raises(ValidationError, match=said):
        READ(value)
