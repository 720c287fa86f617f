"""OpenAPI links: from an answer that shows an object to the operations that take its id in their path.

They follow from the route table: nobody writes them. `shared.http.openapi` puts them into the document.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin

from shared.http.routes import Route

Schema = dict[str, Any]


def links(route: Route, status: int, routes: Sequence[Route]) -> Schema:
    """The links of an answer, by the operation that each leads to.

    From what a 201 has made, and from the first item of a list of what no 201 makes, such as sessions.
    """
    shown = route.answers[status]
    if status == 201:
        view, place = shown, ""
    elif get_origin(shown) is list and not any(
        other.path == route.path and 201 in other.answers for other in routes
    ):
        [view], place = get_args(shown), "/0"
    else:
        return {}
    name = _own_parameter(route, view, routes)
    if name is None:
        return {}
    field = name if name in view.model_fields else "id"
    known = {part: f"$request.path.{part}" for part in _path_parameters(route)}
    known[name] = f"$response.body#{place}/{field}"
    return {target.handler.__name__: _link(target, known) for target in _reached(routes, name, known)}


def _link(target: Route, known: Mapping[str, str]) -> Schema:
    parameters = {name: known[name] for name in _path_parameters(target)}
    return {"operationId": target.handler.__name__, "parameters": parameters}


def _reached(routes: Iterable[Route], name: str, known: Mapping[str, str]) -> list[Route]:
    """The operations that take this parameter, and no other whose value isn't known."""
    taken = [(route, _path_parameters(route)) for route in routes]
    return [route for route, names in taken if name in names and known.keys() >= set(names)]


def _own_parameter(route: Route, view: Any, routes: Sequence[Route]) -> str | None:  # noqa: ANN401 - a type
    """What paths call the id of such an object: the parameter below the route, or that of the GET of one."""
    for other in routes:
        below, _, last = other.path.rpartition("/")
        if last.startswith("{") and (
            below == route.path or (other.method == "GET" and other.answers.get(200) is view)
        ):
            return last.strip("{}")
    return None


def _path_parameters(route: Route) -> list[str]:
    return re.findall(r"{(\w+)}", route.path)
