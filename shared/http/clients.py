"""Whether a client is still there while its answer is being made."""

import select
from collections.abc import Callable
from socket import socket

from flask import Request

_GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


def has_gone(request: Request) -> Callable[[], bool]:
    """Tells whether the far end of the request's connection has been closed. May be asked at any time.

    Known where gunicorn serves, as everywhere but in tests; it never looks at what the client sends.
    """
    connection: socket | None = request.environ.get("gunicorn.socket")

    def look() -> bool:
        if connection is None:
            return False
        poll = select.poll()
        poll.register(connection, _GONE)
        return bool(poll.poll(0))

    return look
