"""Every function on one port, as one WSGI application."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared import groups
from shared.http.routes import BASE_PATH
from shared.runtime import runtime

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFIX = BASE_PATH + "/"
_ROOT = "docs"
"""The function that answers outside the base path, and for names that no function has."""


def application() -> "WSGIApplication":
    """All functions, ready for their first request: called in a worker, after the fork.

    `/api/v1/NAME/…` goes to the function NAME. A request reaches it exactly as it was sent.
    """
    runtime()
    apps: dict[str, WSGIApplication] = {name: groups.application(name) for name in groups.names()}
    root, start = apps[_ROOT], len(_PREFIX)

    def dispatch(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        app = apps.get(path[start:].partition("/")[0], root) if path.startswith(_PREFIX) else root
        return app(environ, start_response)

    return dispatch
