"""Access tokens: JWTs by RFC 8725. One algorithm, required claims, a type, keys by our own map.

PyJWT loads the whole of `cryptography` where that is installed, for algorithms that are not used
here. So it is loaded with the first token: some functions never see one.
"""

import base64
from datetime import datetime, timedelta
from functools import lru_cache

from shared.errors import Unauthenticated
from shared.keys import Keys

ALGORITHM = "HS256"
TYPE = "at+jwt"
ISSUER = "envctl"
AUDIENCE = "envctl-api"
MOST_SKEW = 60
"""How many seconds the issuer's clock may be ahead of ours."""

_INVALID = "The access token is not valid."


def issue(keys: Keys, user_id: str, token_id: str, now: datetime, lifetime: timedelta) -> str:
    """An access token for a user, valid from `now` for its lifetime."""
    import jwt  # noqa: PLC0415 - see above

    kid, key = next(iter(keys.signing.items()))
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user_id,
        "jti": token_id,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"typ": TYPE, "kid": kid})


def verify(keys: Keys, token: str, now: datetime) -> str:
    """The user id of a valid access token. Raises Unauthenticated without saying what was wrong with it."""
    user_id, issued_at, expires_at = _claims(keys, token)
    moment = now.timestamp()
    if moment >= expires_at:
        raise Unauthenticated("The access token has expired.")
    if issued_at > moment + MOST_SKEW:
        raise Unauthenticated(_INVALID)
    return user_id


@lru_cache(maxsize=4_096)
def _claims(keys: Keys, token: str) -> tuple[str, int, int]:
    """Who, from when and until when (seconds since 1970), of a token that our key signed.

    That never changes for a token, and checking it costs as much as the rest of a small request: so
    what was found valid is remembered. Time is checked at every request.
    """
    import jwt  # noqa: PLC0415 - see above

    try:
        if not all(map(_is_canonical, token.split("."))):
            raise Unauthenticated(_INVALID)
        header = jwt.get_unverified_header(token)
        key = keys.signing.get(header.get("kid", ""))
        if key is None or header.get("typ") != TYPE or set(header) != {"alg", "typ", "kid"}:
            raise Unauthenticated(_INVALID)
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                "require": ["exp", "iat", "iss", "aud", "sub", "jti"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
    except (jwt.PyJWTError, TypeError, ValueError, RecursionError) as fault:
        raise Unauthenticated(_INVALID) from fault
    if type(claims["exp"]) is not int or type(claims["iat"]) is not int:
        raise Unauthenticated(_INVALID)
    return str(claims["sub"]), claims["iat"], claims["exp"]


def _is_canonical(part: str) -> bool:
    """Whether it is base 64 in the one spelling that a token's parts have (RFC 7515). Raises ValueError.

    PyJWT takes padding too, and any value of the bits that are left over at the end.
    """
    decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return base64.urlsafe_b64encode(decoded).decode().rstrip("=") == part
