"""The first request to a function that does something: what /health did not load is loaded by it."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from benchmarks.processes import Server, running
from benchmarks.wire import HOST

FORM = "application/x-www-form-urlencoded"
CREDENTIALS = {"email": "first@example.com", "password": "secret123"}
LOGIN = f"username={CREDENTIALS['email']}&password={CREDENTIALS['password']}"


class First(NamedTuple):
    """A request that is answered by an object."""

    path: str
    body: str = ""
    kind: str = "application/json"
    token: str = ""
    method: str = "POST"

    def ask(self, port: int) -> Any:  # noqa: ANN401 - any JSON value
        """The answer's body."""
        connection = http.client.HTTPConnection(HOST, port, timeout=30)
        headers = {"Content-Type": self.kind}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(self.method, self.path, self.body, headers)
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status not in {200, 201}:
            raise AssertionError(f"{self.path}: {answer.status} {said[:200]!r}")
        return json.loads(said)


def first_requests(servers: Mapping[str, Callable[[], Server]]) -> Mapping[str, First]:
    """By function, once each has been started and asked for what the next one's request needs."""
    register = First("/api/v1/auth/register", json.dumps(CREDENTIALS))
    login = First("/api/v1/auth/login", LOGIN, FORM)
    with running(servers["auth"]()) as auth:
        register.ask(auth.port)
        token = login.ask(auth.port)["access_token"]

    def create(name: str, path: str, fields: Mapping[str, Any], ready: str = "") -> tuple[First, str]:
        first = First(path, json.dumps(fields), token=token)
        with running(servers[name]()) as started:
            made = str(first.ask(started.port)["id"])
            if ready:
                First(f"/api/v1/{name}/{made}?wait_for={ready}", token=token, method="GET").ask(started.port)
        return first, made

    project, project_id = create("projects", "/api/v1/projects/", {"name": "p"})
    path = f"/api/v1/environments/projects/{project_id}"
    fields = {"name": "e", "type": "ephemeral", "ttl_hours": 24}
    environment, environment_id = create("environments", path, fields, "running")
    path = f"/api/v1/deployments/environments/{environment_id}"
    deployment, _ = create("deployments", path, {"version": "v"})
    return {"auth": login, "projects": project, "environments": environment, "deployments": deployment}


def seconds_of(first: First, server: Server) -> float:
    """How long a server that has answered /health takes for it."""
    began = time.perf_counter()
    first.ask(server.port)
    return time.perf_counter() - began
