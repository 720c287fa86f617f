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
        self._kept = threading.local()

    def __call__(self, path: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> int:
        """See `Send`."""
        body = json.dumps(payload).encode()
        sent = {
            "Authorization": f"Bearer {self._secret}",
            "Content-Type": "application/json",
            "User-Agent": "Google-Cloud-Tasks",
            **headers,
        }
        connection: HTTPConnection | None = getattr(self._kept, "connection", None)
        try:
            if connection is not None:
                try:
                    return self._post(connection, path, body, sent)
                except (ConnectionError, HTTPException):
                    connection.close()  # ended by the server since its last use: nothing is wrong
            connection = self._kept.connection = HTTPConnection(
                "127.0.0.1", self._port, timeout=self._deadline
            )
            return self._post(connection, path, body, sent)
        except (OSError, HTTPException) as fault:
            self._kept.connection = None
            raise NoAnswer(str(fault) or type(fault).__name__) from fault

    @staticmethod
    def _post(connection: HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
