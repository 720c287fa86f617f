"""Calls of the tasks function over HTTP, as Cloud Tasks and Cloud Scheduler make them."""

import json
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any

DEADLINE_SECONDS = 30.0
"""How long an answer may take."""

Send = Callable[[str, Mapping[str, Any], Mapping[str, str]], int]
"""POST a payload to a path with headers; the answer's status. Raises NoAnswer."""


class NoAnswer(Exception):
    """The call was not answered in time, or could not be made."""


class HttpSender:
    """A `Send` for a server on this machine, with a connection per thread that is kept."""

    def __init__(self, port: int, secret: str, deadline: float = DEADLINE_SECONDS) -> None:
        self._port = port
        self._secret = secret
        self._deadline = deadline
        self._kept: dict[threading.Thread, HTTPConnection] = {}

    def __call__(self, path: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> int:
        """See `Send`."""
        body = json.dumps(payload).encode()
        sent = {
            "Authorization": f"Bearer {self._secret}",
            "Content-Type": "application/json",
            "User-Agent": "Google-Cloud-Tasks",
            **headers,
        }
        kept = self._kept.get(threading.current_thread())
        if kept is not None:
            try:
                return self._post(kept, path, body, sent)
            except (ConnectionError, HTTPException):
                pass  # ended by the server since its last use: nothing is wrong
            except OSError as fault:
                raise NoAnswer(str(fault)) from fault
        try:
            return self._post(self._connection(), path, body, sent)
        except (OSError, HTTPException) as fault:
            raise NoAnswer(str(fault) or type(fault).__name__) from fault

    def close(self) -> None:
        """End the connections of all threads. Calls that are under way get no answer."""
        while self._kept:
            _, connection = self._kept.popitem()
            connection.close()

    def _connection(self) -> HTTPConnection:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=self._deadline)
        self._kept[threading.current_thread()] = connection
        return connection

    def _post(self, connection: HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
        except BaseException:
            self._kept.pop(threading.current_thread(), None)
            connection.close()
            raise
        return answer.status
