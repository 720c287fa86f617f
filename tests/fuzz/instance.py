"""What a round is sent to: a server of its own over an empty folder, who calls it, and what they have."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from local.google.processes import guarded
from local.http_server import free_port
from tests.client import Client
from tests.flows.server import ROOT, SHORT, Server
from tests.logged import refuse_secrets

Clock = Literal["real", "virtual"]
Program = Literal["local", "local.google"]
"""What `make run` starts, and `make run-google`."""
SETTINGS = {
    **SHORT,
    "ENVCTL_LOG_LEVEL": "INFO",  # every line is looked through for secrets
    "ENVCTL_ACCESS_TOKEN_SECONDS": "86400",  # the callers' tokens last as long as the round
    "ENVCTL_MAXIMUM_TTL_HOURS": "8760",  # what the document allows
    "ENVCTL_FAILED_LOGINS_PER_MINUTE": "1000000",  # all guesses come from one address
}
PASSWORD = "in no example of the document"  # so that no request that is drawn ends a caller's account
EXAMPLE_PASSWORD = "secret123"
COLLEAGUE = "colleague@example.com"
"""Whom the example of a new member names."""
PROJECTS = 40
"""How many of everything there are: many are deleted meanwhile, and some are left."""
KINDS: tuple[dict[str, object], ...] = (
    {"type": "persistent"},
    {"type": "ephemeral", "ttl_hours": 0.0003},
    {"type": "ephemeral"},
    {"type": "persistent", "simulation": "fails"},
    {"type": "ephemeral", "ttl_hours": 0.0003},
)
"""Environments in every status: after a second a fifth has failed, and two fifths are expired."""


@contextmanager
def instance(folder: Path, clock: Clock, program: Program) -> Iterator[Server]:
    """A healthy server, and at its end a look through what it has logged."""
    log, data, port = folder / "log", folder / "data", free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENVCTL_")}
    own = {"ENVCTL_HOME": str(data), "PORT": str(port), "ENVCTL_CLOCK": clock}
    with log.open("w") as errors:  # no pipe: nobody reads while a round lasts
        process = subprocess.Popen(
            guarded([sys.executable, "-m", program]),  # it ends with this process, however that ends
            cwd=ROOT,
            env={**inherited, **SETTINGS, **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    server = Server(port, data, process)
    try:
        server.wait_until_healthy()
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)
        assert process.stdin
        process.stdin.close()
    refuse_secrets(log.read_text())


@dataclass
class Callers:
    """Somebody who has objects of all kinds, a stranger who must see none of them, and who may end."""

    server: Server
    tokens: dict[str, str] = field(default_factory=dict)
    """Of those who last for the whole round, by name. The first sends most requests."""
    known: dict[str, list[str]] = field(default_factory=dict)
    """Ids and secrets that are good, by the place of a request that takes them."""
    ended: int = 0

    def join(self, email: str, password: str = PASSWORD) -> str:
        """The token of an account, which is new or logs in once more."""
        client = self.server.client()
        client.log_in(email, password)
        client.close()
        return client.token or ""

    def one_that_may_end(self) -> str:
        """The token of a new account whose password is that of the document's examples."""
        self.ended += 1
        return self.join(f"may-end-{self.ended}@example.com", EXAMPLE_PASSWORD)

    def opened_with(self, field: str) -> list[str]:
        """The environments that were opened with a field."""
        every = self.known["path.environment_id"]
        return [one for number, one in enumerate(every) if field in KINDS[number % len(KINDS)]]

    def just_deployed(self) -> str | None:
        """A deployment that has not ended, in the first environment that takes one."""
        client, body = self.server.client(self.tokens["owner"]), {"version": "v1", "on_conflict": "latest"}
        with closing(client):
            for environment in self.known["path.environment_id"]:
                target = f"/api/v1/deployments/environments/{environment}"
                answer = client.request("POST", target, json=body)
                if answer.status == 201:
                    return str(answer.body["id"])
        return None


def callers(server: Server) -> Callers:
    """Those of an empty instance, with what they have from the start."""
    made = Callers(server)
    made.join(COLLEAGUE)
    client, login = server.client(), {"username": COLLEAGUE, "password": PASSWORD}
    for _ in range(PROJECTS // 2):  # every login is a session
        made.tokens["owner"] = made.join("owner@example.com")
        session = client.request("POST", "/api/v1/auth/login", form=login).body
        made.known.setdefault("body.refresh_token", []).append(session["refresh_token"])
    client.token = made.tokens["owner"]
    for number in range(PROJECTS):
        for name, one in _objects(client, number).items():
            made.known.setdefault(f"path.{name}", []).append(one)
    sessions = client.request("GET", "/api/v1/auth/sessions").body
    client.close()
    made.known["path.session_id"] = [one["id"] for one in sessions]
    made.tokens["stranger"] = made.join("stranger@example.com")
    return made


def _objects(client: Client, number: int) -> dict[str, str]:
    """The ids of a project and of what is in it, by the parameter that takes them."""
    project = client.create("/api/v1/projects", name=f"project {number}")["id"]
    kind = KINDS[number % len(KINDS)]
    opened = client.create(f"/api/v1/environments/projects/{project}", name="e", **kind)["id"]
    token = client.create("/api/v1/auth/tokens", name="ci", scopes=["read"], project_id=project)
    member = client.create(f"/api/v1/projects/{project}/members", email=COLLEAGUE, role="viewer")
    made = {"project_id": project, "environment_id": opened, "token_id": token["id"]}
    made["user_id"] = member["user_id"]
    # Refused where the clock is real.
    client.request("POST", "/api/v1/simulation/clock/advance", json={"by": "PT1S"})
    if client.request("GET", f"/api/v1/environments/{opened}?wait_for=running").body["status"] == "running":
        deployed = client.create(f"/api/v1/deployments/environments/{opened}", version="v1")
        made["deployment_id"] = deployed["id"]
    return made


def configuration(folder: Path, given: Callers) -> Path:
    """The file that schemathesis reads in a round: ours, with who calls and what there is."""
    people = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
        for name, token in given.tokens.items()
    ]
    wfc = folder / "callers.json"  # as the Web Fuzzing Commons write them
    wfc.write_text(json.dumps({"auth": people}))
    lines = [Path(__file__).with_name("schemathesis.toml").read_text()]
    lines += ["[auth.wfc]", f"path = {json.dumps(str(wfc))}", f"peers = {json.dumps(list(given.tokens))}"]
    for place, values in given.known.items():
        name = place.partition(".")[2]
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]  # JSON's lists are TOML's too
        lines += [f'[parameters."{place}"]', f'dictionary = "{name}"', "probability = 0.7"]
    written = folder / "schemathesis.toml"
    written.write_text("\n".join(lines) + "\n")
    return written
