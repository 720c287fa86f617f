"""Who may call back: the platform itself, shown by a credential. Nothing else about a request proves it."""

import hmac
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from shared.errors import Unauthenticated


class CallbackCheck(Protocol):
    """Decides whether a bearer token is the platform's own."""

    def check(self, token: str) -> None:
        """Return if it is; else raise Unauthenticated. May raise Unavailable when that can't be told."""


@dataclass(frozen=True, slots=True)
class SecretCheck:
    """On one machine: a random secret of this start. Without one every callback is refused."""

    secret: SecretStr | None

    def check(self, token: str) -> None:
        """See CallbackCheck."""
        secret = self.secret
        if secret is None or not hmac.compare_digest(token.encode(), secret.get_secret_value().encode()):
            raise Unauthenticated("Only the platform itself may call this.")
