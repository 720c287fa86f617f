"""Durations as in ISO 8601, of fixed length: weeks, days, hours, minutes and seconds."""

import re
from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_UNITS = {
    "weeks": timedelta(weeks=1),
    "days": timedelta(days=1),
    "hours": timedelta(hours=1),
    "minutes": timedelta(minutes=1),
    "seconds": timedelta(seconds=1),
}
_NUMBER = r"\d{1,12}(?:[.,]\d{1,12})?"
_DURATION = re.compile(
    rf"P(?=.)(?:(?P<weeks>{_NUMBER})W)?(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?=.)(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?",
    re.ASCII,
)
_WHOLE, _LAST = r"[0-9]{1,12}", r"[0-9]{1,12}([.,][0-9]{1,6})?"
_DESCRIBED = (
    rf"^P({_LAST}W|({_WHOLE}W)?{_LAST}D"
    rf"|({_WHOLE}W)?({_WHOLE}D)?T({_LAST}H|({_WHOLE}H)?{_LAST}M|({_WHOLE}H)?({_WHOLE}M)?{_LAST}S))$"
)
"""For the document. JSON Schema's format `duration` has years and months, and no fractions."""
_OF_NO_FIXED_LENGTH = re.compile(r"P[^T]*[YM]", re.ASCII)


def _duration(text: Any) -> timedelta:  # noqa: ANN401 - any JSON value
    """The length. Only the last part may have a fraction, and nothing is finer than microseconds."""
    if isinstance(text, str) and _OF_NO_FIXED_LENGTH.match(text):
        raise PydanticCustomError("duration", "must not have years or months, which differ in length")
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    parts = [] if match is None else [(unit, part) for unit, part in match.groupdict().items() if part]
    if not parts or any(re.search("[.,]", part) for _, part in parts[:-1]):
        raise PydanticCustomError("duration", "must be a duration as in ISO 8601, such as P1DT2H or PT0.5S")
    microseconds = sum(_microseconds(part, _UNITS[unit]) for unit, part in parts)
    if microseconds.denominator != 1:
        raise PydanticCustomError("duration", "must not be finer than microseconds")
    try:
        return timedelta(microseconds=microseconds.numerator)
    except OverflowError:
        raise PydanticCustomError("duration", "is longer than any") from None


def _microseconds(number: str, unit: timedelta) -> Fraction:
    return Fraction(number.replace(",", ".")) * (unit // timedelta(microseconds=1))


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": _DESCRIBED, "examples": ["PT3S"]}),
]
"""A length of time that a client sends."""
