"""The OpenAPI document, made from the routes. Run by `make openapi`; no function imports this module.

python -m shared.http.openapi > functions/docs/openapi.json
"""

import inspect
import json
import re
import sys
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared import errors, groups, request_errors
from shared.domain.roles import Permission
from shared.http import health, problems
from shared.http.links import links
from shared.http.openapi_parts import (
    EVENTS,
    HEADERS,
    LINES,
    PROBLEM,
    PROBLEM_HEADERS,
    REQUEST_HEADERS,
    SECURITY_SCHEMES,
    Schema,
)
from shared.http.parsing import FORM_TYPE
from shared.http.routes import EVENT_STREAM, JSON, TEXT, EventStream, Group, Route
from shared.http.types import Action, PageParameters, Parameters
from shared.version import VERSION

_REF = "#/components/schemas/{model}"
_LOGIN: list[Schema] = [{"password": []}, {"bearer": []}]
_ANY_TOKEN: list[Schema] = [*_LOGIN, {"api_token": []}]


def document() -> Schema:
    """The whole document."""
    every = [health.group, *(groups.load(name) for name in groups.names())]
    routes = [route for group in every for route in group.routes if route.documented]
    schemas = _schemas(routes)
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.full_path, {})[route.method.lower()] = _operation(route, routes, schemas)
    for parameters in {part.__name__ for route in routes for part in (route.query, route.headers) if part}:
        del schemas[parameters]  # they stand at their operations
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "envctl",
            "version": VERSION,
            "description": "Projects, environments that expire, and deployments: the control plane of "
            "an internal developer platform. A trailing slash is optional everywhere.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [_tag(group) for group in every if any(route.documented for route in group.routes)],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": PROBLEM},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _tag(group: Group) -> Schema:
    return {"name": group.name, "description": group.about}


def _schemas(routes: Iterable[Route]) -> dict[str, Schema]:
    inputs = {part for route in routes for part in _parts(route)}
    outputs = {model for route in routes for answer in route.answers.values() for model in _models(answer)}
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in inputs]
    wanted += [(model, "serialization") for model in outputs]
    wanted.sort(key=lambda pair: pair[0].__name__)
    schemas: dict[str, Schema] = models_json_schema(wanted, ref_template=_REF)[1]["$defs"]
    return schemas


def _parts(route: Route) -> list[type[BaseModel]]:
    return [part for part in (route.body, route.form, route.query, route.headers) if part]


def _models(answer: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - a type
    inner = get_args(answer) or (answer,)
    return [item for item in inner if isinstance(item, type) and issubclass(item, BaseModel)]


def _operation(route: Route, routes: Sequence[Route], schemas: dict[str, Schema]) -> Schema:
    summary, _, description = inspect.cleandoc(route.handler.__doc__ or "").partition("\n\n")
    more = {"description": description.replace("\n", " ")} if description else {}
    operation: Schema = {
        "tags": [route.group],
        "operationId": route.handler.__name__,
        "summary": summary.rstrip("."),
        **more,  # the viewers show it below the summary: it doesn't say the same again
        "parameters": [
            *_path_parameters(route),
            *_parameters("query", route.query, schemas),
            *_parameters("header", route.headers, schemas),
            *_common_headers(route),
        ],
        "responses": {**_answers(route, routes), **_problems(route)},
        "security": [] if route.public else _LOGIN if route.needs is None else _ANY_TOKEN,
    }
    for model, media_type in ((route.body, JSON), (route.form, FORM_TYPE)):
        if model is not None:
            content = {media_type: {"schema": {"$ref": _REF.format(model=model.__name__)}}}
            required = _is_required(model, schemas[model.__name__])
            operation["requestBody"] = {"required": required, "content": content}
    return operation


def _is_required(model: type[BaseModel], schema: Schema) -> bool:
    """Whether a body must be there: of an action an absent one stands for an empty object."""
    shapes = schema.get("anyOf", [{}])
    return not issubclass(model, Action) or all(shape.get("required") for shape in shapes)


def _path_parameters(route: Route) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]


def _parameters(place: str, model: type[Parameters] | None, schemas: dict[str, Schema]) -> list[Schema]:
    if model is None:
        return []
    found = []
    for name, field in schemas[model.__name__]["properties"].items():
        schema = {key: value for key, value in field.items() if key not in {"title", "description"}}
        if "anyOf" in schema:  # a parameter is left out, never null
            schema = next(option for option in schema["anyOf"] if option.get("type") != "null")
        parameter = {"name": name, "in": place, "description": field["description"], "schema": schema}
        if schema.get("type") == "array":
            # An empty list can't be told from an empty word.
            parameter |= {"style": "form", "explode": False, "schema": {**schema, "minItems": 1}}
        found.append(parameter)
    return found


def _common_headers(route: Route) -> list[Schema]:
    taken = {
        "Idempotency-Key": route.repeatable,
        "If-Match": route.conditional,
        "If-None-Match": route.shows_resource,
    }
    return [{"name": name, "in": "header", **REQUEST_HEADERS[name]} for name, is_so in taken.items() if is_so]


def _answers(route: Route, routes: Sequence[Route]) -> Schema:
    found: Schema = {}
    for status, answer in route.answers.items():
        described: Schema = {"description": "Success"}
        options = get_args(answer) if isinstance(answer, UnionType) else (answer,)
        content = dict(_content(option) for option in options if option is not None)
        if content:
            described["content"] = content
        names = _headers(route, status, answer)
        if status == 201 and route.repeatable:
            names.append("Idempotent-Replayed")
        described["headers"] = {name: HEADERS[name] for name in names}
        if following := links(route, status, routes):
            described["links"] = following
        found[str(status)] = described
    if route.shows_resource:
        headers = {name: HEADERS[name] for name in ("X-Request-Id", *_rate_headers(route), "ETag")}
        found["304"] = {"description": "What If-None-Match names is what there is.", "headers": headers}
    return found


def _content(option: Any) -> tuple[str, Schema]:  # noqa: ANN401 - a type
    if option is str:
        return TEXT, {"schema": {"type": "string", "examples": [LINES]}}
    if option is EventStream:
        described = {"type": "string", "description": "Events, as they come.", "examples": [EVENTS]}
        return EVENT_STREAM, {"schema": described}
    [model] = _models(option)
    schema: Schema = {"$ref": _REF.format(model=model.__name__)}
    if get_origin(option) is list:
        schema = {"type": "array", "items": schema}
    return JSON, {"schema": schema}


def _headers(route: Route, status: int, answer: Any) -> list[str]:  # noqa: ANN401 - a type
    names = ["X-Request-Id", *_rate_headers(route)]
    names += ["Location"] if status == 201 else []
    if route.query is not None and issubclass(route.query, PageParameters):
        names.append("Link")
    elif any("etag" in model.model_fields for model in _models(answer)):
        names.append("ETag")
    return names


def _rate_headers(route: Route) -> list[str]:
    return [] if route.public else ["RateLimit", "RateLimit-Policy"]


def _problems(route: Route) -> Schema:
    content = {problems.CONTENT_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
    titles: dict[int, set[str]] = {}
    for refusal in _refusals(route):
        kind = problems.KINDS[refusal]
        titles.setdefault(kind.status, set()).add(kind.title)
    return {
        str(status): {
            "description": " or ".join(sorted(titles[status])),
            "headers": {name: HEADERS[name] for name in ("X-Request-Id", *PROBLEM_HEADERS.get(status, ()))},
            "content": content,
        }
        for status in sorted(titles)
    }


def _refusals(route: Route) -> list[type[errors.EnvctlError]]:
    found = [*route.refusals, errors.InvalidInput, errors.Internal, errors.Unavailable]
    found += [errors.KeyReused] if route.repeatable else []
    found += [errors.PreconditionFailed] if route.conditional else []
    if not route.public:
        found += [errors.Unauthenticated, errors.TooManyRequests]
        if route.needs != Permission.READ:  # every role and every scope gives that
            found.append(errors.Forbidden)
    if "{" in route.path:
        found.append(errors.NotFound)
        if route.method != "GET":
            found.append(errors.Contended)
    if route.body or route.form:
        found += [
            request_errors.MalformedBody,
            request_errors.BodyTooLarge,
            request_errors.UnsupportedMediaType,
        ]
    return found


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1, sort_keys=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
