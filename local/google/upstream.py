"""Connections to a function's process, kept for as long as they can be trusted."""

import select
import socket
import time
from collections import deque

HOST = "127.0.0.1"
KEPT_SECONDS = 1.0
"""How long a connection may have idled to be used again. Functions end theirs after 2 s: a request that
is on its way at that moment would be lost, and whether it was carried out not known."""
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 30.0
"""How long a function may be silent: a little more than it may run."""


class Connection:
    """One connection, for one request at a time."""

    def __init__(self, home: "Upstream", sock: socket.socket) -> None:
        self.socket = sock
        self._home = home
        self._idle_since = time.monotonic()

    @property
    def is_fresh(self) -> bool:
        """Whether it may be used again: it has not idled for long, and the far end has not ended it."""
        if time.monotonic() - self._idle_since > KEPT_SECONDS:
            return False
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return not poll.poll(0)

    def give_back(self, *, lasts: bool) -> None:
        """The exchange is over; whether another one may follow."""
        if lasts:
            self._idle_since = time.monotonic()
            self._home.keep(self)
        else:
            self.socket.close()


class Upstream:
    """A function's process on a port of this machine. Serves many threads."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kept: deque[Connection] = deque()

    def connect(self) -> Connection:
        """A connection that nobody else has. OSError when there is none to be had."""
        while True:
            try:
                kept = self._kept.pop()
            except IndexError:
                break
            if kept.is_fresh:
                return kept
            kept.give_back(lasts=False)
        sock = socket.create_connection((HOST, self._port), CONNECT_SECONDS)
        sock.settimeout(ANSWER_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Connection(self, sock)

    def keep(self, connection: Connection) -> None:
        """Take a connection back for a later request."""
        self._kept.append(connection)
