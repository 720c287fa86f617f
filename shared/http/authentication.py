"""Who makes a request: an access token for people and CI, the callback's credential for the platform."""

import hmac

from flask import Request

from shared import tokens
from shared.access import Caller
from shared.errors import Unauthenticated
from shared.runtime import Runtime


def authenticate(request: Request, runtime: Runtime) -> Caller:
    """The caller that the bearer token names. No user is read: the token says it all."""
    return Caller(tokens.verify(runtime.keys, _bearer(request), runtime.clock()))


def authenticate_callback(request: Request, runtime: Runtime) -> None:
    """Let the platform's own callbacks through, nobody else."""
    secret = runtime.settings.callback_secret
    given = _bearer(request).encode()
    if secret is None or not hmac.compare_digest(given, secret.get_secret_value().encode()):
        raise Unauthenticated("Only the platform itself may call this.")


def _bearer(request: Request) -> str:
    """The token of `Authorization: Bearer …` (RFC 6750)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("The request carries no access token.", presented=False)
    return token.strip()
