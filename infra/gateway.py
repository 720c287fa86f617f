"""`python -m infra.gateway`: infra/gateway.json.tftpl, what API Gateway serves, made from the route table.

API Gateway reads OpenAPI 2.0. Each operation goes to the function that has it. Whatever else lies below
a function's prefix goes there too, so that a trailing slash, a wrong method and an unknown path are
answered as everywhere: by the function, as a problem. The callbacks' function is not behind the gateway.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared import groups
from shared.http import health
from shared.http.routes import Route

Operation = dict[str, Any]

FUNCTIONS = Path(__file__).parent / "functions.json"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
DEADLINE = 30.0
"""Seconds that the gateway waits: a little longer than a function may run."""
FRONT = "docs"
"""What answers at the root, for its own paths and for those that nobody has."""


def functions() -> dict[str, dict[str, Any]]:
    """The function map."""
    found: dict[str, dict[str, Any]] = json.loads(FUNCTIONS.read_text(encoding="utf-8"))
    return found


def document() -> dict[str, Any]:
    """The document; `${urls.NAME}` is where Terraform writes a function's address."""
    paths: dict[str, dict[str, Operation]] = {}
    for name, entry in functions().items():
        if "gateway" in entry["invoked_by"]:
            for path, method, operation in (*_catch_all(name, entry["routes"]), *_own(name)):
                paths.setdefault(path, {})[method] = operation
    return {
        "swagger": "2.0",
        "info": {"title": "${title}", "version": "1"},
        "schemes": ["https"],
        "produces": ["application/json"],
        "x-google-allow": "configured",
        "paths": dict(sorted(paths.items())),
    }


def _own(name: str) -> Iterator[tuple[str, str, Operation]]:
    """A function's routes. `/health` alone is every function's, and asked of the one at the root."""
    routes = [*groups.load(name).routes, *(health.group.routes if name == FRONT else [])]
    for route in routes:
        yield route.full_path, route.method.lower(), _operation(name, route.full_path, _id(route))


def _id(route: Route) -> str:
    return route.handler.__name__


def _catch_all(name: str, prefixes: list[str]) -> Iterator[tuple[str, str, Operation]]:
    """Every method at each prefix and below it."""
    for prefix in prefixes:
        for path, place in ((prefix, "at"), (prefix.rstrip("/") + "/{rest=**}", "below")):
            for method in METHODS:
                yield path, method, _operation(name, path, f"{name}_{place}_{method}")


def _operation(name: str, path: str, operation_id: str) -> Operation:
    url = f"${{urls.{name}}}"
    return {
        "operationId": operation_id,
        "parameters": [
            {"name": parameter, "in": "path", "required": True, "type": "string"}
            for parameter in re.findall(r"{(\w+)", path)
        ],
        "responses": {"default": {"description": "As the OpenAPI document of the API says."}},
        "x-google-backend": {
            "address": url,
            "jwt_audience": url,
            "path_translation": "APPEND_PATH_TO_ADDRESS",
            "deadline": DEADLINE,
        },
    }


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
