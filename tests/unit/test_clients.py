"""What a client receives of an answer that is sent in pieces, and when; how long it is waited for."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import clients
from local.clients import ClientSocket, PatientReader


@pytest.fixture
def pair() -> Iterator[tuple[ClientSocket, socket.socket]]:
    """The server's end, and the client's, which never waits."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ClientSocket(fileno=ours.detach()) as server, theirs as client:
        yield server, client


def received(client: socket.socket) -> bytes:
    """What has come so far."""
    try:
        return client.recv(65_536)
    except BlockingIOError:
        return b""


def test_the_first_piece_goes_with_the_second_and_later_ones_at_once(
    pair: tuple[ClientSocket, socket.socket],
) -> None:
    server, client = pair
    for _ in range(2):  # a connection has many answers
        server.hold()
        seen = []
        for piece in (b"head ", b"one ", b"two ", b"three"):
            server.sendall(piece)
            seen.append(received(client))
        server.flush()
        assert seen == [b"", b"head one ", b"two ", b"three"]
        assert received(client) == b""


def test_what_is_not_held_goes_at_once(pair: tuple[ClientSocket, socket.socket]) -> None:
    server, client = pair
    server.sendall(b"refused")
    assert received(client) == b"refused"
    server.hold()
    server.flush()
    server.sendall(b"failed")
    assert received(client) == b"failed"


def test_an_answer_of_one_piece_goes_at_its_end(pair: tuple[ClientSocket, socket.socket]) -> None:
    server, client = pair
    server.hold()
    server.sendall(b"head")
    assert received(client) == b""
    server.flush()
    assert received(client) == b"head"
    server.flush()
    assert received(client) == b""


def test_a_file_follows_its_head(pair: tuple[ClientSocket, socket.socket], tmp_path: Path) -> None:
    server, client = pair
    (tmp_path / "file").write_bytes(b"0123456789")
    server.hold()
    server.sendall(b"head ")
    with (tmp_path / "file").open("rb") as file:
        assert server.sendfile(file, offset=2, count=3) == 3
    assert received(client) == b"head 234"


def test_a_connection_that_ends_sends_what_it_holds(pair: tuple[ClientSocket, socket.socket]) -> None:
    server, client = pair
    server.hold()
    server.sendall(b"head")
    server.shutdown(socket.SHUT_WR)
    assert received(client) == b"head"
    assert received(client) == b""


def test_who_has_been_waited_for_long_enough_is_read_from_no_more(
    pair: tuple[ClientSocket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = pair
    monkeypatch.setattr(clients, "REQUEST_SECONDS", 0.0)
    reader = PatientReader(server)
    for _ in range(2):  # each request may take so long
        client.sendall(b"at hand")
        assert reader.chunk() == b"at hand"
        client.sendall(b"late")
        with pytest.raises(TimeoutError):
            reader.chunk()
        assert reader.is_exhausted
        assert server.recv(99) == b"late"
        reader.expect_request()
