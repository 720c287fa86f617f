"""The front door: one base URL for functions that are processes of their own, as a gateway in the cloud.

client ──> a thread ──> a kept connection ──> the function's process
                          └── none to be had: 503, try again

A reverse proxy: what a client sends reaches the function byte for byte, its answer comes back piece by
piece. Of the headers it changes what a proxy must: those of the connection, and X-Forwarded-*.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any

from local.google.upstream import Connection, Upstream
from local.routing import function_for
from shared.errors import EnvctlError, MalformedBody, Unavailable
from shared.http import problems

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PIECE = 65_536
_OF_THE_CONNECTION = frozenset(
    ("CONNECTION", "KEEP_ALIVE", "PROXY_AUTHENTICATE", "PROXY_AUTHORIZATION", "TE", "TRAILER", "UPGRADE")
)
"""RFC 9110, 7.6.1, as WSGI writes them."""
_OURS = _OF_THE_CONNECTION | {"TRANSFER_ENCODING", "EXPECT", "X_FORWARDED_FOR", "X_FORWARDED_PROTO"}
"""Headers that say something else behind this door, or were for us."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def application(ports: Mapping[str, int]) -> "WSGIApplication":
    """The front door of functions that listen on these ports of this machine."""
    upstreams = {name: Upstream(port) for name, port in ports.items()}

    def dispatch(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        name = function_for(environ["PATH_INFO"], upstreams)
        try:
            answer = _ask(upstreams[name], environ)
        except (OSError, HTTPException):
            return _refuse(Unavailable(f"{name} function"), environ, start_response)
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


def _ask(upstream: Upstream, environ: "WSGIEnvironment") -> _Answer:
    """The function's answer, its body still to come. OSError or HTTPException: there is none."""
    connection = upstream.connect()
    try:
        is_sent = _send(connection, environ)
        response = HTTPResponse(connection.socket, method=environ["REQUEST_METHOD"])
        response.begin()
    except BaseException:
        connection.give_back(lasts=False)
        raise
    return _Answer(connection, response, is_sent=is_sent)


def _send(connection: Connection, environ: "WSGIEnvironment") -> bool:
    """Send the request. False when the function would not take all of it: its answer says why."""
    connection.socket.sendall(_head(environ))
    for piece in _body(environ):
        try:
            connection.socket.sendall(piece)
        except ConnectionError:
            return False
    return True


def _head(environ: "WSGIEnvironment") -> bytes:
    lines = [
        f"{environ['REQUEST_METHOD']} {environ['RAW_URI']} HTTP/1.1",
        *(f"{name}: {value}" for name, value in _headers(environ)),
    ]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def _headers(environ: "WSGIEnvironment") -> Iterator[tuple[str, str]]:
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
    if "CONTENT_LENGTH" in environ:
        yield "Content-Length", environ["CONTENT_LENGTH"]
    elif "HTTP_TRANSFER_ENCODING" in environ:
        yield "Transfer-Encoding", "chunked"


def _body(environ: "WSGIEnvironment") -> Iterator[bytes]:
    """The body as it comes in, framed as the head says. MalformedBody when it is not whole."""
    if "CONTENT_LENGTH" in environ:
        missing = int(environ["CONTENT_LENGTH"])
        while missing > 0:
            piece = _read(environ, min(missing, _PIECE))
            if not piece:
                raise MalformedBody("it ended early")
            missing -= len(piece)
            yield piece
    elif "HTTP_TRANSFER_ENCODING" in environ:
        while piece := _read(environ, _PIECE):
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"


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
