import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from local.callbacks import HttpSender, NoAnswer


class Far(BaseHTTPRequestHandler):
    """The far end of a sender: answers as it is told, over connections that last."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []
    connections: ClassVar[set[Any]] = set()
    closing: ClassVar[bool] = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, dict(self.headers), body))
        self.connections.add(self.client_address)
        if self.path == "/slow":
            self.server.released.wait(10)  # type: ignore[attr-defined]
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = self.closing

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def far() -> Any:  # noqa: ANN401 - a generator of a server
    Far.seen, Far.connections, Far.closing = [], set(), False
    with ThreadingHTTPServer(("127.0.0.1", 0), Far) as server:
        server.daemon_threads = True
        server.released = threading.Event()  # type: ignore[attr-defined]
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server
        server.released.set()  # type: ignore[attr-defined]
        server.shutdown()
        serving.join()


MakeSender = Callable[..., HttpSender]


@pytest.fixture
def make_sender() -> Iterator[MakeSender]:
    with ExitStack() as ends:

        def make(port: int, deadline: float = 30.0) -> HttpSender:
            sender = HttpSender(port, "s3cret", deadline)
            ends.callback(sender.close)
            return sender

        yield make


def test_the_sender_posts_json_with_the_secret_over_one_connection(
    far: ThreadingHTTPServer, make_sender: MakeSender
) -> None:
    send = make_sender(far.server_port)
    assert [send("/a", {"x": 1}, {"X-CloudTasks-TaskName": "7"}) for _ in range(3)] == [202] * 3
    path, said, body = Far.seen[0]
    assert (path, body) == ("/a", b'{"x": 1}')
    assert said["Authorization"] == "Bearer s3cret"
    assert said["Content-Type"] == "application/json"
    assert said["X-CloudTasks-TaskName"] == "7"
    assert len(Far.connections) == 1


def test_a_connection_that_the_server_has_ended_is_no_failure(
    far: ThreadingHTTPServer, make_sender: MakeSender
) -> None:
    Far.closing = True
    send = make_sender(far.server_port)
    assert [send("/a", {}, {}) for _ in range(3)] == [202] * 3
    assert len(Far.seen) == 3


def test_no_answer_within_the_deadline_is_none(far: ThreadingHTTPServer, make_sender: MakeSender) -> None:
    with pytest.raises(NoAnswer):
        make_sender(far.server_port, deadline=0.05)("/slow", {}, {})
    assert len(Far.seen) == 1  # not sent again: the far end may be at work on it


def test_a_server_that_is_not_there_is_no_answer(make_sender: MakeSender) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Far) as server:
        port = server.server_port
    with pytest.raises(NoAnswer):
        make_sender(port)("/a", {}, {})
