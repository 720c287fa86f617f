"""How requests reach the handlers: by themselves, or through HTTP and all that stands in front of them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Protocol
from urllib.parse import parse_qsl

from flask import Flask

from shared import groups, tokens
from shared.access import Caller
from shared.domain.roles import Permission
from shared.errors import EnvctlError
from shared.http import problems
from shared.http.app import create_app
from shared.http.routes import Answer, Call, Representation, Route
from shared.http.types import View
from shared.runtime import Runtime
from tests.simulation.world import BIRTH, KEYS, SECRET

USER = f"usr-{'u' * 32}{'v' * 16}"
TOKEN = tokens.issue(KEYS, USER, "t", BIRTH, timedelta(days=36_500))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request was answered."""

    status: int
    body: Any = None
    code: str | None = None
    """Of the problem, if it is one."""

    @property
    def is_done(self) -> bool:
        return self.status < 300

    @property
    def is_unknown(self) -> bool:
        """Whether it may have been carried out or not."""
        return self.status == 503


class Driver(Protocol):
    """Sends a request to a server."""

    def __call__(
        self,
        runtime: Runtime,
        method: str,
        target: str,
        body: Any = None,  # noqa: ANN401 - any JSON value
        key: str | None = None,
    ) -> Reply:
        """The answer. A path of the tasks function is called as the platform, another one as the user."""


def direct(
    runtime: Runtime,
    method: str,
    target: str,
    body: Any = None,  # noqa: ANN401 - likewise
    key: str | None = None,
) -> Reply:
    """The handlers and what they use, without HTTP."""
    path, _, query = target.partition("?")
    route, arguments = _route(method, path)
    parameters = dict(parse_qsl(query))
    if route.body is not None:
        arguments["body"] = route.body.model_validate(body or {})
    if route.query is not None:
        arguments["query"] = route.query.model_validate(parameters)
    if route.headers is not None:
        arguments["headers"] = route.headers.model_validate({})
    caller = None if route.internal else Caller(USER, route.needs or Permission.ADMIN)
    call = Call(runtime, path, parameters, "*/*", caller, idempotency_key=key if route.repeatable else None)
    try:
        answer = route.handler(call, **arguments)
    except EnvctlError as fault:
        kind = problems.kind_of(fault)
        return Reply(kind.status, None, kind.code)
    return Reply(answer.status, _content(answer))


def _content(answer: Answer) -> Any:  # noqa: ANN401 - likewise
    body = answer.body
    if isinstance(body, Representation):
        return json.loads(body.json)
    if isinstance(body, View):
        return body.model_dump(mode="json")
    if isinstance(body, Sequence) and not isinstance(body, str):
        return [_content(Answer(200, item)) for item in body]
    return None


@cache
def _routes() -> list[tuple[str, re.Pattern[str], Route]]:
    return [
        (route.method, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route.full_path)), route)
        for name in groups.names()
        for route in sorted(groups.load(name).routes, key=lambda one: one.path.count("{"))
    ]


def _route(method: str, path: str) -> tuple[Route, dict[str, Any]]:
    for wanted, pattern, route in _routes():
        if wanted == method and (match := pattern.fullmatch(path)):
            return route, dict(match.groupdict())
    raise LookupError(f"{method} {path}")


_SERVED: dict[str, Runtime] = {}


@cache
def _app(name: str) -> Flask:
    return create_app(groups.load(name), lambda: _SERVED["runtime"])


def http(
    runtime: Runtime,
    method: str,
    target: str,
    body: Any = None,  # noqa: ANN401 - likewise
    key: str | None = None,
) -> Reply:
    """The functions' applications, in this process."""
    _SERVED["runtime"] = runtime
    route, _ = _route(method, target.partition("?")[0])
    headers = {"Authorization": f"Bearer {SECRET if route.internal else TOKEN}", "X-Request-Id": "simulated"}
    if key is not None:
        headers["Idempotency-Key"] = key
    more: Mapping[str, Any] = {}
    if body is not None:
        more = {"data": json.dumps(body), "content_type": "application/json"}
    with _app(route.group).test_client().open(target, method=method, headers=headers, **more) as response:
        content = response.get_json(force=True) if "json" in (response.mimetype or "") else None
        status = response.status_code
    code = content["type"].rpartition(":")[2] if content and status >= 400 else None
    return Reply(status, content, code)
