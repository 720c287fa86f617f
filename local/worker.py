"""Gunicorn's threaded worker, with our words for what it refuses itself and an end to its patience.

Gunicorn answers what it can't parse as HTML and repeats it, there and in its log: a secret in a broken
header would stand in both. And it waits without end for the rest of a request, in a thread.

new connection ──> poller: nothing sent, no thread
  first byte   ──> thread: head and body, REQUEST_SECONDS of waiting in all, then the answer
  kept alive   ──> the same thread, if more comes at once, else the poller
"""

import json
import select
import selectors
import time
import traceback
import uuid
from concurrent.futures import Future
from contextlib import suppress
from errno import ECONNRESET, ENOTCONN, EPIPE
from functools import partial
from socket import socket
from typing import Any, NamedTuple

from gunicorn import util  # type: ignore[import-untyped]  # gunicorn has no types
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from local import clients
from shared import log

TURN_SECONDS = 0.001
"""How long a worker that has taken a connection leaves the next ones to the others."""
NEXT_MILLISECONDS = 2
"""How long a thread waits for its connection's next request before the poller does."""
LINGER_SECONDS = 1.0
"""How long a connection that ends is read from, so that its last answer is not lost."""
_GONE = {None, EPIPE, ECONNRESET, ENOTCONN}
"""What a socket, or without a number a reader, says of a client that has gone."""


class Refusal(NamedTuple):
    """What gunicorn refuses, in the terms of `shared.http.problems`."""

    status: int
    reason: str
    code: str
    detail: str


_MALFORMED = Refusal(
    400,
    "Bad Request",
    "malformed_request",
    "The request is no valid HTTP: its first line, its headers or its body.",
)
_FAULT = Refusal(500, "Internal Server Error", "internal_error", "Something went wrong on our side.")
_TIMEOUT = Refusal(408, "Request Timeout", "request_timeout", "The request did not arrive whole in time.")
_REFUSALS: dict[type[Exception], Refusal] = {
    TimeoutError: _TIMEOUT,
    errors.LimitRequestLine: Refusal(
        414, "URI Too Long", "uri_too_long", "The request's first line is too long."
    ),
    errors.LimitRequestHeaders: Refusal(
        431,
        "Request Header Fields Too Large",
        "headers_too_large",
        "The request has too many headers, or one that is too long.",
    ),
    errors.ExpectationFailed: Refusal(
        417, "Expectation Failed", "expectation_failed", "The only expectation that is met is 100-continue."
    ),
    errors.UnsupportedTransferCoding: Refusal(
        501,
        "Not Implemented",
        "unsupported_transfer_coding",
        "The only transfer coding that is known is chunked.",
    ),
    errors.ForbiddenProxyRequest: Refusal(403, "Forbidden", "forbidden", "Nobody's proxy is believed here."),
    # The program's mistakes, although two of them are subclasses of clients' mistakes.
    errors.InvalidResponseHeader: _FAULT,
    errors.InvalidResponseHeaderName: _FAULT,
    errors.ConfigurationProblem: _FAULT,
    errors.ParseException: _MALFORMED,
}


class Worker(ThreadWorker):  # type: ignore[misc]
    """What gunicorn_conf names. Neither TLS nor HTTP/2: nothing here turns them on."""

    _accepts_again_at = 0.0

    def accept(self, listener: socket) -> None:
        """Take a connection, and leave the next one to the other workers for a moment.

        Whoever is awake would else take all of several that come at once, and its siblings none.
        """
        before = self.nr_conns
        super().accept(listener)
        if self.cfg.workers > 1 and self.nr_conns > before:
            self._accepts_again_at = time.monotonic() + TURN_SECONDS
            self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's signature
        """Gunicorn turns it on again in every round of its loop; not before our time."""
        if not (enabled and time.monotonic() < self._accepts_again_at):
            super().set_accept_enabled(enabled)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """One round of gunicorn's loop, short while connections are left to others."""
        left = self._accepts_again_at - time.monotonic()
        super().wait_for_and_dispatch_events(min(timeout, left) if left > 0 else timeout)

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401 - gunicorn has no types
        """Give a connection to a thread, but a new one to the poller, until something comes."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock = clients.ClientSocket(fileno=conn.sock.detach())
        conn.timeout = time.monotonic() + clients.REQUEST_SECONDS
        self.pending_conns.append(conn)
        callback = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, callback)

    def handle(self, conn: Any) -> bool:  # noqa: ANN401
        """Serve requests, in a thread. Whether the connection stays open; if not, it is closed here.

        Not in the main loop, where gunicorn does it: that would stand still for as long as it lingers.
        """
        is_open = False
        try:
            is_open = self._serve(conn)
            while is_open and self._goes_on(conn):
                is_open = self._serve(conn)
        finally:
            if not is_open:
                # Who sent too little is not about to send what would be in the last answer's way.
                has_waited = conn.parser is not None and conn.parser.unreader.is_exhausted
                util.close_graceful(conn.sock, timeout=0 if has_waited else LINGER_SECONDS)
        return is_open

    def finish_request(self, conn: Any, fs: "Future[bool]") -> None:  # noqa: ANN401
        """In the main loop: wait for the next request, or forget the connection, which is closed."""
        if fs.cancelled() or fs.exception() is not None or not fs.result():
            self.nr_conns -= 1
            conn.close()
            return
        super().finish_request(conn, fs)

    def _goes_on(self, conn: Any) -> bool:  # noqa: ANN401
        """Whether the client's next request comes at once: then this thread serves it too.

        Through the main loop and to a thread again it costs more than a small request takes. Only
        while there is a thread for every connection: else one that is busy would keep others waiting.
        """
        if not self.alive or self.nr_conns > self.cfg.threads:
            return False
        poll = select.poll()
        poll.register(conn.sock, select.POLLIN)
        return bool(poll.poll(NEXT_MILLISECONDS))

    def _serve(self, conn: Any) -> bool:  # noqa: ANN401
        request = None
        try:
            conn.init()
            if not isinstance(conn.parser.unreader, clients.PatientReader):
                conn.parser.unreader = clients.PatientReader(conn.sock)
            if conn.sock.gettimeout() != clients.SEND_SECONDS:
                conn.sock.settimeout(clients.SEND_SECONDS)
            conn.parser.unreader.expect_request()
            request = next(conn.parser)
            request.body.reader = clients.BodyReader(request)
            conn.sock.hold()
            goes_on = self.handle_request(request, conn)
            conn.sock.flush()
            return bool(self._keepalive_after(conn, goes_on))
        except TimeoutError as fault:
            # Once there is a request there may be an answer, or a part of it.
            if request is None:
                self.handle_error(None, conn.sock, conn.client, fault)
        except StopIteration:
            pass  # the connection is to end
        except OSError as fault:
            if fault.errno not in _GONE:
                stack = traceback.format_exception(fault)
                log.write("ERROR", "unexpected fault", fault=type(fault).__name__, stack=stack)
        except Exception as fault:  # noqa: BLE001 - a thread's last line of defence
            self.handle_error(request, conn.sock, conn.client, fault)
        return False

    def handle_error(self, req: Any, client: socket, addr: Any, exc: Exception) -> None:  # noqa: ANN401
        """Answer what never came to the application, or what it let through. No word is the client's."""
        del req, addr
        refusal = next((_REFUSALS[kind] for kind in type(exc).__mro__ if kind in _REFUSALS), _FAULT)
        request_id, fault = uuid.uuid4().hex, type(exc).__name__
        if refusal is _FAULT:
            stack = traceback.format_exception(exc)
            log.write("ERROR", "unexpected fault", request_id=request_id, fault=fault, stack=stack)
        else:
            log.write("INFO", "request refused", status=refusal.status, request_id=request_id, fault=fault)
        with suppress(OSError):
            client.sendall(_answer(refusal, request_id))


def _answer(refusal: Refusal, request_id: str) -> bytes:
    problem = {
        "type": f"urn:envctl:problem:{refusal.code}",
        "title": refusal.reason,
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": "/",
        "request_id": request_id,
    }
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {refusal.status} {refusal.reason}",
        f"Date: {util.http_date()}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        f"X-Request-Id: {request_id}",
    )
    return "\r\n".join((*head, "", "")).encode() + body
