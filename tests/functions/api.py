"""The whole API in this process: every function over one store, routed by path."""
# ruff: noqa: ANN401 - any JSON value, and what Flask's client takes

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from shared import account_documents, documents, groups, tokens
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_store import SqliteStore
from shared.callbacks import SecretCheck
from shared.config import KeyName, Settings
from shared.domain.user import User
from shared.held import HeldRequests
from shared.http.app import create_app
from shared.keys import Keys
from shared.locks import NamedLocks
from shared.ports import Create, Document, Ref, Task
from shared.runtime import Runtime
from shared.times import from_text, to_text
from tests.functions.answers import check
from tests.functions.cheap import check_passwords_once, empty_file
from tests.functions.doubles import START, CountingStore, MovableClock, RecordingQueue, Sleeper

SECRET = "the-callback-secret-of-these-tests-0123456789"
KEYS = Keys({"k1": b"s" * 32}, b"i" * 32)
ENVIRONMENT = {"name": "preview", "type": "ephemeral", "ttl_hours": 24}
PERSISTENT = {"name": "staging", "type": "persistent"}
PASSWORD = "correct horse battery"
"""Everybody's who joins."""
PASSWORD_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$hHDOmTMmBCBE6B3DmPPeOw$CKub2viiN24EpfB/WenD7Mxc+wEsLJe3x4bDE02rkFk"
)
_YEARS = timedelta(days=36_500)


_SERVED: dict[str, Runtime] = {}
"""What the applications, which are made once, work on: the instance that was called last."""


@cache
def _names() -> list[str]:
    return groups.names()


@cache
def _app(name: str) -> Flask:
    group = groups.load(name)

    def runtime() -> Runtime:
        served = _SERVED["runtime"]
        return replace(served, keys=_only(served.keys, *group.keys))

    return create_app(group, runtime)


@cache
def _only(keys: Keys, *names: KeyName) -> Keys:
    """What a function is given of the keys: one that used another would fail here as in the cloud."""
    return Keys(keys.signing if "signing" in names else {}, keys.identity if "identity" in names else b"")


@dataclass(frozen=True)
class Reply:
    """An answer that has been held against the contract."""

    status: int
    headers: Headers
    body: Any

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


class Api:
    """What a client, and the task queue, see of envctl."""

    def __init__(self, home: Path, settings: Settings | None = None) -> None:
        check_passwords_once()
        self.clock = MovableClock()
        self.sleeper = Sleeper(self.clock)
        self.queue = RecordingQueue()
        self.database = Database(home / "envctl.db")
        self.database.path.write_bytes(empty_file())
        self.store = CountingStore(SqliteStore(self.database))
        self.settings = settings or Settings.model_validate({"home": home, "callback_secret": SECRET})
        self.runtime = Runtime(
            self.settings,
            KEYS,
            self.store,
            self.queue,
            SecretCheck(self.settings.callback_secret),
            self.clock,
            held=HeldRequests(self.settings.held_requests, self.sleeper, self.sleeper.timer),
        )
        self._names = (f"person-{number}@example.com" for number in itertools.count())
        self.token = self.join()

    # Clients --------------------------------------------------------------------------------

    def join(self, email: str | None = None) -> str:
        """The token of a new account, stored without the work of hashing its password."""
        address = email or next(self._names)
        key = KEYS.email_key(address)
        user = User(f"usr-{key}{'a' * 16}", address, PASSWORD_HASH, START)
        self.store.inner.commit(Create(documents.user_ref(key), account_documents.user_data(user)))
        return self.token_of(user.id)

    def token_of(self, user_id: str) -> str:
        return tokens.issue(KEYS, user_id, "t", START, _YEARS)

    def group_of(self, path: str) -> str:
        """The function that serves a path, as the local server routes it."""
        parts = path.partition("?")[0].split("/")
        named = parts[3] if parts[:3] == ["", "api", "v1"] and len(parts) > 3 else "docs"
        return named if named in _names() else "docs"

    def call(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Reply:
        """What a request is answered, whole; an empty token is the first account's, None is no token."""
        response = self.send(method, target, body, token=token, headers=headers, **more)
        return Reply(response.status_code, response.headers, _content(response))

    def send(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        token: str | None = "",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        """The answer of a request, its body still to be read."""
        given = dict(headers or {})
        if token is not None:
            given.setdefault("Authorization", f"Bearer {token or self.token}")
        if body is not None:
            more = {"data": json.dumps(body), "content_type": "application/json", **more}
        _SERVED["runtime"] = self.runtime
        client = _app(self.group_of(target)).test_client()
        response = client.open(target, method=method, headers=given, **more)
        check(method, target, response)
        return response

    def get(self, target: str, **more: Any) -> Reply:
        return self.call("GET", target, **more)

    def post(self, target: str, body: Any = None, **more: Any) -> Reply:
        return self.call("POST", target, body, **more)

    def patch(self, target: str, body: Any = None, **more: Any) -> Reply:
        return self.call("PATCH", target, body, **more)

    def delete(self, target: str, **more: Any) -> Reply:
        return self.call("DELETE", target, **more)

    # Shorthands -----------------------------------------------------------------------------

    def project(self, **more: Any) -> str:
        """A new project's id."""
        return str(self._made("/api/v1/projects", {"name": "payments"}, **more)["id"])

    def environment(self, project_id: str | None = None, body: Any = None, **more: Any) -> str:
        """A new environment's id, in a new project if none is named."""
        target = f"/api/v1/environments/projects/{project_id or self.project(**more)}"
        return str(self._made(target, body or ENVIRONMENT, **more)["id"])

    def running(self, body: Any = None, project_id: str | None = None) -> str:
        """An environment that is running and settled."""
        environment_id = self.environment(project_id, body)
        self.live(2)
        return environment_id

    def deploy(self, environment_id: str, version: str = "v1") -> str:
        """A new deployment's id."""
        target = f"/api/v1/deployments/environments/{environment_id}"
        return str(self._made(target, {"version": version})["id"])

    def _made(self, target: str, body: Any, **more: Any) -> Reply:
        reply = self.post(target, body, **more)
        assert reply.status == 201, reply.body
        return reply

    def status(self, object_id: str, query: str = "") -> Any:
        """What a reader sees: the status, or 404."""
        kind = "environments" if object_id.startswith("env") else "deployments"
        reply = self.get(f"/api/v1/{kind}/{object_id}{query}")
        return reply["status"] if reply.status == 200 else reply.status

    def walk(self, target: str, **more: Any) -> Iterator[list[Any]]:
        """The pages of a list, by its links."""
        following: str | None = target
        while following:
            reply = self.get(following, **more)
            assert reply.status == 200, reply.body
            yield reply.body
            link = reply.headers.get("Link")
            following = link and link[1 : link.index(">")]

    def all(self, target: str, **more: Any) -> list[Any]:
        """The objects of a list, page after page."""
        return [item for page in self.walk(target, **more) for item in page]

    # The platform ---------------------------------------------------------------------------

    def deliver(self, task: Task) -> Reply:
        """Call the tasks function as the queue does."""
        return self.post(task.path, dict(task.payload), token=SECRET)

    def run_due(self) -> list[str]:
        """Deliver the tasks that are due, in order, until none is; their outcomes."""
        outcomes: list[str] = []
        while (task := self.queue.pop_due(self.clock.now)) is not None:
            reply = self.deliver(task)
            assert reply.status == 200, reply.body
            outcomes.append(reply.body.get("outcome", "swept"))
            assert len(outcomes) < 5_000, "tasks beget tasks without an end"
        return outcomes

    def advance(self, seconds: float) -> None:
        """Let time pass; nothing is delivered."""
        self.clock.advance(seconds)

    def live(self, seconds: float) -> list[str]:
        """Let time pass, each task delivered at its very moment; their outcomes."""
        until = self.clock.now + timedelta(seconds=seconds)
        outcomes = self.run_due()
        while self.queue.tasks and (at := min(task.at for task in self.queue.tasks)) <= until:
            self.clock.now = max(at, self.clock.now)
            outcomes += self.run_due()
        self.clock.now = until
        return outcomes

    def drop_tasks(self) -> list[Task]:
        """Lose every task; those that were lost."""
        lost, self.queue.tasks = self.queue.tasks, []
        return lost

    def sweep(self, **fields: Any) -> Reply:
        return self.post("/api/v1/tasks/sweep", fields, token=SECRET)

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Calls meanwhile are served by another process over the same store and queue."""
        here = self.runtime
        self.runtime = _SERVED["runtime"] = replace(here, locks=NamedLocks())
        yield
        self.runtime = _SERVED["runtime"] = here

    # What tests look at ---------------------------------------------------------------------

    def stored(self, ref: Ref) -> Document:
        document = self.store.inner.get(ref)
        assert document is not None, f"{ref} is not in the store"
        return document

    def content(self) -> list[Any]:
        """Every document that there is, with its version; but not the audit, which refusals add to."""
        return self.database.fetch(
            "SELECT key, version, body FROM documents WHERE collection <> 'events' ORDER BY key"
        )

    def spent(self, act: Callable[[], Reply]) -> list[str]:
        """What the store was asked for meanwhile. What was asked must have been answered well."""
        self.store.calls.clear()
        reply = act()
        assert reply.status < 400, reply.body
        return list(self.store.calls)

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """Fail if a document is written or a task enqueued meanwhile."""
        before, enqueued = self.content(), self.queue.enqueued
        yield
        assert self.content() == before
        assert self.queue.enqueued == enqueued


@contextmanager
def api_with(home: Path, **settings: object) -> Iterator[Api]:
    """An empty instance with other settings than the default ones."""
    made = Api(home, Settings.model_validate({"home": home, "callback_secret": SECRET, **settings}))
    yield made
    made.database.close()


def _content(response: TestResponse) -> Any:
    is_json = response.data and "json" in (response.mimetype or "")
    return response.get_json(force=True) if is_json else response.get_data(as_text=True)


def settle_task(environment_id: str, due_at: datetime | str) -> Task:
    """The task that looks at an environment that was due at a moment."""
    text = due_at if isinstance(due_at, str) else to_text(due_at)
    payload = {"collection": "environments", "id": environment_id, "due_at": text}
    return Task("/api/v1/tasks/settle", payload, from_text(text))
