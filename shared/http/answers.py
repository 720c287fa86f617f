"""From views to responses: JSON, entity tags, links to the next page."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from flask import Response
from pydantic import BaseModel

from shared.http.routes import Answer, File
from shared.http.types import View


class Resource(View):
    """A single object with its entity tag."""

    etag: str
    """Strong; equal to the ETag header. A hash of what the object shows."""


ResourceT = TypeVar("ResourceT", bound=Resource)


def resource(model: type[ResourceT], **fields: Any) -> ResourceT:  # noqa: ANN401 - checked by the model
    """The view with its entity tag: quoted, as the header and If-Match have it (RFC 9110)."""
    view = model(etag="", **fields)
    shown = view.model_dump_json(exclude={"etag"})
    view.etag = f'"{hashlib.sha256(shown.encode()).hexdigest()[:24]}"'
    return view


def response(answer: Answer) -> Response:
    """The answer as Flask sends it."""
    headers = {"Cache-Control": "private, no-cache", **answer.headers}
    body = answer.body
    if body is None:
        return Response(status=answer.status, headers=headers)
    if isinstance(body, str):
        return Response(body, answer.status, {"Content-Type": "text/plain; charset=utf-8", **headers})
    if isinstance(body, File):
        return Response(body.content, answer.status, {"Content-Type": body.media_type, **headers})
    if isinstance(body, Resource):
        headers["ETag"] = body.etag
    return Response(_json(body), answer.status, {"Content-Type": "application/json", **headers})


def _json(body: BaseModel | Sequence[BaseModel]) -> str:
    if isinstance(body, BaseModel):
        return body.model_dump_json()
    return "[" + ",".join(item.model_dump_json() for item in body) + "]"


def text_of(value: str | None) -> Any:  # noqa: ANN401 - any JSON value
    """A stored JSON text as the value it stands for."""
    return None if value is None else json.loads(value)
