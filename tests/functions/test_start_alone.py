"""Each function started as the cloud starts it, and spoken to over a socket."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared import groups

ROOT = Path(__file__).parents[2]
OWN = {
    "auth": ("POST", "/api/v1/auth/register", {"email": "a@example.com", "password": "secret123"}, 201),
    "projects": ("GET", "/api/v1/projects/", None, 401),
    "environments": ("GET", "/api/v1/environments/x", None, 401),
    "deployments": ("POST", "/api/v1/deployments/environments/x", {}, 401),
    "tasks": ("POST", "/api/v1/tasks/sweep", {}, 200),
    "docs": ("GET", "/docs", None, 200),
}
SECRET = "s" * 40


def _command(name: str, port: int) -> list[str]:
    program = [sys.executable, "-m", "functions_framework", "--source", "main.py", "--host", "127.0.0.1"]
    return [*program, "--target", name, "--port", str(port)]


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "ENVCTL_HOME": str(home), "ENVCTL_CALLBACK_SECRET": SECRET}


@dataclass
class Started:
    process: "subprocess.Popen[bytes]"
    port: int

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str, bytes]:  # noqa: ANN401 - any JSON value
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - likewise
                return response.status, response.headers["X-Request-Id"], response.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers["X-Request-Id"], refused.read()


def _is_up(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Started]]:
    """All of them, each a process of its own over one data folder, started at once."""
    environment = _environment(tmp_path_factory.mktemp("alone") / "home")
    started = {}
    for name in groups.names():
        port = _free_port()
        process = subprocess.Popen(
            _command(name, port),
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started[name] = Started(process, port)
    try:
        give_up_at = time.monotonic() + 40
        while not all(_is_up(one.port) for one in started.values()):
            assert time.monotonic() < give_up_at, "a function does not listen"
            assert all(one.process.poll() is None for one in started.values()), "a function has ended"
            with suppress(subprocess.TimeoutExpired):
                next(iter(started.values())).process.wait(0.05)
        yield started
    finally:
        for one in started.values():
            one.process.terminate()
        for one in started.values():
            one.process.wait(20)


def test_every_function_has_a_route_to_ask_for() -> None:
    assert sorted(OWN) == groups.names()


def test_all_are_healthy_at_their_first_request(functions: dict[str, Started]) -> None:
    """At once: six processes make one database and one pair of keys together."""
    with ThreadPoolExecutor(len(functions)) as pool:
        answers = list(pool.map(lambda one: one.ask("GET", "/health"), functions.values()))
    assert [(status, json.loads(body)) for status, _, body in answers] == [(200, {"status": "ok"})] * len(
        answers
    )


@pytest.mark.parametrize("name", OWN)
def test_it_serves_its_own_routes_and_no_others(functions: dict[str, Started], name: str) -> None:
    method, path, body, expected = OWN[name]
    status, request_id, content = functions[name].ask(method, path, body)
    assert (status, bool(request_id)) == (expected, True), content
    for method_, other in (("GET", "/nothing"), *((OWN[one][0], OWN[one][1]) for one in OWN if one != name)):
        status, request_id, content = functions[name].ask(method_, other, {} if method_ == "POST" else None)
        problem = json.loads(content)
        assert (status, problem["type"]) in {
            (404, "urn:envctl:problem:unknown_path"),
            (405, "urn:envctl:problem:method_not_allowed"),
        }
        assert problem["request_id"] == request_id


def test_a_body_without_a_length_is_taken_and_one_that_is_too_long_refused(
    functions: dict[str, Started],
) -> None:
    def chunked(content: bytes) -> bytes:
        head = b"POST /api/v1/tasks/sweep HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        head += (
            b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\nAuthorization: Bearer "
            + SECRET.encode()
            + b"\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", functions["tasks"].port), 20) as connection:
            connection.sendall(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content))
            return connection.makefile("rb").read()

    assert b'"woken":' in chunked(b"{}" + b" " * 65_534)
    assert b'"malformed"' in chunked(b"{}" + b" " * 65_535)


def test_an_unknown_target_fails_with_a_clear_message(tmp_path: Path) -> None:
    run = subprocess.run(
        _command("nothing", _free_port()),
        cwd=ROOT,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode != 0
    assert "nothing" in run.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
