import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.http_server import free_port
from shared.groups import names
from shared.keys import keys_in
from shared.times import from_text
from tests.client import Client
from tests.flows.conftest import StartServer
from tests.flows.server import Server, family, hangups, processes, run_local, stored, wait_until
from tests.flows.test_readme import need_programs, run

STOP_SECONDS = 5.0


def open_environments(server: Server, count: int, clients: int = 8) -> tuple[str, list[dict[str, Any]]]:
    """So many environments at once in a new project; the token and what each POST answered."""
    with closing(server.client()) as client:
        client.log_in()
        token = client.token or ""
        path = f"/api/v1/environments/projects/{client.create('/api/v1/projects', name='p')['id']}"

    def open_some(number: int) -> list[dict[str, Any]]:
        with closing(server.client(token)) as client:
            return [client.create(path, name="e", type="ephemeral") for _ in range(number)]

    with ThreadPoolExecutor(clients) as pool:
        shares = [len(range(index, count, clients)) for index in range(clients)]
        return token, [item for opened in pool.map(open_some, shares) for item in opened]


def stored_statuses(home: Path) -> dict[str, str]:
    """What is in the database, whatever readers compute from it."""
    return {name: data["status"] for name, data in stored(home, "environments").items()}


def statuses(server: Server, token: str, opened: list[dict[str, Any]]) -> list[str]:
    with closing(server.client(token)) as client:
        paths = [f"/api/v1/environments/{item['id']}" for item in opened]
        return [client.request("GET", path).body["status"] for path in paths]


def wait_until_gone(pids: list[int], seconds: float) -> None:
    wait_until(lambda: not set(pids) & set(processes()), seconds, "all processes are gone")


def test_it_says_where_everything_is_once_it_answers(start: StartServer, tmp_path: Path) -> None:
    server = start(tmp_path, healthy=False)
    output = server.welcome()
    assert server.is_healthy()
    assert server.url in output.splitlines()[0]
    assert f"{server.url}/docs" in output
    assert str(tmp_path) in output
    need_programs("bash", "curl")
    answers = run(output.partition("Try it:")[2].partition("Ctrl-C")[0], tmp_path)
    assert [project["name"] for project in json.loads(answers[answers.index("[") :])] == ["payments"]
    assert server.end() == (0, "", "")


def test_its_secret_is_nowhere_to_be_read_and_needed(server: Server) -> None:
    arguments = subprocess.run(
        ["ps", "-o", "args=", "-p", ",".join(map(str, server.pids()))],  # noqa: S607 - likewise
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "SECRET" not in arguments.upper()
    with closing(server.client()) as client:
        for name in ("settle", "sweep"):
            answer = client.request("POST", f"/api/v1/tasks/{name}", json={}, token="guess")
            assert answer.status == 401


def test_every_function_is_there(server: Server) -> None:
    with closing(server.client()) as client:
        open_to_all = ("/", "/health", "/openapi.json", "/docs", "/redoc", "/api/v1/simulation/scenarios")
        for path in open_to_all:
            assert client.request("GET", path).status in {200, 307}, path
        assert client.request("GET", "/api/v1/auth/me").status == 401
        for name in sorted({*names()} - {"auth", "docs", "tasks", "simulation"}):
            path = f"/api/v1/{name}/{'' if name == 'projects' else 'projects/x'}"
            assert client.request("GET", path.replace("deployments/projects", "deployments")).status == 401


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1//projects"])
def test_a_path_that_nobody_has_is_a_problem(server: Server, path: str) -> None:
    with closing(server.client()) as client:
        answer = client.request("GET", path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["instance"] == path


def test_a_request_arrives_as_it_was_sent(server: Server) -> None:
    forged = {"SCRIPT_NAME": "/api", "PATH_INFO": "/health", "X-Forwarded-Proto": "https"}
    with closing(server.client()) as client:
        answer = client.request("GET", "/api/v1/projects", headers=forged)
    assert answer.status == 401
    assert answer.body["instance"] == "/api/v1/projects"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PORT": "http"}, "PORT"),
        ({"ENVCTL_RUNNING_SECONDS": "-1"}, "ENVCTL_RUNNING_SECONDS"),
        ({"ENVCTL_WORKERS": "0"}, "ENVCTL_WORKERS"),
        ({"ENVCTL_LOG_LEVEL": "loud"}, "ENVCTL_LOG_LEVEL"),
        ({"ENVCTL_DATABASE": "team-a"}, "ENVCTL_DATABASE: says where an instance in the cloud is; unset it"),
    ],
)
def test_a_bad_setting_is_one_line(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    assert said in refusal(tmp_path, settings)
    assert not list(tmp_path.iterdir())


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert f"Port {port} can't be used" in refusal(tmp_path, {"PORT": port})


def test_a_folder_that_cannot_be_one_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for home in (file, file / "home"):
        said = refusal(home)
        assert str(home) in said
        assert "ENVCTL_HOME" in said


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    home = tmp_path if os.geteuid() else Path("/proc/envctl")  # root may write everywhere else
    assert str(home) in refusal(home)


def test_a_newer_database_is_one_line(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "envctl.db")) as database:
        database.execute("PRAGMA user_version = 999")
    assert "newer" in refusal(tmp_path)


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path) -> None:
    keys_in(tmp_path)
    (tmp_path / "envctl.db").write_text("something else entirely\n" * 100)
    said = refusal(tmp_path)
    assert "envctl.db" in said
    assert "not a database" in said


def test_a_missing_identity_key_beside_a_database_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "envctl.db").touch()
    assert "identity.key is missing" in refusal(tmp_path)


def refusal(home: Path, settings: dict[str, str] | None = None) -> str:
    """The one line with which the program refuses to start."""
    process = run_local(home, free_port(), settings or {})
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output) == (1, "")
    assert errors.startswith("envctl: ")
    assert errors.count("\n") == 1
    return errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything(start: StartServer, tmp_path: Path, number: signal.Signals) -> None:
    with hangups(signal.SIG_DFL):
        server = start(tmp_path)
    pids = server.pids()
    assert len(pids) >= 3
    client = server.client()
    # A connection that is kept, and a request that never ends: neither may hold the server.
    client.request("GET", "/health")
    with closing(client), socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"POST /api/v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        began = time.monotonic()
        os.killpg(server.process.pid, number)  # as a terminal's Ctrl-C: the whole group
        code, _, errors = server.end(number)
        assert time.monotonic() - began < STOP_SECONDS
    assert (code, errors) == (0, "")
    assert not set(pids) & set(processes())


def test_requests_are_logged_when_that_is_asked_for(start: StartServer, tmp_path: Path) -> None:
    code, _, errors = start(tmp_path, ENVCTL_LOG_LEVEL="INFO").end()
    assert code == 0
    lines = [json.loads(line) for line in errors.splitlines()]
    assert ("INFO", "/health") in {(line["severity"], line["route"]) for line in lines}


def test_a_signal_during_the_start_ends_it(start: StartServer, tmp_path: Path) -> None:
    server = start(tmp_path, healthy=False)
    wait_until(lambda: len(server.pids()) > 1, 20, "the HTTP server is being started")
    pids = server.pids()
    assert server.end(signal.SIGINT) == (0, "", "")
    assert not set(pids) & set(processes())


def test_an_http_server_that_dies_is_said_and_ends_everything(start: StartServer, tmp_path: Path) -> None:
    server = start(tmp_path)
    main, master, *workers = server.pids()
    os.kill(master, signal.SIGKILL)
    server.process.wait(STOP_SECONDS)
    code, _, errors = server.end()
    assert code == 1
    assert errors.startswith("envctl: The HTTP server ended by itself")
    wait_until_gone([main, master, *workers], STOP_SECONDS)


def test_a_worker_that_dies_is_replaced(start: StartServer, tmp_path: Path) -> None:
    server = start(tmp_path, ENVCTL_WORKERS="1")
    _, master, worker = server.pids()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker not in family(master) and server.is_healthy(), 20, "there is another worker")


def test_kill_9_loses_nothing_and_leaves_nothing(start: StartServer, tmp_path: Path) -> None:
    server = start(tmp_path, ENVCTL_PROVISIONING_SECONDS="1")
    token, opened = open_environments(server, 100)
    pids = server.pids()
    server.process.kill()
    wait_until_gone(pids, STOP_SECONDS)

    again = start(tmp_path, server.port)
    planned = max(from_text(item["timeline"][1]["at"]) for item in opened)
    wait_until(lambda: datetime.now(UTC) >= planned, 5, "all are running by plan")
    assert statuses(again, token, opened) == ["running"] * 100
    wait_until(
        lambda: stored_statuses(tmp_path) == dict.fromkeys((item["id"] for item in opened), "running"),
        5,
        "what is stored follows",
    )


def test_what_fell_due_while_it_was_down_is_made_up(start: StartServer, tmp_path: Path) -> None:
    server = start(tmp_path)
    _, opened = open_environments(server, 10)
    server.end()
    with closing(sqlite3.connect(tmp_path / "envctl.db")) as database:
        database.execute("DELETE FROM tasks")  # the queue lost them all
        database.commit()
    planned = max(from_text(item["timeline"][1]["at"]) for item in opened)
    wait_until(lambda: datetime.now(UTC) >= planned, 5, "all are running by plan")

    start(tmp_path)
    wait_until(lambda: set(stored_statuses(tmp_path).values()) == {"running"}, 3, "what is stored follows")


def test_stored_statuses_follow_their_plans(server: Server) -> None:
    _, opened = open_environments(server, 20)
    ids = {item["id"] for item in opened}
    planned = max(from_text(item["timeline"][1]["at"]) for item in opened)

    def all_stored() -> bool:
        stored = stored_statuses(server.home)
        return {stored[name] for name in ids} == {"running"}

    wait_until(lambda: datetime.now(UTC) >= planned, 5, "all are running by plan")
    wait_until(all_stored, 2, "what is stored follows")


def test_two_servers_share_a_folder_also_when_both_make_it(start: StartServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    servers = [start(home, healthy=False), start(home, healthy=False)]
    for server in servers:
        server.wait_until_healthy()
    one, other = servers
    token, opened = open_environments(one, 20)
    wait_until(lambda: statuses(other, token, opened) == ["running"] * 20, 5, "the other one sees them run")
    wait_until(lambda: set(stored_statuses(home).values()) == {"running"}, 3, "what is stored follows")
    one.end()
    with closing(Client(other.port, token)) as client:
        assert client.request("GET", "/api/v1/auth/me").status == 200
