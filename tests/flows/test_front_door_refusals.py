"""What the front door refuses itself, and what a client sees of a function that is down."""

import json
import socket
from contextlib import closing
from http.client import IncompleteRead

import pytest

from tests.client import Client
from tests.flows.door import Door, request

BIG = b"0123456789abcdef" * 4_000


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Length: 9", b"{"),
        ("Transfer-Encoding: chunked", b"5\r\nab"),
        ("Transfer-Encoding: chunked", b"z\r\n"),
    ],
)
def test_a_body_that_is_not_whole_is_the_doors_to_refuse(door: Door, headers: str, body: bytes) -> None:
    sent = request("POST /api/v1/auth/register HTTP/1.1", headers, body=body)
    head, _, problem = door.send(sent, then_end=True).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(problem)["type"] == "urn:envctl:problem:malformed_body"
    assert door.auth.arrived == [], "the function never saw a whole one"


def test_a_function_that_is_down_is_503_and_worth_another_try(door: Door) -> None:
    with closing(Client(door.port)) as client:
        answer = client.request("GET", "/api/v1/projects/x%20y", headers={"X-Request-Id": "mine"})
        assert answer.status == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["X-Request-Id"] == answer.body["request_id"] == "mine"
        assert answer.body["type"] == "urn:envctl:problem:unavailable"
        assert answer.body["instance"] == "/api/v1/projects/x y"
        assert client.request("POST", "/api/v1/projects", json={"name": "x"}).status == 503
        assert client.request("GET", "/api/v1/auth/me").status == 200


def test_a_function_that_dies_before_its_answer_is_asked_once(door: Door) -> None:
    door.auth.answer = lambda connection: connection.shutdown(socket.SHUT_RDWR)
    assert door.get("/api/v1/auth/me").status == 503
    assert len(door.auth.arrived) == 1


def test_whether_a_function_that_died_has_changed_something_is_not_known(door: Door) -> None:
    door.auth.answer = lambda connection: connection.shutdown(socket.SHUT_RDWR)
    with closing(Client(door.port)) as client:
        answer = client.request("POST", "/api/v1/auth/register", json={"name": "x"})
    assert (answer.status, answer.body["type"]) == (502, "urn:envctl:problem:no_answer")
    assert "Retry-After" not in answer.headers
    assert len(door.auth.arrived) == 1


def test_a_slow_client_keeps_none_of_a_functions_threads(door: Door) -> None:
    head = request("POST /api/v1/auth/register HTTP/1.1", "Content-Length: 9")
    with socket.create_connection(("127.0.0.1", door.port), 20) as slow:
        slow.sendall(head + b"{")
        assert door.get("/api/v1/auth/me").status == 200
        assert len(door.auth.arrived) == 1
        slow.sendall(b"        ")
        assert slow.makefile("rb").read().endswith(b"ok")
    assert [arrived.body for arrived in door.auth.arrived] == [b"", b"{        "]


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 65537", b""),
        ("Transfer-Encoding: chunked", b"10001\r\n" + b"x" * 65_537 + b"\r\n0\r\n\r\n"),
    ],
)
def test_a_body_that_no_function_takes_is_refused_here(door: Door, framing: str, body: bytes) -> None:
    head, _, problem = door.send(
        request("POST /api/v1/auth/register HTTP/1.1", framing, body=body)
    ).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(problem)["type"] == "urn:envctl:problem:body_too_large"
    assert door.auth.arrived == []


@pytest.mark.parametrize("count", [1, 3])
def test_headers_that_are_too_long_together_are_refused_in_our_words(door: Door, count: int) -> None:
    fits, over = ("x" * (8_183 // count)), ("x" * (8_190 // count))
    path = "GET /api/v1/auth/me HTTP/1.1"
    assert door.send(request(path, *[f"X-A: {fits}"] * count)).endswith(b"ok")
    head, _, problem = door.send(request(path, *[f"X-A:{over}"] * count)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert json.loads(problem)["type"] == "urn:envctl:problem:headers_too_large"


@pytest.mark.parametrize(
    "framing", ["Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
)
def test_an_answer_that_is_cut_off_is_not_made_whole(door: Door, framing: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\n{framing}".encode())
        connection.shutdown(socket.SHUT_RDWR)

    door.auth.answer = answer
    with pytest.raises(IncompleteRead):
        door.get("/api/v1/auth/me")


def test_a_refusal_before_the_end_of_a_body_comes_back(door: Door) -> None:
    door.auth.reads_bodies = False

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    door.auth.answer = answer
    head = door.send(request("POST /api/v1/auth/x HTTP/1.1", "Content-Length: 100", body=b"x" * 100))
    assert head.startswith(b"HTTP/1.1 413 ")
