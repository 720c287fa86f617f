"""A small HTTP client for tests against a running server: standard library only."""

import json as json_
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    """By name, whatever its case."""
    text: str

    @property
    def body(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body as JSON; None when there is none."""
        return json_.loads(self.text) if self.text else None


class Client:
    """One kept connection, for one thread at a time. `token` is sent with every request that names none."""

    def __init__(self, port: int, token: str | None = None, timeout: float = 30) -> None:
        self.token = token
        self._connection = HTTPConnection("127.0.0.1", port, timeout=timeout)

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request with a JSON body, a form, or none. Without an answer: OSError or HTTPException."""
        sent = dict(headers or {})
        bearer = token or self.token
        if bearer is not None:
            sent.setdefault("Authorization", f"Bearer {bearer}")
        body = None
        if json is not None:
            body = json_.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        elif form is not None:
            body = urlencode(form)
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        self._connection.request(method, path, body, sent)
        response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode())

    def log_in(self, email: str = "somebody@example.com", password: str = "secret123") -> None:  # noqa: S107 - no secret
        """Register where there is no such account, log in, and keep the token."""
        self.request("POST", "/api/v1/auth/register", json={"email": email, "password": password})
        answer = self.request("POST", "/api/v1/auth/login", form={"username": email, "password": password})
        assert answer.status == 200, answer
        self.token = answer.body["access_token"]

    def create(self, path: str, **fields: object) -> Any:  # noqa: ANN401 - any JSON object
        """The object that a POST creates."""
        answer = self.request("POST", path, json=fields)
        assert answer.status == 201, answer
        return answer.body

    def close(self) -> None:
        self._connection.close()
