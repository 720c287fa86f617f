"""A function's Flask application, made from its group's routes."""

import re
import time
import traceback
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask, Response, g, request
from werkzeug import exceptions

from shared import errors, ids, log, request_errors
from shared.access import Caller
from shared.http import answers, health, parsing, problems, rates
from shared.http import audited as audit
from shared.http.authentication import admit, proving
from shared.http.connections import is_ending
from shared.http.origins import origin_of
from shared.http.routes import Answer, Call, Group, Route
from shared.http.types import Parameters, View
from shared.runtime import Runtime
from shared.startup import StartupError

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")


class Malformed(View):
    """What a task that can't be read is answered."""

    outcome: str


class NoParameters(Parameters):
    """A query that must be empty."""


def create_app(group: Group, runtime: Callable[[], Runtime]) -> Flask:
    """The application of a group. `runtime` is asked at each request, first when one comes."""
    app = Flask(group.name, static_folder=None)
    # One more than is taken: of a body without a length Werkzeug drops what is beyond, without a word.
    app.config["MAX_CONTENT_LENGTH"] = parsing.MOST_BODY_BYTES + 1
    app.url_map.merge_slashes = False
    for route in [*group.routes, *health.group.routes]:
        app.add_url_rule(
            re.sub(r"{(\w+)}", r"<\1>", route.full_path),
            endpoint=f"{route.method} {route.path}",
            view_func=partial(_handle, route, runtime),
            methods=[route.method],
            strict_slashes=False,  # a trailing slash is optional, without a redirect
        )
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(errors.EnvctlError, _problem)
    app.register_error_handler(exceptions.HTTPException, _http_problem)
    app.register_error_handler(Exception, _unexpected)
    return app


def _handle(route: Route, runtime: Callable[[], Runtime], **arguments: Any) -> Response:  # noqa: ANN401 - path parameters
    """Authenticate, then validate, then call the handler."""
    current = runtime()
    g.google = current.settings.google
    audit.begin(route, request, current)
    caller = g.caller = admit(route, request, current)
    rates.count(current, caller)
    with proving(current, caller):
        answer = _answer(route, audit.audited(current, caller), caller, arguments)
    return answers.response(answer)


def _answer(route: Route, current: Runtime, caller: Caller | None, arguments: dict[str, Any]) -> Answer:
    """Validate, then call the handler."""
    query = parsing.query(route.query or NoParameters, request)
    if route.query is not None:
        arguments["query"] = query
    if route.body is not None:
        try:
            arguments["body"] = parsing.json_body(route.body, request)
        except errors.EnvctlError as fault:
            if not route.internal:
                raise
            # A task that can't be read will never be better: acknowledged, and said aloud.
            log.write("ERROR", "malformed task", fault=str(fault), request_id=g.request_id)
            return Answer(200, Malformed(outcome="malformed"))
    if route.form is not None:
        arguments["form"] = parsing.form_body(route.form, request)
    if route.headers is not None:
        arguments["headers"] = parsing.headers(route.headers, request)
    call = Call(
        runtime=current,
        path=request.path,
        parameters=parsing.query_pairs(request),
        accept=request.headers.get("Accept", "*/*"),
        user=caller,
        origin=origin_of(request, current.settings.google),
        is_ending=is_ending(request),
        idempotency_key=parsing.idempotency_key(request) if route.repeatable else None,
        if_match=request.if_match if route.conditional and "If-Match" in request.headers else None,
    )
    g.noted = call.noted
    return route.handler(call, **arguments)


def _begin() -> None:
    """Name the request: as the client does if it can be believed, else at random."""
    g.began = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.extend(g.get("rate_headers", {}))
    log.write(
        "INFO",
        "request",
        method=request.method,
        route=str(request.url_rule),
        ids=_named(request.view_args),
        status=response.status_code,
        ms=round((time.perf_counter() - g.began) * 1000, 2),
        request_id=g.request_id,
        **_caller_ids(g.get("caller")),
        **_trace(),
        retry=request.headers.get("X-CloudTasks-TaskRetryCount"),
        **g.get("noted", {}),
    )
    return response


def _named(parameters: dict[str, Any] | None) -> dict[str, str | None] | None:
    """The ids in the path. Anything else in the place of one may be what must not be in a log: a token."""
    if not parameters:
        return None
    return {name: value if ids.is_any(value) else None for name, value in parameters.items()}


def _trace() -> dict[str, str | None]:
    """The platform's trace, on Google Cloud also as its logs want it to show a request's lines together."""
    given = request.headers.get("X-Cloud-Trace-Context")
    trace_id, google = (given or "").partition("/")[0], g.get("google")
    linked = google is not None and _TRACE_ID.fullmatch(trace_id)
    link = {"logging.googleapis.com/trace": f"projects/{google.project}/traces/{trace_id}"} if linked else {}
    return {"trace": given, **link}


def _caller_ids(caller: Caller | None) -> dict[str, str]:
    """Who it was, if that is certain."""
    if caller is None or not caller.is_proven:
        return {}
    token = caller.credential
    return {"user_id": caller.user_id, **({} if token is None else {"api_token_id": token.ref.id})}


def _problem(error: errors.EnvctlError) -> Response:
    if isinstance(error, StartupError):  # the data folder went away after the start
        log.write("ERROR", "the database can't be used", fault=str(error), request_id=g.request_id)
        return _problem(errors.Unavailable("database"))
    kind = problems.kind_of(error)
    if type(error) not in problems.KINDS:
        return _unexpected(error)
    audit.refuse(error)
    body = problems.body(error, request.path, g.request_id)
    return Response(body, kind.status, problems.headers(error))


def _http_problem(fault: exceptions.HTTPException) -> Response:
    """What Flask itself refuses, in our words."""
    if isinstance(fault, exceptions.MethodNotAllowed):
        return _problem(request_errors.MethodNotAllowed(request.method, sorted(fault.valid_methods or ())))
    if isinstance(fault, exceptions.NotFound):
        return _problem(request_errors.UnknownPath(request.path))
    if isinstance(fault, exceptions.RequestEntityTooLarge):
        return _problem(request_errors.BodyTooLarge(parsing.MOST_BODY_BYTES))
    if fault.code is not None and 400 <= fault.code < 500:
        return _problem(request_errors.MalformedBody(fault.name.lower()))
    return _unexpected(fault)


def _unexpected(fault: Exception) -> Response:
    """A mistake of ours: everything goes to the log, nothing to the client."""
    log.write(
        "ERROR",
        "unexpected fault",
        request_id=g.request_id,
        fault=type(fault).__name__,
        stack=traceback.format_exception(fault),
    )
    return _problem(errors.Internal())
