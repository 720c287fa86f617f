"""Creates that a client may repeat: the id follows from the caller and the `Idempotency-Key`.

So a repeat finds what the first request made, with the read that any create begins with, and the
document says by its fingerprint whether it was the same request. No record is kept beside the object:
a key holds for as long as the object is there, its tombstone included.
"""

import hashlib
from dataclasses import dataclass

from shared.access import Caller
from shared.errors import KeyReused
from shared.keys import Keys


@dataclass(frozen=True, slots=True)
class Intent:
    """One wish for a new object, however often it is sent."""

    part: str
    """The object's own part of its id (`shared.ids`)."""
    fingerprint: str | None = None
    """What tells a repeat from another request with its key; None without a key."""

    @property
    def is_repeatable(self) -> bool:
        """Whether the object may be there already, made by an earlier request."""
        return self.fingerprint is not None

    def refuse_another(self, fingerprint: str | None) -> None:
        """Raise KeyReused when what is there was made by another request."""
        if fingerprint != self.fingerprint:
            raise KeyReused


def repeatable(keys: Keys, caller: Caller, kind: str, key: str, request: str) -> Intent:
    """The intent of a request, all of it as text, to make an object of a kind with an idempotency key."""
    return Intent(keys.id_part(caller.user_id, kind, key), hashlib.sha256(request.encode()).hexdigest())
