"""On Google's parts, on this machine: where a request's time goes, and many writers at one environment.

The emulator stands in for Firestore: what it takes says nothing about the service, only what is left does.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask

from benchmarks.api import new_project, new_user
from benchmarks.figures import Verdict
from benchmarks.load import distribution, median, milliseconds
from benchmarks.processes import Server, data_folder, running
from benchmarks.sections import table
from benchmarks.wire import Exchange
from local.google.firestore_emulator import firestore_emulator
from local.http_server import free_port
from shared import groups, log, runtime
from shared.adapters.firestore_store import FirestoreStore
from shared.callbacks import SecretCheck
from shared.config import Settings
from shared.http.app import create_app
from shared.keys import keys_in
from shared.ports import Document, Page, Query, Ref, Store, Task, Write

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PASSWORD = "secret123"  # noqa: S105 - of an account that lives for seconds
TO_RUNNING = 0.2
T = TypeVar("T")


class TimedStore:
    """A store, and how long its calls have taken."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.seconds = 0.0

    def _timed(self, call: Callable[[], T]) -> T:
        began = time.perf_counter()
        try:
            return call()
        finally:
            self.seconds += time.perf_counter() - began

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        """See the port; likewise the others."""
        return self._timed(lambda: self._inner.get(ref, within))

    def get_many(self, refs: Sequence[Ref]) -> list[Document | None]:
        """See the port."""
        return self._timed(lambda: self._inner.get_many(refs))

    def find(self, query: Query) -> Page:
        """See the port."""
        return self._timed(lambda: self._inner.find(query))

    def count(self, query: Query) -> int:
        """See the port."""
        return self._timed(lambda: self._inner.count(query))

    def commit(self, *writes: Write) -> None:
        """See the port."""
        self._timed(lambda: self._inner.commit(*writes))


class NoQueue:
    """A queue that takes everything and delivers nothing."""

    horizon = None

    def enqueue(self, task: Task) -> None:
        """See the port."""


class Client:
    """Every function in this process, over one store."""

    def __init__(self, at: runtime.Runtime) -> None:
        self._apps = {name: self._app(name, at).test_client() for name in groups.names()}
        self.token = ""
        self.seconds = 0.0
        """How long the last request took, without what it takes to make it here."""

    def call(self, method: str, path: str, body: Any = None, form: Any = None) -> Any:  # noqa: ANN401 - JSON
        """The JSON answer of a call that must succeed."""
        app = self._apps[path.split("/")[1]]
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = app.open(f"/api/v1{path}", method=method, json=body, data=form, headers=headers)
        if not 200 <= answer.status_code < 300:
            sys.exit(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.get_json()

    def _app(self, name: str, at: runtime.Runtime) -> Flask:
        app = create_app(groups.load(name), lambda: at)
        inner = app.wsgi_app

        def timed(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            began = time.perf_counter()
            try:
                return inner(environ, start_response)
            finally:
                self.seconds = time.perf_counter() - began

        app.wsgi_app = timed  # type: ignore[method-assign]  # Flask's own place for what stands around
        return app


def latency(times: int) -> dict[str, Any]:
    """One client's requests, in this process: all of their time, and the store's share of it."""
    log.write_from("ERROR")
    with data_folder() as home, firestore_emulator() as emulator:
        settings = Settings(home=home, provisioning_seconds=TO_RUNNING / 2)
        store = TimedStore(FirestoreStore("envctl-benchmark", "benchmark", emulator.host))
        at = runtime.Runtime(settings, keys_in(home), store, NoQueue(), SecretCheck(None))
        client = Client(at)
        requests = _requests(client)
        rows = {name: _split(client, store, request, times) for name, request in requests.items()}
        return {"emulator": emulator.source, "times": times, "requests": rows}


def _requests(api: Client) -> dict[str, Callable[[], Any]]:
    account = {"email": "benchmark@example.com", "password": PASSWORD}
    api.call("POST", "/auth/register", account)
    form = {"username": account["email"], "password": PASSWORD}
    api.token = api.call("POST", "/auth/login", form=form)["access_token"]
    project = api.call("POST", "/projects", {"name": "benchmark"})["id"]
    preview = {"name": "preview-pr-123", "type": "ephemeral"}
    environment = api.call("POST", f"/environments/projects/{project}", preview)["id"]
    time.sleep(TO_RUNNING)
    target = f"/deployments/environments/{environment}"
    deployment = api.call("POST", target, {"version": "v1"})["id"]
    return {
        "GET /auth/me": lambda: api.call("GET", "/auth/me"),
        "GET /projects/{id}": lambda: api.call("GET", f"/projects/{project}"),
        "GET /environments/{id}": lambda: api.call("GET", f"/environments/{environment}"),
        "GET /deployments/{id}": lambda: api.call("GET", f"/deployments/{deployment}"),
        "GET /environments (1)": lambda: api.call("GET", f"/environments/projects/{project}"),
        "POST /projects": lambda: api.call("POST", "/projects", {"name": "benchmark"}),
        "POST /environments": lambda: api.call("POST", f"/environments/projects/{project}", preview),
        "POST /deployments": lambda: api.call("POST", target, {"version": "v1"}),
        "POST /auth/login": lambda: api.call("POST", "/auth/login", form=form),
    }


def _split(client: Client, store: TimedStore, request: Callable[[], Any], times: int) -> dict[str, float]:
    ours, stores = [], []
    for _ in range(times):
        store.seconds = 0.0
        request()
        ours.append(client.seconds - store.seconds)
        stores.append(store.seconds)
    return {"ours_ms": milliseconds(median(ours)), "store_ms": milliseconds(median(stores))}


def stack_server(home: str, **more: str) -> Server:
    """The platform as it is deployed, as `make run-google` starts it, with more variables."""
    port = free_port()
    variables = {"PORT": str(port), "ENVCTL_HOME": home, **more}
    return Server([sys.executable, "-m", "local.google"], port, variables, "/health")


def writers(clients: int, each: int) -> dict[str, Any]:
    """So many clients that deploy to one environment at once, through the deployed functions."""
    with data_folder() as home, running(stack_server(str(home))) as server:
        return asyncio.run(_write(server.port, clients, each))


async def _write(port: int, clients: int, each: int) -> dict[str, Any]:
    api = await new_user(port)
    project = await new_project(api)
    preview = {"name": "preview-pr-123", "type": "ephemeral"}
    environment = (await api.call("POST", f"/environments/projects/{project}", preview))["id"]
    await asyncio.sleep(3)
    target = f"/deployments/environments/{environment}"
    began = time.perf_counter()
    exchanges = await api.many([api.post(target, {"version": "v1"})] * (clients * each), clients)
    took = time.perf_counter() - began
    made = [exchange for exchange in exchanges if exchange.status == 201]
    numbers = sorted(json.loads(exchange.body)["number"] for exchange in made)
    listed = [item["number"] for _, page in await api.walk(f"{target}?page_size=100") for item in page]
    return {
        "clients": clients,
        "requests": len(exchanges),
        "took": round(took, 2),
        "outcomes": dict(Counter(_outcome(exchange) for exchange in exchanges)),
        "latency": distribution([exchange.done - exchange.sent for exchange in made]),
        "lost": len(set(numbers) - set(listed)),
        "gapless": sorted(listed) == list(range(1, len(listed) + 1)),
        "distinct": len(set(numbers)) == len(numbers),
    }


def _outcome(exchange: Exchange) -> str:
    retry = " with Retry-After" if exchange.status == 503 and exchange.header("Retry-After") else ""
    return f"{exchange.outcome}{retry}"


def run(times: int = 200, clients: int = 64, each: int = 5) -> dict[str, Any]:
    """Both. Needs Google's Firestore emulator."""
    return {"latency": latency(times), "writers": writers(clients, each)}


def section(found: dict[str, Any]) -> tuple[list[str], list[Verdict]]:
    """Its part of results.md."""
    split, load = found["latency"], found["writers"]
    rows = [(name, each["ours_ms"], each["store_ms"]) for name, each in split["requests"].items()]
    outcomes = ", ".join(f"{count} x {name}" for name, count in load["outcomes"].items())
    return [
        "## On Firestore's emulator",
        "",
        (
            f"One client, every function in one process, {split['times']} requests each; the store is "
            f"{split['emulator']}. Milliseconds, medians: what a request takes apart from its calls of the "
            "store, and what those take, the client library included."
        ),
        "",
        *table(("request", "ours", "the store's"), rows),
        "",
        (
            f"{load['clients']} clients that deploy to one environment at once, through the functions as "
            f"`make run-google` starts them: {load['requests']} requests in {load['took']} s, {outcomes}; "
            f"p50 {load['latency']['p50']:.0f} ms, p99 {load['latency']['p99']:.0f} ms."
        ),
    ], [
        Verdict(
            f"{load['clients']} writers on one environment lose no update, get no 5xx but 503 with "
            "Retry-After, p99 under 2 s",
            f"{load['lost']} lost, {outcomes}, p99 {load['latency']['p99']:.0f} ms",
            met=load["lost"] == 0
            and load["gapless"]
            and load["distinct"]
            and set(load["outcomes"]) <= {"201", "429", "503 with Retry-After"}
            and load["latency"]["p99"] < 2_000,
        )
    ]
