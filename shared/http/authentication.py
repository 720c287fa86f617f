"""Who makes a request: an access token for people and CI, the callback's credential for the platform."""

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
    runtime.callbacks.check(_bearer(request))


def _bearer(request: Request) -> str:
    """The token of `Authorization: Bearer …` (RFC 6750)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("The request carries no access token.", presented=False)
    return token.strip()
