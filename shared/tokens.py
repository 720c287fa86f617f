"""Access tokens: JWTs by RFC 8725. One algorithm, required claims, a type, keys by our own map."""

from datetime import datetime, timedelta

import jwt

from shared.errors import Unauthenticated
from shared.keys import Keys

ALGORITHM = "HS256"
TYPE = "at+jwt"
ISSUER = "envctl"
AUDIENCE = "envctl-api"
_INVALID = "The access token is not valid."


def issue(keys: Keys, user_id: str, token_id: str, now: datetime, lifetime: timedelta) -> str:
    """An access token for a user, valid from `now` for its lifetime."""
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
    try:
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
                # Both are checked below, against the time that the request was given.
                "verify_exp": False,
                "verify_iat": False,
            },
        )
    except (jwt.PyJWTError, TypeError, ValueError) as fault:
        raise Unauthenticated(_INVALID) from fault
    moment = now.timestamp()
    if type(claims["exp"]) is not int or type(claims["iat"]) is not int:
        raise Unauthenticated(_INVALID)
    if moment >= claims["exp"]:
        raise Unauthenticated("The access token has expired.")
    if claims["iat"] > moment + 60:
        raise Unauthenticated(_INVALID)
    return str(claims["sub"])
