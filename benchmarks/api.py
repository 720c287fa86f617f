"""The calls that prepare a measurement and watch one."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from benchmarks.wire import Connection, Exchange, clock, opened, request

PASSWORD = "benchmark-Passw0rd"  # noqa: S105 - of accounts that live for seconds
LONGEST = 60.0


class Unexpected(Exception):
    """A preparing call was answered something else than it must be."""


class Api:
    """A user's calls. Each uses a free connection, or opens one."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = ""
        self.email = f"{secrets.token_hex(8)}@example.com"
        self._free: list[Connection] = []

    async def send(self, raw: bytes) -> Exchange:
        """What became of a request."""
        try:
            connection = self._reused() or await opened(self.port)
        except OSError as fault:
            now = clock()
            return Exchange(0, b"", b"", type(fault).__name__, now, now)
        answered: asyncio.Future[Exchange] = asyncio.get_running_loop().create_future()
        connection.send(raw, answered.set_result)
        try:
            # Not wait_for: until Python 3.12 it loses a cancel that comes together with the answer.
            async with asyncio.timeout(LONGEST):
                exchange = await asyncio.shield(answered)
        except TimeoutError:
            connection.close()
            return await answered
        self._free.append(connection)
        return exchange

    def _reused(self) -> Connection | None:
        """A connection that is free, if there is one."""
        while self._free:
            if (connection := self._free.pop()).usable:
                return connection
        return None

    async def many(self, requests: Sequence[bytes], clients: int = 32) -> list[Exchange]:
        """What became of each request, so many at a time."""
        found: list[Exchange | None] = [None] * len(requests)
        waiting = iter(enumerate(requests))

        async def client() -> None:
            for number, raw in waiting:
                found[number] = await self.send(raw)

        await asyncio.gather(*(client() for _ in range(clients)))
        return [exchange for exchange in found if exchange is not None]

    async def call(self, method: str, path: str, body: Any = None, **how: str) -> Any:  # noqa: ANN401 - JSON
        """The JSON answer of a call that must succeed."""
        exchange = await self.send(request(method, "/api/v1" + path, self.token, body, **how))
        if not 200 <= exchange.status < 300:
            raise Unexpected(f"{method} {path}: {exchange.outcome} {exchange.body[:300]!r}")
        return exchange.json() if exchange.body else None

    def post(self, path: str, body: Any) -> bytes:  # noqa: ANN401 - any JSON value
        """A POST of this user's."""
        return request("POST", "/api/v1" + path, self.token, body)

    def get(self, path: str) -> bytes:
        """A GET of this user's."""
        return request("GET", "/api/v1" + path, self.token)

    async def walk(self, path: str) -> list[tuple[Exchange, list[Any]]]:
        """Every page of a list, following `Link`."""
        pages = []
        target = "/api/v1" + path
        while target:
            exchange = await self.send(request("GET", target, self.token))
            if exchange.status != 200:
                raise Unexpected(f"GET {target}: {exchange.outcome} {exchange.body[:300]!r}")
            pages.append((exchange, exchange.json()))
            target = exchange.header("Link").partition("<")[2].partition(">")[0]
        return pages

    def login_form(self, password: str = PASSWORD, email: str = "") -> bytes:
        """A login."""
        form = urlencode({"username": email or self.email, "password": password})
        return request("POST", "/api/v1/auth/login", form=form)


async def new_user(port: int) -> Api:
    """A user who has registered and logged in."""
    api = Api(port)
    await api.call("POST", "/auth/register", {"email": api.email, "password": PASSWORD})
    exchange = await api.send(api.login_form())
    api.token = exchange.json()["access_token"]
    return api


async def new_project(api: Api) -> str:
    """A project's id."""
    body = {"name": "benchmark", "description": "payment service"}
    return str((await api.call("POST", "/projects", body))["id"])


def environment_request(api: Api, project_id: str) -> bytes:
    """The request that opens an ephemeral environment."""
    body = {"name": "preview-pr-123", "type": "ephemeral", "ttl_hours": 24}
    return api.post(f"/environments/projects/{project_id}", body)


async def created(api: Api, requests: Sequence[bytes], clients: int = 32) -> list[str]:
    """The ids of what the requests create; all of them must succeed."""
    exchanges = await api.many(requests, clients)
    failed = Counter(exchange.outcome for exchange in exchanges if exchange.status != 201)
    if failed:
        raise Unexpected(f"of {len(requests)} creates: {dict(failed)}")
    return [exchange.json()["id"] for exchange in exchanges]


async def statuses(api: Api, project_id: str) -> Counter[str]:
    """How many environments of a project show each status."""
    pages = await api.walk(f"/environments/projects/{project_id}?page_size=100")
    return Counter(item["status"] for _, items in pages for item in items)
