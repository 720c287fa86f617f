"""Who calls back on Google Cloud: a service account, shown by an OIDC token that Google has signed.

PyJWT verifies it, as it does the access tokens, not google-auth: that one asks a clock of its own, takes a
token without a key id for any key's, and fetches the certificates anew each time.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shared.adapters.certificates import Certificates
from shared.clock import Clock, SystemClock
from shared.errors import Unauthenticated

ALGORITHM = "RS256"
ISSUERS = ("accounts.google.com", "https://accounts.google.com")
REQUIRED = ["aud", "email", "email_verified", "exp", "iat", "iss"]
LEEWAY = timedelta(seconds=10)
"""How much Google's clock and this machine's may differ."""
MOST_CHARACTERS = 4_096
"""A token has about a thousand."""


class OidcCheck:
    """`shared.callbacks.CallbackCheck` for tokens made for one audience, as one of some service accounts.

    Nothing else about a request is looked at: anybody can send headers named X-CloudTasks. Constructing
    it loads and touches nothing.
    """

    def __init__(
        self, audience: str, accounts: frozenset[str], certificates_url: str, clock: Clock | None = None
    ) -> None:
        self._audience = audience
        self._accounts = accounts
        self._clock = clock or SystemClock()
        self._certificates = Certificates(certificates_url, self._clock)

    def check(self, token: str) -> None:
        """See CallbackCheck."""
        import jwt  # noqa: PLC0415 - loaded at the first use

        try:
            claims = self._claims(token) if len(token) <= MOST_CHARACTERS else {}
        except (jwt.PyJWTError, TypeError, ValueError, RecursionError) as fault:
            raise _refused() from fault
        # Exactly: `in` would take a list of addresses for none of them, `==` would take 1 for true.
        is_account = isinstance(claims.get("email"), str) and claims["email"] in self._accounts
        if not (is_account and claims["email_verified"] is True and self._is_now(claims)):
            raise _refused()

    def _claims(self, token: str) -> Mapping[str, Any]:
        """What a token for this audience says that Google signed. Times are another's to look at."""
        import jwt  # noqa: PLC0415 - likewise

        header = jwt.get_unverified_header(token)
        # Before its key is looked for: what can't be a token of Google's has nothing fetched for it.
        if header.get("alg") != ALGORITHM or not isinstance(header.get("kid"), str):
            return {}
        key = self._certificates.key(header["kid"])
        if key is None:
            return {}
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=self._audience,
            issuer=ISSUERS,
            options={
                "require": REQUIRED,
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return claims

    def _is_now(self, claims: Mapping[str, Any]) -> bool:
        times = claims["iat"], claims.get("nbf", claims["iat"]), claims["exp"]
        if {type(time) for time in times} != {int}:
            return False
        moment, leeway = self._clock().timestamp(), LEEWAY.total_seconds()
        return bool(max(times[:2]) - leeway <= moment < times[2] + leeway)


def _refused() -> Unauthenticated:
    return Unauthenticated("Only the platform itself may call this.")
