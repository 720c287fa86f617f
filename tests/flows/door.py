"""A front door with functions behind it that are told what to answer."""

import socket
from contextlib import closing

from tests.client import Answer, Client
from tests.flows.far_end import FarEnd


class Door:
    """A front door with two functions behind it, and one that is down."""

    def __init__(self, port: int, auth: FarEnd, docs: FarEnd) -> None:
        self.port = port
        self.auth = auth
        self.docs = docs

    def send(self, request: bytes, *, then_end: bool = False) -> bytes:
        """What comes back for bytes, on a connection that ends with the answer."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall(request)
            if then_end:
                connection.shutdown(socket.SHUT_WR)
            return connection.makefile("rb").read()

    def get(self, path: str) -> Answer:
        with closing(Client(self.port)) as client:
            return client.request("GET", path)


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join((line, "Host: door", "Connection: close", *headers, "", "")).encode("latin-1") + body
