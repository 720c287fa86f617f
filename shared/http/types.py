"""Types of the fields that requests and answers are made of: their bounds, and how they look as JSON."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import literal_schema

from shared.times import to_text

MOST_CONFIG_BYTES = 16_384
DEEPEST_CONFIG = 32
MOST_DECIMALS = 6
"""Of a second."""

_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_PRINTABLE = rf"^[^{_CONTROL}]*$"
"""No control characters."""
_NOT_BLANK = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"
"""Nor only space: for the document."""


class Input(BaseModel):
    """A request's body: strict JSON types, unknown fields refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Action(Input):
    """What an action takes. An absent body stands for an empty object."""


class Nothing(Action):
    """The action takes nothing."""


class Parameters(BaseModel):
    """A request's query or form: text, each name once, unknown names refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """An object as clients see it. All keys are always there, null if unset."""

    model_config = ConfigDict(extra="forbid")


class Resource(View):
    """A single object that clients may change: it has an entity tag."""

    etag: str = Field(
        description="Strong; equal to the ETag header.", examples=['"6f1ed002ab5595859014ebf0"']
    )


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return text


def _text(most: int, least: int = 0) -> StringConstraints:
    return StringConstraints(min_length=least, max_length=most, pattern=_PRINTABLE)


_described_not_blank = Field(json_schema_extra={"pattern": _NOT_BLANK})
Name = Annotated[str, _text(100, 1), AfterValidator(_not_blank), _described_not_blank]
Description = Annotated[str, _text(1_000)]
Version = Annotated[str, _text(128, 1), AfterValidator(_not_blank), _described_not_blank]

_PROJECT, _ENVIRONMENT, _DEPLOYMENT = "prj-5ven5eaicuhzhih2", "lcpjldkxewmmx4yt", "dbjayipz6pki2azw"
_ACCOUNT = "nyvgepnhsxc73e6y5uadkfddrjunjkevmb4vsbexz5kxoqy4"
ProjectId = Annotated[str, Field(examples=[_PROJECT])]
EnvironmentId = Annotated[str, Field(examples=[f"env-{_PROJECT[4:]}{_ENVIRONMENT}"])]
UserId = Annotated[str, Field(examples=[f"usr-{_ACCOUNT}"])]
DeploymentId = Annotated[str, Field(examples=[f"dep-{_PROJECT[4:]}{_ENVIRONMENT}{_DEPLOYMENT}"])]
"""Ids that a server shows. Clients may not read anything off them."""

_SPACE = rf"\s{_CONTROL}"
_REPO_FORMS = (
    rf"(https?|ssh|git)://(%s[^{_SPACE}/@%s]+@)?[^{_SPACE}/@?#]+(/[^{_SPACE}]*)?"  # a URL
    rf"|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^{_SPACE}:]+"  # scp's form: git@host:path
)
_REPO_URL = re.compile(_REPO_FORMS % ("?P<login>", ""))
_REPO_URL_DESCRIBED = f"^({_REPO_FORMS % ('', ':')})$"
"""Without a password in it."""


def _repo_url(text: str) -> str:
    match = _REPO_URL.fullmatch(text)
    if match is None:
        raise PydanticCustomError(
            "repo_url", "must be an http, https, ssh or git URL, or have the form user@host:path"
        )
    if ":" in (match["login"] or ""):
        raise PydanticCustomError("repo_url", "must not carry a password")
    return text


RepoUrl = Annotated[
    str,
    _text(2_048, 1),
    AfterValidator(_repo_url),
    Field(json_schema_extra={"pattern": _REPO_URL_DESCRIBED}),
]


def depth(value: Any) -> int:  # noqa: ANN401 - any JSON value
    """How deeply lists and objects are nested: 0 for a scalar."""
    level, layer = 0, [value]
    while layer := [item for item in layer if isinstance(item, dict | list)]:
        level += 1
        layer = [inner for item in layer for inner in (item.values() if isinstance(item, dict) else item)]
    return level


def _config(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if depth(value) > DEEPEST_CONFIG:
        raise PydanticCustomError("config", "must not be nested deeper than 32 levels")
    try:
        size = len(config_text(value).encode())
    except UnicodeEncodeError:
        raise PydanticCustomError("config", "must not contain lone surrogates") from None
    if size > MOST_CONFIG_BYTES:
        raise PydanticCustomError("config", "must be at most 16384 bytes of JSON")
    return value


def config_text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A configuration as it is stored: compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


Config = Annotated[
    Any, AfterValidator(_config), WithJsonSchema({"description": "Free JSON, at most 16 KiB."})
]

Time = Annotated[
    datetime,
    PlainSerializer(to_text, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00.000000Z"]},
        mode="serialization",
    ),
]


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.(?P<decimals>\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _moment(text: Any) -> datetime:  # noqa: ANN401 - any JSON value
    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise PydanticCustomError("moment", "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z")
    if len(match["decimals"] or "") > MOST_DECIMALS:
        raise PydanticCustomError("moment", "must not be finer than microseconds")
    try:
        return datetime.fromisoformat(match[0].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("moment", "is no time that there is") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00Z"]}),
]
"""A time that a client sends, in any zone."""


def _moment_in_query(text: Any) -> datetime:  # noqa: ANN401 - a parameter as it came
    if isinstance(text, str) and " " in text:
        raise PydanticCustomError("moment", "must not contain a space; a + is written %2B in a query")
    return _moment(text)


MomentInQuery = Annotated[
    datetime,
    BeforeValidator(_moment_in_query),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00Z"]}),
]
"""Likewise; where a + that was not percent-encoded has become a space, the refusal says so."""


_NUMBER = r"[0-9]{1,9}(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?"
"""As JSON writes numbers, which is how programs write the smallest too: 1e-05."""


def _whole(text: Any) -> int:  # noqa: ANN401 - a parameter as it came
    if not (isinstance(text, str) and re.fullmatch("[0-9]{1,9}", text, re.ASCII)):
        raise PydanticCustomError("whole", "must be a whole number")
    return int(text)


def _number(text: Any) -> float:  # noqa: ANN401 - likewise
    if not (isinstance(text, str) and re.fullmatch(_NUMBER, text, re.ASCII)):
        raise PydanticCustomError("number", "must be a number that is not negative")
    return float(text)


def _flag(text: Any) -> bool:  # noqa: ANN401 - likewise
    if text not in {"true", "false"}:
        raise PydanticCustomError("flag", "must be true or false")
    return bool(text == "true")


def _comma_separated(text: Any) -> Any:  # noqa: ANN401 - likewise
    return tuple(text.split(",")) if isinstance(text, str) else text


class OneOf:
    """In `Annotated[str, OneOf(…)]`: one of these words."""

    def __init__(self, *words: str) -> None:
        self._words = [str(word) for word in words]

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The words as JSON Schema's `enum`."""
        del source, handler
        return literal_schema(self._words)


Flag = Annotated[bool, BeforeValidator(_flag)]
CommaSeparated = BeforeValidator(_comma_separated)
Whole = Annotated[int, Field(ge=0, le=999_999_999), BeforeValidator(_whole)]
Limit = Annotated[int, Field(ge=1, le=1_000), BeforeValidator(_whole)]
PageSize = Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)]


class ShowDeleted(Parameters):
    """Whether to see what is deleted."""

    show_deleted: Flag = Field(default=False, description="Show what is deleted too, until it is purged.")


class AsOf(ShowDeleted):
    """Which moment to look at."""

    at: MomentInQuery | None = Field(
        default=None,
        description="As it was at this moment: status, steps and what follows from them. Not later than now; "
        "404 before its creation. In an offset `+` is written `%2B`.",
    )


class Wait(AsOf):
    """Whether to answer only when something has come about."""

    wait_for: str | None = None
    timeout: Annotated[float, Field(ge=0, le=50), BeforeValidator(_number)] | None = Field(
        default=None,
        description="How many seconds to wait at most: 20 if left out, and never longer than 20.",
    )

    @field_validator("wait_for")
    @classmethod
    def _is_to_come(cls, status: str | None, given: ValidationInfo) -> str | None:
        if status is not None and given.data.get("at") is not None:
            raise PydanticCustomError("past", "must be left out where at is given: the past does not change")
        return status

    @field_validator("timeout")
    @classmethod
    def _is_for_a_wait(cls, seconds: float | None, given: ValidationInfo) -> float | None:
        if given.data.get("wait_for", "") is None:
            raise PydanticCustomError("no_wait", "is for waiting: it needs wait_for")
        return seconds


class PageParameters(Parameters):
    """Which page of a list."""

    page_size: PageSize = Field(default=50, description="How many objects a page has at most.")
    page_token: str | None = Field(default=None, description="From the Link header of the page before.")
