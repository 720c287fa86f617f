"""How long an environment is to last, as a caller asks for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.simulation import real
from shared.errors import Fault, InvalidInput


@dataclass(frozen=True, slots=True)
class Lease:
    """So many hours from now, or until a moment. Counted from creation, the maximum bounds either."""

    field: str
    """What the caller calls it: where a refusal points."""
    wish: float | datetime
    """Hours from now, or the moment at which it ends."""
    maximum_hours: float
    speed: float = 1
    """How many of the hours that are meant here pass in one by the clock."""

    def ends_at(self, created_at: datetime, now: datetime) -> datetime:
        """When it ends if it is taken now. Nothing is clamped.

        Raises InvalidInput when that is not later than now, or beyond the environment's longest lifetime.
        """
        ceiling = created_at + self._real(self.maximum_hours)
        until = self._until(now)
        if until is None or until > ceiling:
            raise self._refusal(
                f"must not go beyond {_text(ceiling)}: an environment lasts at most "
                f"{self.maximum_hours:g} hours from its creation{self._pace}"
            )
        if until <= now:
            raise self._refusal(f"must go beyond now, {_text(now)}")
        return until

    def _until(self, now: datetime) -> datetime | None:
        """None for more hours than any environment lasts: there may be no such moment."""
        if isinstance(self.wish, datetime):
            return self.wish
        return now + self._real(self.wish) if self.wish <= self.maximum_hours else None

    def _real(self, hours: float) -> timedelta:
        return timedelta(hours=real(hours, self.speed))

    @property
    def _pace(self) -> str:
        """What makes a sentence about hours true where they are not the clock's."""
        return "" if self.speed == 1 else f", at {self.speed:g} times the speed"

    def _refusal(self, detail: str) -> InvalidInput:
        return InvalidInput([Fault(f"/{self.field}", detail)])


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
