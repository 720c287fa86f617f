"""A request of each route, over an instance of its own in which it can be done.

They are those of the isolation test, or others where those would be refused.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shared.adapters.no_queue import NoQueue
from tests.functions.api import ENVIRONMENT, PASSWORD, SECRET, Api, Reply
from tests.functions.test_isolation import CASES, FIRST, ROUTES, objects
from tests.functions.virtual import VirtualApi

KEY = {"Idempotency-Key": "once"}
OTHER = "new@example.com"
"""Whom `objects` has registered beside the first account."""


@dataclass
class Request:
    """What is asked for, of an instance in which it can be done."""

    api: Api
    method: str
    path: str
    body: Any
    form: Any
    is_internal: bool

    def send(self) -> Reply:
        more = {"data": self.form} if self.form else {}
        token = SECRET if self.is_internal else self.api.token
        return self.api.call(self.method, self.path, self.body, token=token, headers=KEY, **more)


Prepare = Callable[[Api, dict[str, str]], Any]
"""Makes what a request is about, and may give another body."""


def _expired(api: Api, known: dict[str, str]) -> None:
    known["environment_id"] = api.environment(known["project_id"], {**ENVIRONMENT, "ttl_hours": 0.001})
    api.live(5)


def _failed(api: Api, known: dict[str, str]) -> None:
    known["environment_id"] = api.environment(None, {**ENVIRONMENT, "simulation": {"outcome": "fail"}})
    api.live(5)


def _deployed_twice(api: Api, known: dict[str, str]) -> None:
    api.live(5)
    api.deploy(known["environment_id"])
    api.live(5)


def _quiet(api: Api, _known: dict[str, str]) -> None:
    """So that the next wake-up is one that nobody has asked for."""
    api.live(5)


def _due(api: Api, _known: dict[str, str]) -> Any:  # noqa: ANN401 - a task's payload
    task = api.queue.tasks[-1]
    api.clock.now = task.at
    return dict(task.payload)


def _overdue(api: Api, _known: dict[str, str]) -> None:
    api.drop_tasks()
    api.advance(100)


def _session(api: Api, _known: dict[str, str]) -> Any:  # noqa: ANN401 - a body
    form = {"username": FIRST, "password": PASSWORD}
    return {"refresh_token": api.post("/api/v1/auth/login", token=None, data=form)["refresh_token"]}


def _member(api: Api, known: dict[str, str]) -> None:
    """Somebody who can be given another role, and removed."""
    path, body = f"/api/v1/projects/{known['project_id']}/members", {"email": OTHER, "role": "deployer"}
    known["user_id"] = api.post(path, body)["user_id"]


def _left_alone(api: Api, known: dict[str, str]) -> None:
    """So that the account may go, and its end is one commit."""
    assert api.delete(f"/api/v1/projects/{known['project_id']}?force=true").status == 204
    assert api.delete(f"/api/v1/auth/tokens/{known['token_id']}").status == 204


PREPARED: dict[str, Prepare] = {
    "POST /deployments/environments/{environment_id}": _quiet,
    "POST /environments/{environment_id}/extend": _quiet,
    "POST /environments/{environment_id}/restore": _expired,
    "POST /environments/{environment_id}/retry": _failed,
    "POST /environments/{environment_id}/rollback": _deployed_twice,
    "POST /tasks/settle": _due,
    "POST /tasks/sweep": _overdue,
    "POST /auth/refresh": _session,
    "POST /auth/logout": _session,
    "POST /auth/me/delete": _left_alone,
    "PATCH /projects/{project_id}/members/{user_id}": _member,
    "DELETE /projects/{project_id}/members/{user_id}": _member,
}
QUERIES = {"DELETE /projects/{project_id}": "?force=true"}


def _virtual(home: Path) -> Api:
    """An instance with virtual time, which makes no tasks."""
    api = VirtualApi(home)
    api.runtime = replace(api.runtime, queue=NoQueue())
    return api


@contextmanager
def asked(name: str) -> Iterator[Request]:
    """A request of a route, over an instance of its own."""
    route, case = ROUTES[name], CASES[name]
    with tempfile.TemporaryDirectory() as home:
        api = _virtual(Path(home)) if route.group == "simulation" else Api(Path(home))
        known = objects(api)
        prepare = PREPARED.get(name)
        body = (prepare and prepare(api, known)) or case.body
        path = re.sub(r"{(\w+)}", lambda match: known[match[1]], route.full_path) + QUERIES.get(name, "")
        yield Request(api, route.method, path, body, case.form, route.internal)
        api.database.close()
