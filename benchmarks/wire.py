"""Raw HTTP/1.1 over kept connections: as little work per request as Python allows.

The generator shares the machine with the server it measures, so its own work falsifies figures.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple, cast

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"

clock = time.perf_counter


class Exchange(NamedTuple):
    """A request's fate: its answer, or the error that came instead; `sent` and `done` on `clock`."""

    status: int
    """0 when there was no answer."""
    head: bytes
    body: bytes
    error: str
    sent: float
    done: float

    @property
    def outcome(self) -> str:
        """The status, or the error's name."""
        return self.error or str(self.status)

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """The body's value."""
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """A header's value, empty when it is missing."""
        found = re.search(rf"\r\n{name}: *([^\r]*)", self.head.decode("latin-1"), re.IGNORECASE)
        return found[1] if found else ""


Done = Callable[[Exchange], None]


def request(method: str, path: str, token: str = "", body: Any = None, *, form: str = "") -> bytes:  # noqa: ANN401 - any JSON value
    """A request's bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}"]
    content = b""
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if form:
        content = form.encode()
        lines.append("Content-Type: application/x-www-form-urlencoded")
    elif body is not None:
        content = json.dumps(body, separators=(",", ":")).encode()
        lines.append("Content-Type: application/json")
    if content or method == "POST":
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode() + _HEAD_END + content


class Connection(asyncio.Protocol):
    """One kept connection that carries one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._total = 0
        """The whole answer's length, 0 until its head has been read."""
        self._sent = 0.0
        self._done: Done | None = None

    @property
    def usable(self) -> bool:
        """Whether a request can be sent."""
        return self._transport is not None and not self._transport.is_closing() and self._done is None

    def send(self, raw: bytes, done: Done) -> None:
        """Send a request; `done` is called with what became of it."""
        assert self._transport is not None  # noqa: S101 - `opened` has connected it
        self._done = done
        self._sent = clock()
        self._transport.write(raw)

    def close(self) -> None:
        """Give the connection up; a request under way is reported as an error."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._transport = None
        self._finish(Exchange(0, b"", b"", type(exc).__name__ if exc else "closed", self._sent, clock()))

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self._received = received = self._received + data if self._received else data
        if not self._total:
            end = received.find(_HEAD_END)
            if end < 0:
                return
            length = _LENGTH.search(received, 0, end)
            self._total = end + 4 + (int(length[1]) if length else 0)
        if len(received) < self._total:
            return
        done = clock()
        head, _, body = received.partition(_HEAD_END)
        self._received, self._total = b"", 0
        if b"\r\nConnection: close" in head and self._transport is not None:
            self._transport.close()
        self._finish(Exchange(int(head[9:12]), head, body, "", self._sent, done))

    def _finish(self, exchange: Exchange) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(exchange)


async def opened(port: int) -> Connection:
    """A new connection. Raises OSError."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, HOST, port)
    return connection


def wall_clock(moment: float) -> float:
    """A moment on `clock` as seconds since 1970."""
    return moment + _OFFSET


_OFFSET = time.time() - clock()
