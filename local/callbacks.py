"""Calls of the tasks function over HTTP, as Cloud Tasks and Cloud Scheduler make them."""

import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

DEADLINE_SECONDS = 30.0
"""How long an answer may take."""

Send = Callable[[str, Mapping[str, Any], Mapping[str, str]], int]
"""POST a payload to a path with headers; the answer's status. Raises NoAnswer."""


_STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,9}) *(?:\r|$)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close *(?:\r|$)", re.IGNORECASE)


class NoAnswer(Exception):
    """The call was not answered in time, or could not be made."""


class HttpSender:
    """A `Send` for a server on this machine, with a connection per thread that is kept."""

    def __init__(self, port: int, secret: str, deadline: float = DEADLINE_SECONDS) -> None:
        self._port = port
        self._secret = secret
        self._deadline = deadline
        self._kept: dict[threading.Thread, socket.socket] = {}

    def __call__(self, path: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> int:
        """See `Send`."""
        request = self._request(path, json.dumps(payload).encode(), headers)
        kept = self._kept.get(threading.current_thread())
        if kept is not None:
            try:
                return self._exchange(kept, request)
            except ConnectionError:
                pass  # ended by the server since its last use: nothing is wrong
            except OSError as fault:
                raise NoAnswer(str(fault)) from fault
        try:
            return self._exchange(self._connect(), request)
        except OSError as fault:
            raise NoAnswer(str(fault) or type(fault).__name__) from fault

    def close(self) -> None:
        """End the connections of all threads. Calls that are under way get no answer."""
        while self._kept:
            _, connection = self._kept.popitem()
            connection.close()

    def _request(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"Authorization: Bearer {self._secret}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "User-Agent: Google-Cloud-Tasks",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join((*lines, "", "")).encode() + body

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), self._deadline)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._kept[threading.current_thread()] = connection
        return connection

    def _exchange(self, connection: socket.socket, request: bytes) -> int:
        lasts = False
        try:
            connection.sendall(request)
            status, lasts = _answer(connection)
        finally:
            if not lasts:
                self._kept.pop(threading.current_thread(), None)
                connection.close()
        return status


def _answer(connection: socket.socket) -> tuple[int, bool]:
    """The status of an answer, read to its end, and whether the connection lasts.

    Not by `http.client`: it costs more than the callback that it makes, and the far end is ours, which
    always says how long its answers are. What doesn't is read to its status, and the connection ended.
    """
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    status = _STATUS.match(head)
    if status is None:
        raise ConnectionError("the answer is no HTTP")
    length = _LENGTH.search(head)
    if length is None:
        return int(status[1]), False
    missing = int(length[1]) - len(body)
    while missing > 0:
        missing -= len(_more(connection))
    return int(status[1]), _CLOSE.search(head) is None


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError("the connection ended before the answer")
    return data
