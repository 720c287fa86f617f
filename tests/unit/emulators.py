"""Stand-ins for emulators, and what is said of places that have none."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from local.google.firestore_emulator import Lacking, Source


def says(source: Source) -> str:
    """Why a place has none."""
    with pytest.raises(Lacking) as lacks, source():
        pass
    return str(lacks.value)


class _Reads(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path.startswith("/v1/projects/") else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering() -> Iterator[int]:
    """The port of something that answers reads as the emulator does."""
    with HTTPServer(("127.0.0.1", 0), _Reads) as server:
        Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()
