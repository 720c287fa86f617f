"""A function's place behind a proxy: it writes down what arrives, and answers what it is told to."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Arrived:
    """One request."""

    connection: int
    """Counts from 0."""
    line: bytes
    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class FarEnd:
    port: int
    answer: Callable[[socket.socket], None] = lambda _: None
    """Answers a request on its connection."""
    arrived: list[Arrived] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)
    reads_bodies: bool = True

    def says(self, answer: bytes) -> None:
        """Answer every request from now on with these bytes."""
        self.answer = lambda connection: connection.sendall(answer)


@contextmanager
def far_end() -> Iterator[FarEnd]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        end = FarEnd(listener.getsockname()[1])
        end.says(OK)
        accepting = threading.Thread(target=_accept, args=(end, listener))
        accepting.start()
        try:
            yield end
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for connection in end.connections:
                connection.close()


def _accept(end: FarEnd, listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        end.connections.append(connection)
        number = len(end.connections) - 1
        threading.Thread(target=_serve, args=(end, connection, number), daemon=True).start()


def _serve(end: FarEnd, connection: socket.socket, number: int) -> None:
    with suppress(OSError, ValueError), connection.makefile("rb") as reader:
        while line := reader.readline():
            headers = list(_headers(reader))
            body = _body(reader, dict(headers)) if end.reads_bodies else b""
            end.arrived.append(Arrived(number, line.rstrip(b"\r\n"), headers, body))
            end.answer(connection)


def _headers(reader: IO[bytes]) -> Iterator[tuple[str, str]]:
    while (line := reader.readline()) not in {b"\r\n", b""}:
        name, _, value = line.decode("latin-1").rstrip("\r\n").partition(": ")
        yield name, value


def _body(reader: IO[bytes], headers: dict[str, str]) -> bytes:
    """Raises ValueError for one that is not whole."""
    if "Transfer-Encoding" not in headers:
        length = int(headers.get("Content-Length", 0))
        return _exactly(reader, length)
    body = b""
    while size := int(reader.readline(), 16):
        body += _exactly(reader, size)
        reader.readline()
    reader.readline()
    return body


def _exactly(reader: IO[bytes], size: int) -> bytes:
    data = reader.read(size)
    if len(data) < size:
        raise ValueError
    return data
