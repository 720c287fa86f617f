"""Every function on one port, as one WSGI application."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from local.routing import function_for
from shared import groups
from shared.loading import uncollected
from shared.runtime import runtime

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def application() -> "WSGIApplication":
    """All functions, ready for their first request: called in a worker, after the fork.

    A request reaches its function exactly as it was sent.
    """
    with uncollected():
        runtime()
        apps: dict[str, WSGIApplication] = {name: groups.application(name) for name in groups.names()}

    def dispatch(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return apps[function_for(environ["PATH_INFO"], apps)](environ, start_response)

    return dispatch
