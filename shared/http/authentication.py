"""Who makes a request: an access token for people and CI, the callback's credential for the platform."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Request

from shared import ids, tokens
from shared.access import Caller
from shared.api_tokens import PREFIX, note_use, presented
from shared.domain.roles import Permission
from shared.errors import EnvctlError, Forbidden, Unauthenticated
from shared.http.routes import Route
from shared.reading import prove
from shared.runtime import Runtime

DIRECT = "Authorization"
FORWARDED = "X-Forwarded-Authorization"
"""Where API Gateway hands on what the caller sent in `Authorization`, which carries its own token then."""


def admit(route: Route, request: Request, runtime: Runtime) -> Caller | None:
    """Who calls a route; None where it takes no token of a user.

    Raises Unauthenticated, or Forbidden for an API token where only a login will do.
    """
    if route.internal:
        runtime.callbacks.check(_bearer(request, DIRECT))  # they come without a gateway in between
    if route.internal or route.public:
        return None
    caller = _authenticate(request, runtime, route.needs or Permission.READ)
    if route.needs is None and caller.credential is not None:
        prove(runtime, caller)
        raise Forbidden("a login", "an API token")
    return caller


@contextmanager
def proving(runtime: Runtime, caller: Caller | None) -> Iterator[None]:
    """Have an API token looked at before anything is answered, a refusal too, and its use noted.

    Authentication comes first, whatever else is wrong: what is refused before anything was read, such as
    malformed input, is refused for that only if the token is good.
    """
    try:
        yield
    except Unauthenticated:
        raise
    except EnvctlError:
        prove(runtime, caller)
        raise
    prove(runtime, caller)
    if caller is not None and caller.credential is not None:
        note_use(runtime, caller.credential)


def _authenticate(request: Request, runtime: Runtime, needs: Permission) -> Caller:
    """The caller that the bearer token names, with what the request needs.

    No user is read: an access token says it all. Of an API token only the form is looked at: the first
    thing that the request reads brings its document (`shared.reading.fetch`).

    On Google Cloud the header that the gateway hands on comes first, and if it is there nothing else is
    looked at. Whoever sends it himself gains nothing: what it carries is verified as ever.
    """
    header = FORWARDED if runtime.settings.google and FORWARDED in request.headers else DIRECT
    token = _bearer(request, header)
    if not token.startswith(PREFIX):
        return Caller(tokens.verify(runtime.keys, token, runtime.clock()), needs)
    credential = presented(token)
    return Caller(ids.user_of(credential.ref.id), needs, credential)


def _bearer(request: Request, header: str) -> str:
    """The token of `Bearer …` in a header (RFC 6750)."""
    scheme, _, token = request.headers.get(header, "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("The request carries no access token.", presented=False)
    return token.strip()
