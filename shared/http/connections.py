"""Whether a request's connection lasts while its answer is being made."""

import select
import signal
from collections.abc import Callable
from socket import socket

from flask import Request

_GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


def is_ending(request: Request) -> Callable[[], bool]:
    """Tells whether the client has closed the connection, or the server is to end. May be asked at any time.

    Known where gunicorn serves, as everywhere but in tests; what the client sends is not looked at.
    """
    connection: socket | None = request.environ.get("gunicorn.socket")

    def look() -> bool:
        return connection is not None and (_has_gone(connection) or _is_server_ending())

    return look


def _has_gone(connection: socket) -> bool:
    poll = select.poll()
    poll.register(connection, _GONE)
    return bool(poll.poll(0))


def _is_server_ending() -> bool:
    """Whether gunicorn's worker has been told to end. It would wait for the request, longer than it may take.

    Only the worker knows, and only as what handles SIGTERM can a request's thread come by it.
    """
    worker = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return not getattr(worker, "alive", True)
