"""How long an environment is to last, as a caller asks for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import Fault, InvalidInput


@dataclass(frozen=True, slots=True)
class Lease:
    """So many hours from now, or until a moment. Counted from creation, the maximum bounds either."""

    field: str
    """What the caller calls it: where a refusal points."""
    wish: float | datetime
    """Hours from now, or the moment at which it ends."""
    maximum_hours: float

    def ends_at(self, created_at: datetime, now: datetime) -> datetime:
        """When it ends if it is taken now. Nothing is clamped.

        Raises InvalidInput when that is not later than now, or beyond the environment's longest lifetime.
        """
        ceiling = created_at + timedelta(hours=self.maximum_hours)
        until = self._until(now)
        if until is None or until > ceiling:
            raise self._refusal(
                f"must not go beyond {_text(ceiling)}: an environment lasts at most "
                f"{self.maximum_hours:g} hours from its creation"
            )
        if until <= now:
            raise self._refusal(f"must go beyond now, {_text(now)}")
        return until

    def _until(self, now: datetime) -> datetime | None:
        """None for more hours than any environment lasts: there may be no such moment."""
        if isinstance(self.wish, datetime):
            return self.wish
        return now + timedelta(hours=self.wish) if self.wish <= self.maximum_hours else None

    def _refusal(self, detail: str) -> InvalidInput:
        return InvalidInput([Fault(f"/{self.field}", detail)])


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
