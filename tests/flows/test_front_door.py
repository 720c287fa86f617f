"""The front door alone: what reaches a function, and what comes back."""

import socket
import threading
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

from local.google.upstream import KEPT_SECONDS
from tests.client import Client
from tests.flows.door import Door, request

BIG = b"0123456789abcdef" * 4_000


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/auth/me",
        "/api/v1/auth/%6De/..;/%2F%00?a=%20&&b=+&c",
        "/api/v1/%61uth//",
    ],
)
def test_a_path_arrives_byte_for_byte(door: Door, target: str) -> None:
    assert door.send(request(f"PROPFIND {target} HTTP/1.1")).endswith(b"\r\n\r\nok")
    assert [arrived.line for arrived in door.auth.arrived] == [
        f"PROPFIND {target} HTTP/1.1".encode("latin-1")
    ]


@pytest.mark.parametrize(
    "path",
    ["/", "/health", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/tasks/settle", "/api/v2/auth", "//"],
)
def test_what_is_no_open_functions_goes_to_docs(door: Door, path: str) -> None:
    assert door.get(path).text == "ok"
    assert [arrived.line for arrived in door.docs.arrived] == [f"GET {path} HTTP/1.1".encode()]


def test_headers_arrive_but_for_those_of_the_connection(door: Door) -> None:
    sent = ("Authorization: Bearer x", "X-Request-Id: y", "Accept: text/plain", "X-Twice: 1", "X-Twice: 2")
    dropped = ("TE: trailers", "Keep-Alive: 5", "X-Forwarded-For: 8.8.8.8", "X-Forwarded-Proto: https")
    named = ("Connection: X-Named", "X-Named: z", "SCRIPT_NAME: /api")
    door.send(request("GET /api/v1/auth/me HTTP/1.1", *sent, *dropped, *named))
    assert sorted(door.auth.arrived[0].headers) == [
        ("Accept", "text/plain"),
        ("Authorization", "Bearer x"),
        ("Host", "door"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", "http"),
        ("X-Request-Id", "y"),
        ("X-Twice", "1,2"),
    ]


def test_a_body_arrives_however_it_was_framed(door: Door) -> None:
    line, chunks = (
        "POST /api/v1/auth/register HTTP/1.1",
        b"3\r\nabc\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BIG), BIG),
    )
    door.send(request(line, f"Content-Length: {len(BIG)}", "Content-Type: a/b", body=BIG))
    door.send(request(line, "Transfer-Encoding: chunked", body=chunks))
    door.send(request(line, "Content-Length: 0"))
    one, other, none = door.auth.arrived
    assert (one.body == BIG, other.body == b"abc" + BIG, none.body) == (True, True, b"")
    assert ("Content-Type", "a/b") in one.headers
    assert ("Content-Length", "0") in none.headers
    assert {dict(arrived.headers).get("Transfer-Encoding") for arrived in door.auth.arrived} == {None}


def test_who_expects_to_be_told_to_go_on_is_told(door: Door) -> None:
    head = request("POST /api/v1/auth/x HTTP/1.1", "Content-Length: 2", "Expect: 100-continue")
    with socket.create_connection(("127.0.0.1", door.port), 20) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"hi")
        assert connection.makefile("rb").read().endswith(b"ok")
    assert door.auth.arrived[0].body == b"hi"


def test_an_answer_comes_back_as_it_was_given(door: Door) -> None:
    given = 'HTTP/1.1 422 Odd Words\r\nContent-Length: 3\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nETag: "x"\r\n'
    door.auth.says(f"{given}Keep-Alive: 9\r\nServer: them\r\nDate: then\r\n\r\nabc".encode())
    head, _, body = door.send(request("GET /api/v1/auth/me HTTP/1.1")).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert (lines[0], body) == ("HTTP/1.1 422 Odd Words", b"abc")
    assert [line for line in lines if line.startswith(("Set-Cookie", "ETag", "Content-Length"))] == [
        "Content-Length: 3",
        "Set-Cookie: a",
        "Set-Cookie: b",
        'ETag: "x"',
    ]
    assert len([line for line in lines if line.startswith(("Server:", "Date:"))]) == 2
    assert not [line for line in lines if line.startswith("Keep-Alive")]


@pytest.mark.parametrize(
    ("method", "status", "more"),
    [
        ("HEAD", "200 OK", "Content-Length: 5\r\n"),
        ("DELETE", "204 No Content", ""),
        ("GET", "304 Not Modified", 'ETag: "x"\r\n'),
    ],
)
def test_an_answer_without_a_body_has_none_and_the_connection_lasts(
    door: Door, method: str, status: str, more: str
) -> None:
    door.auth.says(f"HTTP/1.1 {status}\r\n{more}\r\n".encode())
    with closing(Client(door.port)) as client:
        answers = [client.request(method, "/api/v1/auth/me") for _ in range(2)]
    assert [(f"{answer.status}", answer.text) for answer in answers] == [(status[:3], "")] * 2


def test_an_answer_comes_back_piece_by_piece(door: Door) -> None:
    seen = threading.Event()

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        assert seen.wait(10)
        connection.sendall(b"3\r\ntwo\r\n0\r\n\r\n")

    door.auth.answer = answer
    connection = HTTPConnection("127.0.0.1", door.port, timeout=10)
    with closing(connection):
        connection.request("GET", "/api/v1/auth/me")
        with connection.getresponse() as response:
            assert response.read1(10) == b"one"
            seen.set()
            assert response.read() == b"two"


def test_connections_to_a_function_are_kept_but_not_for_long(door: Door) -> None:
    for _ in range(5):
        assert door.get("/api/v1/auth/me").status == 200
    assert len({arrived.connection for arrived in door.auth.arrived}) == 1
    time.sleep(KEPT_SECONDS + 0.1)
    assert door.get("/api/v1/auth/me").status == 200
    assert len({arrived.connection for arrived in door.auth.arrived}) == 2


def test_a_kept_connection_that_the_function_has_ended_is_not_used(door: Door) -> None:
    assert door.get("/api/v1/auth/me").status == 200
    door.auth.connections[door.auth.arrived[0].connection].shutdown(socket.SHUT_RDWR)
    assert door.get("/api/v1/auth/me").status == 200
    assert len({arrived.connection for arrived in door.auth.arrived}) == 2


def test_headers_that_contradict_the_doors_own_go_no_further(door: Door) -> None:
    door.send(request("GET /api/v1/auth/me HTTP/1.1", "X-Forwarded-Ssl: on", "X-Forwarded-Protocol: ssl"))
    names = [name for name, _ in door.auth.arrived[0].headers]
    assert sorted(names) == ["Host", "X-Forwarded-For", "X-Forwarded-Proto"]


@pytest.mark.parametrize(
    ("uri", "target"), [("http://evil.example", "/"), ("http://evil.example/api/v1/x?y", "/api/v1/x?y")]
)
def test_an_absolute_uri_asks_for_its_path_here(door: Door, uri: str, target: str) -> None:
    assert door.send(request(f"GET {uri} HTTP/1.1")).endswith(b"ok")
    assert door.docs.arrived[0].line == f"GET {target} HTTP/1.1".encode()
