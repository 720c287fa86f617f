"""The front door: one base URL for functions that are processes of their own, as a gateway in the cloud.

client ──> a thread: head and body ──> a kept connection ──> the function's process
                                         │                    └── ends without an answer: 502, nobody knows
                                         └── none to be had: 503, try again

A reverse proxy: a request reaches its function once it is here whole, so that a slow client keeps none
of a function's threads, and its answer comes back piece by piece. Of the headers it changes what a proxy
must: those of the connection, the body's framing, and X-Forwarded-*.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any

from local.google.upstream import Connection, Upstream
from local.routing import function_for
from shared.errors import EnvctlError, NoAnswer, Unavailable
from shared.http import problems
from shared.http.parsing import MOST_BODY_BYTES
from shared.request_errors import BodyTooLarge, HeadersTooLarge, MalformedBody

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PIECE = 65_536
_LONGEST_HEADER = 8_190
"""The longest line that a function takes. Here several headers of one name have become one."""
_SAFE = {"GET", "HEAD", "OPTIONS"}
"""Methods that change nothing (RFC 9110, 9.2.1)."""
_OF_THE_CONNECTION = frozenset(
    ("CONNECTION", "KEEP_ALIVE", "PROXY_AUTHENTICATE", "PROXY_AUTHORIZATION", "TE", "TRAILER", "UPGRADE")
)
"""RFC 9110, 7.6.1, as WSGI writes them."""
_OURS = _OF_THE_CONNECTION | {
    *("TRANSFER_ENCODING", "EXPECT", "X_FORWARDED_FOR", "X_FORWARDED_PROTO"),
    *("X_FORWARDED_PROTOCOL", "X_FORWARDED_SSL"),
}
"""Headers that say something else behind this door, or were for us."""
_PLACE = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def application(ports: Mapping[str, int]) -> "WSGIApplication":
    """The front door of functions that listen on these ports of this machine."""
    upstreams = {name: Upstream(port) for name, port in ports.items()}

    def dispatch(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        name = function_for(environ["PATH_INFO"], upstreams)
        try:
            answer = _ask(name, upstreams[name], environ)
        except EnvctlError as fault:
            return _refuse(fault, environ, start_response)
        start_response(answer.status, answer.headers)
        return answer

    return dispatch


class _Answer:
    """A function's answer: its head, then its body, which gunicorn walks through and closes."""

    def __init__(self, connection: Connection, response: HTTPResponse, *, is_sent: bool) -> None:
        self.status = f"{response.status} {response.reason}"
        self.headers = [
            (name, value)
            for name, value in response.getheaders()
            if name.upper().replace("-", "_") not in _OF_THE_CONNECTION | {"TRANSFER_ENCODING"}
        ]
        self._connection = connection
        self._response = response
        self._is_sent = is_sent
        self._is_whole = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            while piece := self._response.read1(_PIECE):
                yield piece
        except HTTPException as fault:
            raise ConnectionError("the answer ended early") from fault
        if self._response.length:
            raise ConnectionError("the answer ended early")
        self._is_whole = True

    def close(self) -> None:
        """Keep the connection if another request may follow on it."""
        lasts = self._is_sent and self._is_whole and not self._response.will_close
        self._response.close()
        self._connection.give_back(lasts=lasts)


def _ask(name: str, upstream: Upstream, environ: "WSGIEnvironment") -> _Answer:
    """The function's answer, its body still to come.

    Raises Unavailable when the function can't be asked, NoAnswer when it may have done what it was asked.
    """
    body = _body(environ)
    head = _head(environ, body)
    try:
        connection = upstream.connect()
    except OSError as fault:
        raise Unavailable(f"{name} function") from fault
    try:
        is_sent = _send(connection, head, body or b"")
        response = HTTPResponse(connection.socket, method=environ["REQUEST_METHOD"])
        response.begin()
    except (OSError, HTTPException) as fault:
        connection.give_back(lasts=False)
        if environ["REQUEST_METHOD"] in _SAFE:
            raise Unavailable(f"{name} function") from fault
        raise NoAnswer(f"{name} function") from fault
    return _Answer(connection, response, is_sent=is_sent)


def _send(connection: Connection, head: bytes, body: bytes) -> bool:
    """Send the request. False when the function would not take all of it: its answer says why."""
    connection.socket.sendall(head)
    try:
        connection.socket.sendall(body)
    except ConnectionError:
        return False
    return True


def _head(environ: "WSGIEnvironment", body: bytes | None) -> bytes:
    """Raises HeadersTooLarge for a line that the function would refuse."""
    headers = [f"{name}: {value}" for name, value in _headers(environ, body)]
    if any(len(line) > _LONGEST_HEADER for line in headers):
        raise HeadersTooLarge(_LONGEST_HEADER)
    lines = [f"{environ['REQUEST_METHOD']} {_target(environ['RAW_URI'])} HTTP/1.1", *headers]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def _target(uri: str) -> str:
    """What is asked for, without the place that an absolute URI names: that is here."""
    return _PLACE.sub("", uri, count=1) or "/"


def _headers(environ: "WSGIEnvironment", body: bytes | None) -> Iterator[tuple[str, str]]:
    named = environ.get("HTTP_CONNECTION", "").upper().replace("-", "_").split(",")
    dropped = _OURS | {name.strip() for name in named} - {"HOST"}
    for key, value in environ.items():
        if key.startswith("HTTP_") and key[5:] not in dropped:
            yield key[5:].replace("_", "-").title(), value
    if "HTTP_HOST" not in environ:
        yield "Host", f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    yield "X-Forwarded-For", environ["REMOTE_ADDR"]
    yield "X-Forwarded-Proto", environ["wsgi.url_scheme"]
    if "CONTENT_TYPE" in environ:
        yield "Content-Type", environ["CONTENT_TYPE"]
    if body is not None:
        yield "Content-Length", str(len(body))


def _body(environ: "WSGIEnvironment") -> bytes | None:
    """The whole body; None where the head speaks of none.

    Raises BodyTooLarge for one that no function takes, MalformedBody for one that is not whole.
    """
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return None
    promised = int(environ["CONTENT_LENGTH"]) if "CONTENT_LENGTH" in environ else 0
    if promised > MOST_BODY_BYTES:
        raise BodyTooLarge(MOST_BODY_BYTES)
    body = b""
    while len(body) <= MOST_BODY_BYTES and (piece := _read(environ, _PIECE)):
        body += piece
    if len(body) > MOST_BODY_BYTES:
        raise BodyTooLarge(MOST_BODY_BYTES)
    if len(body) < promised:
        raise MalformedBody("it ended early")
    return body


def _read(environ: "WSGIEnvironment", size: int) -> bytes:
    read: Callable[[int], Any] = environ["wsgi.input"].read
    try:
        return bytes(read(size))
    except OSError as fault:
        raise MalformedBody("it is not framed as its headers say") from fault


def _refuse(
    fault: EnvctlError, environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """The door's own answer, in the words of the functions."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
    body, kind = problems.body(fault, path, request_id), problems.kind_of(fault)
    own = {"Content-Length": str(len(body)), "X-Request-Id": request_id, "X-Content-Type-Options": "nosniff"}
    start_response(f"{kind.status} {kind.title}", list({**problems.headers(fault), **own}.items()))
    return [body]
