"""From views to responses: JSON, entity tags, links to the next page."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request

from shared.http.routes import EVENT_STREAM, Answer, EventStream, File, Representation
from shared.http.types import Resource, View


def represent(model: type[Resource], **fields: Any) -> Representation:  # noqa: ANN401 - checked by the model
    """An object as JSON with its entity tag, quoted as the header and If-Match have it (RFC 9110).

    The tag is a hash of what the object shows: strong, and the same wherever it is computed.
    """
    shown = model(etag="", **fields).model_dump_json(exclude={"etag"})
    etag = f'"{hashlib.sha256(shown.encode()).hexdigest()[:24]}"'
    return Representation(f'{shown[:-1]},"etag":{json.dumps(etag)}}}', etag)


def response(answer: Answer) -> Response:
    """The answer as Flask sends it."""
    headers = {"Cache-Control": "private, no-cache", **answer.headers}
    body = answer.body
    if body is None:
        return _empty(answer.status, headers)
    if isinstance(body, str):
        return Response(body, answer.status, {"Content-Type": "text/plain; charset=utf-8", **headers})
    if isinstance(body, File):
        sent = Response(body.content, answer.status, {"Content-Type": body.media_type, **headers})
        sent.add_etag()
        sent.make_conditional(request)
        return sent
    if isinstance(body, EventStream):
        return Response(body.pieces, answer.status, {"Content-Type": EVENT_STREAM, **headers})
    if isinstance(body, Representation):
        headers["ETag"] = body.etag
        if answer.status == 200 and _has_seen(body.etag):
            return _empty(304, headers)
    return Response(_json(body), answer.status, {"Content-Type": "application/json", **headers})


def _empty(status: int, headers: Mapping[str, str]) -> Response:
    empty = Response(status=status, headers=dict(headers))
    del empty.headers["Content-Type"]  # Flask names one for nothing too
    return empty


def _has_seen(etag: str) -> bool:
    """Whether a reader has this already: weak comparison (RFC 9110, 13.1.2)."""
    return request.method in {"GET", "HEAD"} and request.if_none_match.contains_weak(etag.strip('"'))


def _json(body: View | Representation | Sequence[View | Representation]) -> str:
    if isinstance(body, View):
        return body.model_dump_json()
    if isinstance(body, Representation):
        return body.json
    return "[" + ",".join(map(_json, body)) + "]"


def text_of(value: str | None) -> Any:  # noqa: ANN401 - any JSON value
    """A stored JSON text as the value it stands for."""
    return None if value is None else json.loads(value)
