"""Every guarded route, as everybody, on an object of theirs and on a foreign one, by the routes' own table.

What is expected follows from what a route needs, what a role and a scope give (written down here once more),
and the few exceptions below. A route without a case fails `test_isolation`; one that takes no object needs
its line in `WITHOUT_OBJECT`.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.functions.api import Api, Reply
from tests.functions.test_isolation import CASES, FIRST, ROUTES, objects

READS, DEPLOYS, ADMINISTERS = {"read"}, {"read", "deploy"}, {"read", "deploy", "admin"}
YEAR = 365 * 24 * 3_600


@dataclass(frozen=True)
class Who:
    """Somebody with a credential."""

    role: set[str] | None
    """What the project's role gives; None for who is no member of it."""
    scopes: set[str] | None = None
    """What an API token's scopes give; None for who has logged in."""
    sees: str = "all"
    """Which projects an API token is for: all, mine, another one. `nothing`: it is none any more."""


EVERYBODY = {
    "nobody": Who(None, sees="nothing"),
    "a stranger": Who(None),
    "a viewer": Who(READS),
    "a deployer": Who(DEPLOYS),
    "the owner": Who(ADMINISTERS),
    "a token to read": Who(ADMINISTERS, READS),
    "a token to deploy": Who(ADMINISTERS, DEPLOYS),
    "a token to administer": Who(ADMINISTERS, ADMINISTERS),
    "a viewer's token to administer": Who(READS, ADMINISTERS),
    "a deployer's token to administer": Who(DEPLOYS, ADMINISTERS),
    "a stranger's token to administer": Who(None, ADMINISTERS),
    "a token for this project": Who(ADMINISTERS, ADMINISTERS, sees="mine"),
    "a token to read this project": Who(ADMINISTERS, READS, sees="mine"),
    "a token for another project": Who(ADMINISTERS, ADMINISTERS, sees="another"),
    "a token that has expired": Who(ADMINISTERS, ADMINISTERS, sees="nothing"),
    "a token that was deleted": Who(ADMINISTERS, ADMINISTERS, sees="nothing"),
    "a forged token": Who(ADMINISTERS, ADMINISTERS, sees="nothing"),
    "the callback's secret": Who(None, sees="nothing"),
}
GUARDED = [name for name, route in ROUTES.items() if not route.public and not route.internal]
OF_A_PROJECT = [
    name for name in GUARDED if re.search(r"{(project|environment|deployment)_id}", ROUTES[name].path)
]
OF_AN_ACCOUNT = [name for name in GUARDED if ROUTES[name].needs is None]
WITHOUT_OBJECT = {
    "GET /auth/me": "all",
    "POST /projects": "all projects",
    "GET /projects": "all",
    "GET /quotas": "all",
    "GET /audit": "all",
    "GET /simulation/clock": "all",
    "POST /simulation/clock/advance": "all",
}
"""Which API tokens a route that is about no object takes, their scopes aside. The clock of an instance is
real here, which is said to everybody before anything else."""
FOR_OWNERS = {
    "POST /projects",
    "PATCH /projects/{project_id}",
    "DELETE /projects/{project_id}",
    "POST /projects/{project_id}/members",
    "PATCH /projects/{project_id}/members/{user_id}",
    "DELETE /projects/{project_id}/members/{user_id}",
}
ANSWERED_BEFORE_SCOPES = {"POST /simulation/clock/advance"}


def expected(name: str, who: Who, *, is_foreign: bool) -> int:
    """What a request is answered."""
    route, case = ROUTES[name], CASES[name]
    if who.sees == "nothing":
        return 401
    if name in OF_AN_ACCOUNT:
        return _of_an_account(name, who, is_foreign=is_foreign)
    if name in OF_A_PROJECT and (is_foreign or who.role is None or who.sees == "another"):
        return 404
    if name in ANSWERED_BEFORE_SCOPES:
        return case.status
    has_role = name not in OF_A_PROJECT or route.needs in (who.role or ())
    is_in_scope = who.scopes is None or route.needs in who.scopes
    is_wide_enough = WITHOUT_OBJECT.get(name) != "all projects" or who.sees == "all"
    return case.status if has_role and is_in_scope and is_wide_enough else 403


def _of_an_account(name: str, who: Who, *, is_foreign: bool) -> int:
    """Its owner's own business: an API token does none of it, and nobody sees another's."""
    if who.scopes is not None:
        return 403
    is_owner = who == EVERYBODY["the owner"]
    if "{" in ROUTES[name].path:
        return CASES[name].status if is_owner and not is_foreign else 404
    return CASES[name].status if is_owner else CASES[name].stranger


class World:
    """Two owners' projects, everybody's credentials, and a way back to the beginning."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.mine = dict(objects(api))
        owner = api.token
        people = {name: f"{name.split()[-1]}@example.com" for name in ("a viewer", "a deployer")}
        members = f"/api/v1/projects/{self.mine['project_id']}/members"
        tokens = {"nobody": None, "the owner": owner, "a stranger": api.join("stranger@example.com")}
        for name, email in people.items():
            tokens[name] = api.join(email)
            body = {"email": email, "role": email.partition("@")[0]}
            assert api.post(members, body).status == 201
        self._foreign(api)
        self.tokens = {**tokens, **self._api_tokens(tokens)}
        self.mine["deployment_id"] = api.deploy(self.mine["environment_id"])  # one that is not over yet
        api.queue.tasks.clear()
        self._saved = api.database.fetch("SELECT key, collection, id, version, body FROM documents")
        self._now = api.clock.now

    def _foreign(self, api: Api) -> None:
        """Objects of an account that shares nothing with anybody."""
        owner, api.token = api.token, api.join("foreign@example.com")
        project_id = api.project()
        environment_id = api.running(project_id=project_id)
        self.foreign = {
            **self.mine,
            "user_id": api.get("/api/v1/auth/me")["id"],
            "project_id": project_id,
            "environment_id": environment_id,
            "deployment_id": api.deploy(environment_id),
            "token_id": api.post("/api/v1/auth/tokens", {"name": "x", "scopes": ["read"]})["id"],
            "session_id": "ses-" + "a" * 64,
        }
        api.token = owner

    def _api_tokens(self, logins: dict[str, str | None]) -> dict[str, str]:
        def make(scope: str, login: str = "the owner", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
            new = {"name": "matrix", "scopes": [scope], **fields}
            made = self.api.post("/api/v1/auth/tokens", new, token=logins[login])
            assert made.status == 201, made.body
            body: dict[str, Any] = made.body
            return body

        another, this = self.api.project(), self.mine["project_id"]
        deleted, expiring = make("admin"), make("admin", expires_in_days=1e-6)
        self.api.delete(f"/api/v1/auth/tokens/{deleted['id']}")
        self.api.advance(1)
        whole = {
            "a token to read": make("read"),
            "a token to deploy": make("deploy"),
            "a token to administer": make("admin"),
            "a viewer's token to administer": make("admin", "a viewer"),
            "a deployer's token to administer": make("admin", "a deployer"),
            "a stranger's token to administer": make("admin", "a stranger"),
            "a token for this project": make("admin", project_id=this),
            "a token to read this project": make("read", project_id=this),
            "a token for another project": make("admin", project_id=another),
            "a token that has expired": expiring,
            "a token that was deleted": deleted,
        }
        forged = str(whole["a token to administer"]["token"])[:-1] + "="
        return {
            **{name: str(made["token"]) for name, made in whole.items()},
            "a forged token": forged,
            "the callback's secret": str(self.api.settings.callback_secret),
        }

    def send(self, name: str, who: str, known: dict[str, str]) -> Reply:
        """A case's request, on these objects."""
        route, case = ROUTES[name], CASES[name]
        path = re.sub(r"{(\w+)}", lambda match: known[match[1]], route.full_path)
        more = {"data": case.form} if case.form else {}
        return self.api.call(route.method, path, case.body, token=self.tokens[who], **more)

    def restore(self) -> None:
        """Everything as it was."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM documents")
            connection.executemany(
                "INSERT INTO documents (key, collection, id, version, body) VALUES (?, ?, ?, ?, ?)",
                self._saved,
            )

        self.api.database.write(write)
        self.api.queue.tasks.clear()
        self.api.clock.now = self._now


COUNTED: Counter[str] = Counter()


@pytest.fixture(scope="module")
def world(shared_api: Api) -> Iterator[World]:
    made = World(shared_api)
    yield made
    print("isolation matrix:", dict(sorted(COUNTED.items())))  # noqa: T201 - shown with -s


def test_the_table_is_whole() -> None:
    assert set(OF_A_PROJECT) | set(OF_AN_ACCOUNT) | set(WITHOUT_OBJECT) == set(GUARDED)
    assert not set(OF_A_PROJECT) & set(WITHOUT_OBJECT)
    assert {name for name in GUARDED if ROUTES[name].needs == "admin"} == FOR_OWNERS
    assert {name for name in GUARDED if "/auth/" in name} - set(OF_AN_ACCOUNT) == {"GET /auth/me"}
    assert {ROUTES[name].needs for name in OF_A_PROJECT if ROUTES[name].method == "GET"} == {"read"}
    assert "read" not in {ROUTES[name].needs for name in OF_A_PROJECT if ROUTES[name].method != "GET"}


@pytest.mark.parametrize("is_foreign", [False, True], ids=["theirs", "foreign"])
@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_is_answered_what_the_tables_say(world: World, who: str, *, is_foreign: bool) -> None:
    wrong = []
    for name in GUARDED:
        before, tasks = world.api.content(), world.api.queue.enqueued
        reply = world.send(name, who, world.foreign if is_foreign else world.mine)
        wanted = expected(name, EVERYBODY[who], is_foreign=is_foreign)
        COUNTED[f"{'foreign' if is_foreign else 'theirs'} {reply.status}"] += 1
        if reply.status != wanted:
            wrong.append(f"{name}: {reply.status}, not {wanted}")
        if reply.status >= 400 and (world.api.content(), world.api.queue.enqueued) != (before, tasks):
            wrong.append(f"{name}: the refusal {reply.status} has changed something")
        world.restore()
    assert wrong == []


def _told(reply: Reply, known: dict[str, str]) -> str:
    """What a refusal says, but for the ids that were asked for."""
    text = json.dumps({**reply.body, "request_id": None})
    for given in known.values():
        text = text.replace(given, "*")
    return text


@pytest.mark.parametrize("who", [name for name, one in EVERYBODY.items() if one.sees != "nothing"])
def test_a_foreign_object_and_a_missing_one_differ_in_no_byte(world: World, who: str) -> None:
    missing = {
        **world.foreign,
        "project_id": "prj-" + "a" * 16,
        "environment_id": "env-" + "a" * 32,
        "deployment_id": "dep-" + "a" * 48,
        "token_id": "tok-" + "a" * 64,
        "session_id": "ses-" + "b" * 64,
        "user_id": "usr-" + "a" * 48,
    }
    compared = 0
    for name in GUARDED:
        if "{" not in ROUTES[name].path:
            continue
        one, other = (world.send(name, who, known) for known in (world.foreign, missing))
        assert (one.status, _told(one, world.foreign)) == (other.status, _told(other, missing)), name
        headers = [{key for key, _ in reply.headers} for reply in (one, other)]
        assert headers[0] == headers[1], name
        compared += 1
    assert compared == len([name for name in GUARDED if "{" in ROUTES[name].path]) > 20


def test_a_member_of_one_project_sees_nobody_by_way_of_it_in_another(world: World) -> None:
    """Ids of one project's objects under another's: the parents in an id are not what is believed."""
    mine, foreign = world.mine["environment_id"], world.foreign["environment_id"]
    mixed = mine[:20] + foreign[20:]
    for target in (f"/api/v1/environments/{mixed}", f"/api/v1/deployments/environments/{mixed}"):
        assert world.api.get(target).status == 404
    stranger = f"/api/v1/projects/{world.mine['project_id']}/members/{world.foreign['user_id']}"
    assert world.api.get(stranger).status == 404


def test_every_list_shows_only_what_is_theirs(world: World) -> None:
    project_id = world.mine["project_id"]
    for who, wanted in (
        ("a viewer", {project_id}),
        ("a stranger", set()),
        ("a viewer's token to administer", {project_id}),
        ("a stranger's token to administer", set()),
        ("a token for this project", {project_id}),
    ):
        listed = world.api.get("/api/v1/projects", token=world.tokens[who]).body
        assert {item["id"] for item in listed} == wanted, who
    [only] = world.api.get("/api/v1/projects", token=world.tokens["a token for another project"]).body
    assert only["id"] not in {project_id, world.foreign["project_id"]}
    me = world.api.get("/api/v1/auth/me", token=world.tokens["a token to read"])
    assert me["email"] == FIRST
    world.restore()
