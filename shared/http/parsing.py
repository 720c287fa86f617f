"""From bytes to validated models: strict JSON, strict forms, strict queries."""

import json
import math
import re
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from flask import Request
from pydantic import ValidationError
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from shared.errors import Fault, InvalidInput
from shared.http.types import Action, Input, Parameters
from shared.request_errors import BodyTooLarge, MalformedBody, UnsupportedMediaType
from shared.wording import in_words

MOST_BODY_BYTES = 65_536
MOST_PARAMETERS = 20
"""Of a query or a form."""

_IDEMPOTENCY_KEY = re.compile("[ -~]{1,255}")
JSON_TYPES = ("application/json", "application/merge-patch+json")
FORM_TYPE = "application/x-www-form-urlencoded"

InputT = TypeVar("InputT", bound=Input)
ParametersT = TypeVar("ParametersT", bound=Parameters)


def json_body(model: type[InputT], request: Request) -> InputT:
    """The JSON body as a model. An action's may be absent."""
    if issubclass(model, Action) and not _data(request):
        return model()
    if request.mimetype not in JSON_TYPES:
        _refuse_media_type("application/json", request)
    value = _loads(_data(request))
    if not isinstance(value, dict):
        raise InvalidInput([Fault("", "must be an object")])
    try:
        return model.model_validate(value)
    except ValidationError as fault:
        raise InvalidInput(_faults(fault, in_body=True)) from fault


def form_body(model: type[ParametersT], request: Request) -> ParametersT:
    """The form in the body as a model."""
    if request.mimetype != FORM_TYPE:
        _refuse_media_type(FORM_TYPE, request)
    return _parameters(model, _data(request), in_body=True)


def query(model: type[ParametersT], request: Request) -> ParametersT:
    """The query as a model."""
    return _parameters(model, request.query_string, in_body=False)


def headers(model: type[ParametersT], request: Request) -> ParametersT:
    """Those headers that the model knows, by their aliases. An empty one is as one that is not there."""
    names = [info.alias or name for name, info in model.model_fields.items()]
    given = {name: value for name in names if (value := request.headers.get(name))}
    try:
        return model.model_validate(given)
    except ValidationError as fault:
        raise InvalidInput(_faults(fault, in_body=False)) from fault


def query_pairs(request: Request) -> dict[str, str]:
    """The query as it came. Only for queries that `query` has accepted."""
    return dict(parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True))


def idempotency_key(request: Request) -> str | None:
    """The `Idempotency-Key`, if there is one."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        detail = "must be 1 to 255 printable ASCII characters"
        raise InvalidInput([Fault("Idempotency-Key", detail, in_body=False)])
    return key


def _refuse_media_type(expected: str, request: Request) -> NoReturn:
    if not request.content_type and not _data(request):
        raise MalformedBody(f"it is missing; this operation takes {expected}")
    raise UnsupportedMediaType(expected, request.content_type)


def _data(request: Request) -> bytes:
    try:
        data = request.get_data()
    except RequestEntityTooLarge as fault:
        raise BodyTooLarge(MOST_BODY_BYTES) from fault
    except ClientDisconnected as fault:
        raise MalformedBody("it ended early") from fault
    except Exception as fault:  # each server has its own for a body that is not framed as HTTP asks
        raise MalformedBody("it is not framed as its headers say") from fault
    if request.content_length is not None and len(data) < min(request.content_length, MOST_BODY_BYTES):
        raise MalformedBody("it ended early")
    if len(data) > MOST_BODY_BYTES:
        raise BodyTooLarge(MOST_BODY_BYTES)
    return data


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedBody(f"the number {text[:40]} is out of range")
    return number


def _no_constant(text: str) -> NoReturn:
    raise MalformedBody(f"{text} is no JSON value")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedBody("an object has a key twice")
    return found


def _loads(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            parse_float=_finite,
            parse_constant=_no_constant,
            object_pairs_hook=_distinct,
        )
    except UnicodeDecodeError:
        raise MalformedBody("it is not UTF-8") from None
    except RecursionError:
        raise MalformedBody("it is nested too deeply") from None
    except ValueError as fault:  # not JSON, or a number with thousands of digits
        raise MalformedBody(f"it is no valid JSON ({str(fault)[:200]})") from None


def _parameters(model: type[ParametersT], raw: bytes, *, in_body: bool) -> ParametersT:
    given: dict[str, str] = {}
    for name, value in _pairs(raw, in_body=in_body):
        if name in given:
            raise InvalidInput([_fault(name, "is given more than once", in_body=in_body)])
        given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as fault:
        raise InvalidInput(_faults(fault, in_body=in_body)) from fault


def _pairs(raw: bytes, *, in_body: bool) -> list[tuple[str, str]]:
    if raw.count(b"&") >= MOST_PARAMETERS:
        if in_body:
            raise MalformedBody(f"it has more than {MOST_PARAMETERS} fields")
        raise InvalidInput([Fault("query", f"has more than {MOST_PARAMETERS} parameters", in_body=False)])
    try:
        return parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        if in_body:
            raise MalformedBody("it is no valid form") from None
        raise InvalidInput([Fault("query", "is not percent-encoded UTF-8", in_body=False)]) from None


def _fault(name: str, detail: str, *, in_body: bool) -> Fault:
    return Fault(f"/{name}" if in_body else name, detail, in_body)


def _faults(error: ValidationError, *, in_body: bool) -> list[Fault]:
    """Pydantic's findings with places that clients know: JSON pointers (RFC 6901) or parameters' names."""
    faults = []
    for finding in error.errors(include_url=False, include_input=False):
        place = [str(part).replace("~", "~0").replace("/", "~1") for part in finding["loc"]]
        where = "".join(f"/{part}" for part in place) if in_body else place[0] if place else ""
        faults.append(Fault(where.encode("utf-8", "replace").decode(), in_words(finding), in_body))
    return faults
