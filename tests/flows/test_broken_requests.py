"""What gunicorn refuses before the application sees it, and requests that never arrive whole."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from local.http_server import free_port
from local.worker import Worker
from tests.flows.server import ROOT, Server

PATIENCE = 1.0
SECRET = "s3cr3t-of-somebody"
CONFIGURATION = f"""
from local import clients
from local.gunicorn_conf import *
clients.REQUEST_SECONDS = {PATIENCE}
workers = 2
"""
FAILING = """
def application(environ, start_response):
    if environ["PATH_INFO"] == "/before":
        raise RuntimeError("before")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "9")])
    return fail() if environ["PATH_INFO"] == "/after" else [b"x" * 9]

def fail():
    yield b""
    raise RuntimeError("after")
"""
HEAD = "GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = "POST /api/v1/auth/register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BROKEN = {
    "long line": (414, f"GET /{SECRET * 1000} HTTP/1.1\r\nHost: a\r\n\r\n"),
    "long header": (431, f"{HEAD}X-A: {SECRET * 1000}\r\n\r\n"),
    "many headers": (431, HEAD + f"X-A: {SECRET}\r\n" * 200 + "\r\n"),
    "no colon": (400, f"{HEAD}Authorization Bearer {SECRET}\r\n\r\n"),
    "NUL in header": (400, f"{HEAD}X-A: {SECRET}\0\r\n\r\n"),
    "NUL in path": (400, f"GET /{SECRET}\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    "two hosts": (400, f"{HEAD}Host: {SECRET}\r\n\r\n"),
    "two lengths": (400, f"{POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "signed length": (400, f"{POST}Content-Length: +14\r\n\r\n"),
    "gzip": (400, f"{POST}Transfer-Encoding: gzip\r\n\r\n"),
    "lower-case method": (400, f"get /{SECRET} HTTP/1.1\r\nHost: a\r\n\r\n"),
    "expectation": (417, f"{HEAD}Expect: {SECRET}\r\n\r\n"),
    "chunk size": (400, f"{POST}Transfer-Encoding: chunked\r\n\r\n{SECRET}\r\n"),
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("errors") / "stderr"


@contextmanager
def impatient_server(home: Path, errors: Path, application: str) -> Iterator[Server]:
    """The HTTP server alone, as `local.server` starts it, with little patience."""
    port = free_port()
    configuration = home / "impatient.py"
    configuration.write_text(CONFIGURATION)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENVCTL_")}
    command = [sys.executable, "-m", "gunicorn", "-c", str(configuration), "--bind", f"127.0.0.1:{port}"]
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [*command, application],
            cwd=ROOT,
            env={
                **inherited,
                "ENVCTL_HOME": str(home),
                "PYTHONPATH": os.pathsep.join((str(ROOT), str(home))),
            },
            stdin=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        server = Server(port, home, process)
        server.wait_until_healthy()
        yield server
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, errors: Path) -> Iterator[Server]:
    with impatient_server(tmp_path_factory.mktemp("home"), errors, "local.wsgi:application()") as server:
        yield server


def connect(server: Server, sent: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE + 5)
    connection.sendall(sent.encode("latin-1"))
    return connection


def read_to_end(connection: socket.socket, received: bytes = b"") -> tuple[int, str, str]:
    """Status, head and body of the one answer on a connection that the server closes."""
    while piece := connection.recv(65_536):
        received += piece
    head, _, body = received.decode().partition("\r\n\r\n")
    return int(head.split(" ")[1]), head, body


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_request_is_answered_with_a_problem_that_repeats_nothing(
    impatient: Server, errors: Path, name: str
) -> None:
    expected, sent = BROKEN[name]
    with connect(impatient, sent) as connection:
        status, head, body = read_to_end(connection)
    problem = json.loads(body)
    assert (status, problem["status"]) == (expected, expected), head
    assert "\r\nContent-Type: application/problem+json\r\n" in head
    assert "\r\nConnection: close" in head
    assert f"\r\nX-Request-Id: {problem['request_id']}" in head
    assert set(problem) == {"type", "title", "status", "detail", "instance", "request_id"}
    assert problem["type"].startswith("urn:envctl:problem:")
    logged = errors.read_text()
    assert problem["request_id"] in logged
    assert SECRET not in head + body + logged
    assert "ERROR" not in logged


@pytest.mark.parametrize("sent", ["", f"{HEAD}X-A: {SECRET}", f"{POST}Content-Length: 99\r\n\r\n{{"])
def test_half_sent_requests_keep_nobody_from_being_served(impatient: Server, errors: Path, sent: str) -> None:
    with ExitStack() as stack:
        began = time.monotonic()
        halves = [stack.enter_context(connect(impatient, sent)) for _ in range(140)]
        with connect(impatient, f"{HEAD}Connection: close\r\n\r\n") as connection:
            assert read_to_end(connection)[0] == 200
        # A silent connection takes no thread at all.
        assert time.monotonic() - began < (PATIENCE + 3 if sent else PATIENCE)
        if sent:
            expected = 408 if sent.startswith("GET") else 400
            answers = [read_to_end(half) for half in halves]
            assert {status for status, _, _ in answers} == {expected}
            assert all("\r\nConnection: close" in head for _, head, _ in answers)
        else:
            assert {half.recv(1) for half in halves} == {b""}
    logged = errors.read_text()
    assert SECRET not in logged
    assert "ERROR" not in logged


def test_trickling_bytes_buy_no_more_time(impatient: Server) -> None:
    with connect(impatient, HEAD) as connection:
        began = time.monotonic()
        with pytest.raises(OSError, match=r".*"):  # noqa: PT012 - until the server has closed it
            while time.monotonic() - began < PATIENCE + 5:
                connection.sendall(b"X")
                time.sleep(0.1)
        assert time.monotonic() - began < PATIENCE + 3


def test_kept_and_pipelined_connections_stay(impatient: Server) -> None:
    with connect(impatient, f"{HEAD}\r\n") as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(f"HEAD{HEAD[3:]}\r\n".encode())
        assert connection.recv(65_536).endswith(b"\r\n\r\n")
        time.sleep(PATIENCE + 1.2)  # idle for longer than a request may take
        connection.sendall(f"{HEAD}\r\n{HEAD}\r\n{HEAD}Connection: close\r\n\r\n".encode())
        received = b""
        while piece := connection.recv(65_536):
            received += piece
        assert received.count(b"HTTP/1.1 200") == 3


def test_half_of_a_request_behind_a_whole_one_is_waited_for_no_longer(impatient: Server) -> None:
    with connect(impatient, f"{HEAD}\r\n{HEAD}") as connection:
        began = time.monotonic()
        received = b""
        while piece := connection.recv(65_536):
            received += piece
        assert time.monotonic() - began < PATIENCE + 3
    assert [answer[:3] for answer in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"408"]


def test_the_rest_of_a_body_that_nobody_reads_is_waited_for_no_longer(impatient: Server) -> None:
    with connect(impatient, "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{") as connection:
        began = time.monotonic()
        assert read_to_end(connection)[0] == 404
        assert time.monotonic() - began < PATIENCE + 3


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs", "/nothing", "/api/v1/auth/me"])
def test_an_answer_comes_whole_and_its_head_not_alone(impatient: Server, path: str) -> None:
    lengths = {}
    for method in ("GET", "HEAD"):
        request = f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        with connect(impatient, request) as connection:
            first = connection.recv(65_536)
            _, head, body = read_to_end(connection, first)
        assert first.endswith(b"\r\n\r\n") == (method == "HEAD")
        lengths[method] = int(head.partition("Content-Length: ")[2].partition("\r\n")[0])
        assert len(body.encode()) == (lengths["GET"] if method == "GET" else 0)
    assert lengths["HEAD"] == lengths["GET"] > 0


def test_an_application_that_fails_is_a_500_or_an_answer_cut_short(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    with impatient_server(tmp_path, tmp_path / "stderr", "failing:application") as server:
        with connect(server, "GET /before HTTP/1.1\r\nHost: a\r\n\r\n") as connection:
            status, _, body = read_to_end(connection)
        assert (status, json.loads(body)["type"]) == (500, "urn:envctl:problem:internal_error")
        with connect(server, "GET /after HTTP/1.1\r\nHost: a\r\n\r\n") as connection:
            status, head, body = read_to_end(connection)
        assert (status, body) == (200, "")
        assert "Content-Length: 9" in head  # so the client sees that the body is missing


def test_a_fault_of_ours_is_a_500_whose_stack_stands_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Worker.handle_error(object.__new__(Worker), None, ours, None, RuntimeError("what went wrong"))
        ours.close()
        status, _, body = read_to_end(theirs)
    line = json.loads(capsys.readouterr().err)
    assert (status, json.loads(body)["type"]) == (500, "urn:envctl:problem:internal_error")
    assert "what went wrong" not in body
    assert (line["severity"], line["fault"]) == ("ERROR", "RuntimeError")
    assert line["request_id"] == json.loads(body)["request_id"]
    assert "what went wrong" in "".join(line["stack"])
