"""Each function started as the cloud starts it, and spoken to over a socket."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.http_server import free_port
from shared import groups
from tests.functions.started import (
    ON_GOOGLE,
    OWN,
    ROOT,
    SECRET,
    Started,
    command,
    environment,
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


BAD = {
    "ENVCTL_DATABASE": {"ENVCTL_PROJECT": "acme-platform"},
    "ENVCTL_RUNNING_SECONDS": {"ENVCTL_RUNNING_SECONDS": "soon"},
    "ENVCTL_PROJECT": {"K_SERVICE": "a-function-in-the-cloud"},
}
"""Which variable is complained about, and what was set."""


@pytest.mark.parametrize(("bad", "name"), [*zip(BAD, ("auth", "tasks", "docs"), strict=True)])
def test_a_bad_deploy_dies_with_the_variables_name_instead_of_listening(
    tmp_path: Path, name: str, bad: str
) -> None:
    lines = _refused(name, environment(tmp_path, **BAD[bad]))
    assert len(lines) == 1, "a sentence, no stack trace"
    assert lines[0].startswith(f"envctl: {bad}: ")
    assert list(tmp_path.iterdir()) == []


START = """
import json, os, sys
from functions_framework import create_app
from shared import groups
for name, variables in json.load(sys.stdin):
    if os.fork():
        os.wait()
        continue
    os.environ.clear()
    os.environ.update(variables)
    said, status = None, None
    try:
        status = create_app(name, "main.py").test_client().get("/nothing").status_code
    except SystemExit as end:
        said = end.code
    print(json.dumps([said, status]), flush=True)
    os._exit(0)
"""
"""Starts functions one after the other by what functions-framework's command calls before it listens, each
in a process of its own, forked where Flask and pydantic are loaded: most of what a start takes."""


Outcome = tuple[str | None, int | None]


def _started_alone(home: Path, starts: Sequence[tuple[str, Mapping[str, str]]]) -> list[Outcome]:
    """Of each function with its variables: with which words it ended, or what it answered."""
    command = [sys.executable, "-c", START]
    run = subprocess.run(
        command, cwd=ROOT, input=json.dumps(starts), stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )
    assert list(home.iterdir()) == []
    return [(said, status) for said, status in map(json.loads, run.stdout.splitlines())]


@pytest.mark.parametrize("bad", BAD)
def test_every_function_dies_of_a_bad_deploy(tmp_path: Path, bad: str) -> None:
    variables = environment(tmp_path, **BAD[bad])
    ends = [said for said, _ in _started_alone(tmp_path, [(name, variables) for name in groups.names()])]
    assert len(ends) == len(groups.names())
    assert all(said is not None and said.startswith(f"envctl: {bad}: ") for said in ends), ends


KEYS = {f"ENVCTL_{name.upper()}_KEY" for name in ("signing", "identity")}


def _with_keys(home: Path, keys: set[str]) -> dict[str, str]:
    """The variables of a function on Google's parts that has these keys and no others."""
    parts = {name: value for name, value in ON_GOOGLE.items() if name not in KEYS - keys}
    return environment(home, **parts, K_SERVICE="a-function-in-the-cloud")


def _needed(name: str) -> set[str]:
    return {f"ENVCTL_{key.upper()}_KEY" for key in groups.load(name).keys}


def test_each_starts_with_the_keys_that_it_needs_and_not_without_one_of_them(tmp_path: Path) -> None:
    starts: list[tuple[str, Mapping[str, str]]] = []
    expected: list[Outcome] = []
    for name in groups.names():
        needed = _needed(name)
        for missing in (None, *sorted(needed)):
            starts.append((name, _with_keys(tmp_path, needed - {missing})))
            said = f"envctl: {missing}: is needed: this function works with it"
            expected.append((said, None) if missing else (None, 404))
    assert _started_alone(tmp_path, starts) == expected
    assert len(starts) > len(groups.names()), "some need keys"
