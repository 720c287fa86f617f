"""Each function started as the cloud starts it, and spoken to over a socket."""

import json
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared import groups
from tests.functions.started import (
    ON_GOOGLE,
    OWN,
    ROOT,
    SECRET,
    Started,
    command,
    environment,
    free_port,
    started,
)


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Started]]:
    """All of them over one data folder."""
    with started(groups.names(), environment(tmp_path_factory.mktemp("alone") / "home")) as running:
        yield running


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


def _refused(name: str, variables: dict[str, str]) -> list[str]:
    """The lines on stderr of a function that ends instead of listening."""
    run = subprocess.run(
        command(name, free_port()),
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode != 0
    return run.stderr.splitlines()


def test_an_unknown_target_fails_with_a_clear_message(tmp_path: Path) -> None:
    assert "nothing" in _refused("nothing", environment(tmp_path))[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", groups.names())
@pytest.mark.parametrize(
    ("bad", "variables"),
    [
        ("ENVCTL_DATABASE", {"ENVCTL_PROJECT": "acme-platform"}),
        ("ENVCTL_RUNNING_SECONDS", {"ENVCTL_RUNNING_SECONDS": "soon"}),
        ("ENVCTL_PROJECT", {"K_SERVICE": "a-function-in-the-cloud"}),
    ],
)
def test_a_bad_deploy_dies_with_the_variables_name_instead_of_listening(
    tmp_path: Path, name: str, bad: str, variables: dict[str, str]
) -> None:
    lines = _refused(name, environment(tmp_path, **variables))
    assert len(lines) == 1, "a sentence, no stack trace"
    assert lines[0].startswith(f"envctl: {bad}: ")
    assert list(tmp_path.iterdir()) == []


KEYS = {f"ENVCTL_{name.upper()}_KEY" for name in ("signing", "identity")}


def _with_keys(home: Path, keys: set[str]) -> dict[str, str]:
    """The variables of a function on Google's parts that has these keys and no others."""
    parts = {name: value for name, value in ON_GOOGLE.items() if name not in KEYS - keys}
    return environment(home, **parts, K_SERVICE="a-function-in-the-cloud")


def _needed(name: str) -> set[str]:
    return {f"ENVCTL_{key.upper()}_KEY" for key in groups.load(name).keys}


@pytest.mark.parametrize("name", groups.names())
def test_it_starts_with_the_keys_that_it_needs_alone(tmp_path: Path, name: str) -> None:
    with started([name], _with_keys(tmp_path, _needed(name))) as running:
        status, _, _ = running[name].ask("GET", "/nothing")
    assert status == 404


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name in groups.names() for key in sorted(_needed(name))]
)
def test_it_does_not_start_without_a_key_that_it_needs(tmp_path: Path, name: str, key: str) -> None:
    lines = _refused(name, _with_keys(tmp_path, _needed(name) - {key}))
    assert lines == [f"envctl: {key}: is needed: this function works with it"]
