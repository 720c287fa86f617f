"""A client's connection as gunicorn reads and writes it: what is waited for, and what is sent together."""

import time
from socket import socket
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]  # gunicorn has no types
from gunicorn.http.unreader import Unreader  # type: ignore[import-untyped]

REQUEST_SECONDS = 10.0
"""How long a request may keep its thread waiting for its head and body, all waits together; and how
long a new connection may stay silent."""
SEND_SECONDS = 30.0
"""How long a client may take to accept a piece of an answer."""


class ClientSocket(socket):
    """A client's connection, on which the first piece of an answer is sent together with the second.

    They are its head and the beginning of its body, which gunicorn sends apart: each time the
    interpreter may go to another thread, and the client gets two packets.
    """

    _holds = False
    _held = b""

    def hold(self) -> None:
        """Keep the next piece until there is another one, or `flush`."""
        self._holds = True

    def flush(self) -> None:
        """Send what is kept, and keep nothing."""
        self._holds = False
        if self._held:
            self.sendall(b"")

    def sendall(self, data: bytes, flags: int = 0, /) -> None:  # type: ignore[override]  # gunicorn sends bytes
        """See socket."""
        if self._holds:
            self._holds, self._held = False, data
            return
        held, self._held = self._held, b""
        super().sendall(held + data, flags)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:  # noqa: ANN401
        """See socket."""
        self.flush()
        return super().sendfile(file, offset, count)

    def shutdown(self, how: int, /) -> None:
        """See socket."""
        self.flush()
        super().shutdown(how)


class PatientReader(Unreader):  # type: ignore[misc]  # gunicorn has no types
    """Reads from a socket, and has waited for long enough at some point: then raises TimeoutError.

    The socket's timeout is changed only for reads that may wait, for each change may cost a thread
    its turn. Gunicorn would change it too, for the rest of a body that nobody read, but not in a
    reader that shows it no socket; this one's patience ends without.
    """

    def __init__(self, client: socket) -> None:
        super().__init__()
        self._client = client
        self.expect_request()

    def expect_request(self) -> None:
        """The next request has all the time again."""
        self._left = REQUEST_SECONDS
        # A thread serves a request when some of it has come; what is not read yet is in the socket.
        self._is_readable = not self.buf.getvalue()

    @property
    def is_exhausted(self) -> bool:
        """Whether this request has been waited for long enough."""
        return self._left <= 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """What the socket gives next, of what is wanted up to 1 MiB; gunicorn reads with nothing else."""
        size = max(8_192, min(size_hint or 0, 1_048_576))
        if self._is_readable:
            self._is_readable = False
            return self._client.recv(size)
        if self.is_exhausted:
            raise TimeoutError
        began = time.monotonic()
        self._client.settimeout(self._left)
        try:
            return self._client.recv(size)
        finally:
            self._left -= time.monotonic() - began
            self._client.settimeout(SEND_SECONDS)


class BodyReader:
    """A body's reader whose every fault is an OSError, which applications know, and ends the connection."""

    def __init__(self, request: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        self._request = request
        self._reader = request.body.reader

    def read(self, size: int) -> bytes:
        """So many bytes, or fewer at the body's end."""
        try:
            data: bytes = self._reader.read(size)
        except (errors.ParseException, OSError) as fault:
            self._request.force_close()
            if isinstance(fault, OSError):
                raise
            raise OSError(type(fault).__name__) from None  # its text would repeat the body
        return data
