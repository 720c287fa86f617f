"""Every answer is held against the OpenAPI document and the rules that it can't state."""
# ruff: noqa: ANN401 - any JSON value

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

from jsonschema_rs import Draft202012Validator
from werkzeug.test import TestResponse

DOCUMENT: dict[str, Any] = json.loads((files("functions.docs") / "openapi.json").read_text())
PROBLEM = "application/problem+json"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
LINK = re.compile(r'</api/v1/[^>]+>; rel="next"')


@cache
def operations() -> list[tuple[re.Pattern[str], str, dict[str, Any]]]:
    """Path as a pattern (a trailing slash is optional), method, description: fixed paths before others."""
    return [
        (re.compile(re.sub(r"{\w+}", "[^/]+", path) + "/?"), method.upper(), operation)
        for path, item in sorted(DOCUMENT["paths"].items(), key=lambda item: item[0].count("{"))
        for method, operation in item.items()
    ]


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What the document says about an operation; None if it isn't documented."""
    return next(
        (found for regex, name, found in operations() if name == method and regex.fullmatch(path)), None
    )


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": DOCUMENT["components"]})


def hold_against(schema: dict[str, Any], body: Any) -> None:
    faults = [
        f"{fault.instance_path}: {fault.message}"
        for fault in _validator(json.dumps(schema)).iter_errors(body)
    ]
    assert not faults, faults


def check(method: str, target: str, response: TestResponse) -> None:
    """Fail unless the answer is what the contract says."""
    path = unquote(target.partition("?")[0], errors="replace")
    assert response.headers.get("X-Request-Id"), "no X-Request-Id"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.status_code != 500, response.get_data(as_text=True)
    operation = operation_of(method, path)
    if operation is not None and response.status_code != 405:
        assert str(response.status_code) in operation["responses"], f"{response.status_code} is undocumented"
    if response.status_code >= 400:
        _check_problem(path, response)
    elif operation is not None:
        _check_success(operation["responses"][str(response.status_code)], response)


def _check_problem(path: str, response: TestResponse) -> None:
    assert response.content_type == PROBLEM
    body = json.loads(response.data)
    hold_against({"$ref": "#/components/schemas/Problem"}, body)
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert body["instance"] == path
    assert body["detail"].endswith("."), "detail is a sentence"
    assert ("WWW-Authenticate" in response.headers) == (response.status_code == 401)
    assert ("Allow" in response.headers) == (response.status_code == 405)
    assert ("errors" in body) == (response.status_code == 422)
    assert ("Retry-After" in response.headers) == (response.status_code in {429, 503})
    assert "ETag" not in response.headers


def _check_success(described: dict[str, Any], response: TestResponse) -> None:
    assert ("Location" in response.headers) == (response.status_code == 201)
    assert response.headers.get("Location", "/api/v1/").startswith("/api/v1/")
    assert LINK.fullmatch(response.headers.get("Link", '</api/v1/x>; rel="next"'))
    if "content" not in described:
        assert response.data == b""
        assert "Content-Type" not in response.headers
        return
    assert response.mimetype in described["content"], response.content_type
    if response.mimetype != "application/json":
        return
    body = json.loads(response.data)
    hold_against(described["content"]["application/json"]["schema"], body)
    _check_moments(body)
    etag = body.get("etag") if isinstance(body, dict) else None
    assert response.headers.get("ETag") == etag
    assert etag is None or re.fullmatch(r'"[^"]+"', etag), "a strong entity tag"


def _check_moments(value: Any) -> None:
    """Times have microseconds and are UTC, wherever they stand."""
    if isinstance(value, list):
        for item in value:
            _check_moments(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in {"config", "fail_at"}:
                continue
            if isinstance(item, str) and (name.endswith("_at") or name in {"at", "time"}):
                assert MOMENT.fullmatch(item), f"{name}: {item}"
            _check_moments(item)
