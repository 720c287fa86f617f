"""Who makes a request: an access token for people and CI, the callback's credential for the platform."""

from flask import Request

from shared import tokens
from shared.access import Caller
from shared.errors import Unauthenticated
from shared.runtime import Runtime

DIRECT = "Authorization"
FORWARDED = "X-Forwarded-Authorization"
"""Where API Gateway hands on what the caller sent in `Authorization`, which carries its own token then."""


def authenticate(request: Request, runtime: Runtime) -> Caller:
    """The caller that the bearer token names. No user is read: the token says it all.

    On Google Cloud the header that the gateway hands on comes first, and if it is there nothing else is
    looked at. Whoever sends it himself gains nothing: what it carries is verified as ever.
    """
    header = FORWARDED if runtime.settings.google and FORWARDED in request.headers else DIRECT
    return Caller(tokens.verify(runtime.keys, _bearer(request, header), runtime.clock()))


def authenticate_callback(request: Request, runtime: Runtime) -> None:
    """Let the platform's own callbacks through, nobody else. They come without a gateway in between."""
    runtime.callbacks.check(_bearer(request, DIRECT))


def _bearer(request: Request, header: str) -> str:
    """The token of `Bearer …` in a header (RFC 6750)."""
    scheme, _, token = request.headers.get(header, "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("The request carries no access token.", presented=False)
    return token.strip()
