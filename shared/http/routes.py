"""Routes as data: what a function serves, what the OpenAPI document is made of, what tests walk."""

import inspect
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_type_hints

from werkzeug.datastructures import ETags, MIMEAccept
from werkzeug.http import parse_accept_header

from shared import ids
from shared.access import Caller
from shared.config import KeyName
from shared.domain.roles import Permission
from shared.errors import EnvctlError, PreconditionFailed
from shared.http.origins import Origin
from shared.http.types import Input, Parameters, Resource, View
from shared.idempotency import Intent, repeatable
from shared.runtime import Runtime

BASE_PATH = "/api/v1"
JSON = "application/json"
TEXT = "text/plain"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Representation:
    """An object as JSON text, and its entity tag."""

    json: str
    etag: str


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a handler sees it."""

    runtime: Runtime
    path: str
    """Path-absolute, as the client sent it."""
    parameters: Mapping[str, str]
    """The query as it came, for links to other pages."""
    accept: str
    user: Caller | None = None
    origin: Origin = field(default_factory=Origin)
    """Where it comes from."""
    is_ending: Callable[[], bool] = lambda: False
    """Whether the connection is ending meanwhile: the client has gone, or the server is to end."""
    idempotency_key: str | None = None
    """Where the route takes one."""
    if_match: ETags | None = None
    """The entity tags that the client wants one of, where it does and the route looks at them."""
    noted: dict[str, Any] = field(default_factory=dict)
    """What the request's line in the log says besides: ids and outcomes, never what a client sent."""

    def preferred(self, *media_types: str) -> str:
        """Which of these media types the client would rather have; the first one if it doesn't say.

        Parameters, such as a charset, make no difference.
        """
        accepted = parse_accept_header(self.accept, MIMEAccept)
        plain = MIMEAccept((name.partition(";")[0].strip(), quality) for name, quality in accepted)
        return plain.best_match(media_types, media_types[0])

    def intent(self, kind: str, body: Input) -> Intent:
        """What the request wants to create; the same for every request with its idempotency key."""
        if self.idempotency_key is None:
            return Intent(ids.new_part())
        request = json.dumps([self.path.rstrip("/"), body.model_dump()], default=str)
        return repeatable(self.runtime.keys, self.caller, kind, self.idempotency_key, request)

    def require_match(self, shown: Callable[[], Representation]) -> None:
        """Raise PreconditionFailed unless If-Match, where it is given, names what is shown now.

        Strong comparison (RFC 9110, 13.1.1).
        """
        if self.if_match is not None and not self.if_match.contains(shown().etag.strip('"')):
            raise PreconditionFailed

    @property
    def caller(self) -> Caller:
        """Who calls. Only routes that ask for a token have one."""
        assert self.user is not None  # noqa: S101 - a route that uses it asks for a token
        return self.user


@dataclass(frozen=True, slots=True)
class File:
    """Bytes to send as they are."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class EventStream:
    """Server-sent events as text, sent piece by piece as they come; closed in whatever way it ends."""

    pieces: Generator[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers: a status and one or several objects, text, a file, events, or nothing."""

    status: int
    body: View | Representation | Sequence[View | Representation] | str | File | EventStream | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


HandlerT = TypeVar("HandlerT", bound=Callable[..., Answer])


@dataclass(frozen=True, slots=True)
class Route:
    """One operation."""

    group: str
    method: str
    path: str
    """Below the base path, with {parameters}; `/health` and the like stand at the root."""
    handler: Callable[..., Answer]
    answers: Mapping[int, Any]
    """By status: a View, list[View], str for text, EventStream, None for no body. Several by `|`."""
    refusals: Sequence[type[EnvctlError]]
    """Problems beyond those that follow from the rest."""
    public: bool
    """Whether it works without an access token."""
    internal: bool
    """Whether it is called by the platform only, with the callback's credential."""
    documented: bool
    """Whether it is in the OpenAPI document."""
    repeatable: bool
    """Whether it takes an idempotency key."""
    conditional: bool
    """Whether it looks at If-Match."""
    needs: Permission | None
    """What its caller must be permitted. None: a login, because it is about the caller's own account;
    of a route that takes no access token: nothing."""
    body: type[Input] | None
    form: type[Parameters] | None
    query: type[Parameters] | None
    headers: type[Parameters] | None

    @property
    def full_path(self) -> str:
        """The path as clients send it."""
        return self.path if self.path in ROOT_PATHS else BASE_PATH + self.path

    @property
    def shows_resource(self) -> bool:
        """Whether it shows one object with an entity tag: then it looks at If-None-Match."""
        shown = self.answers.get(200)
        return self.method == "GET" and isinstance(shown, type) and issubclass(shown, Resource)


def _needed(method: str, path: str) -> Permission | None:
    """What a route needs that doesn't say it."""
    if path.startswith("/auth/"):
        return None
    return Permission.READ if method == "GET" else Permission.DEPLOY


def _taken_by(handler: Callable[..., Answer]) -> dict[str, Any]:
    """A handler, and what it takes beside the call."""
    assert "call" in inspect.signature(handler).parameters  # noqa: S101 - caught at import
    hints = get_type_hints(handler)
    return {"handler": handler, **{name: hints.get(name) for name in ("body", "form", "query", "headers")}}


ROOT_PATHS = {"/", "/health", "/openapi.json", "/docs", "/redoc", "/assets/{name}"}


class Group:
    """The routes of one function. Its folder under `functions/` has it as `group`."""

    def __init__(self, name: str, about: str, keys: Sequence[KeyName] = get_args(KeyName)) -> None:
        self.name = name
        self.about = about
        self.keys = keys
        """What its function is given of the instance's keys, and refuses to start without."""
        self.routes: list[Route] = []

    def route(  # noqa: PLR0913 - a route's whole description stands at its handler
        self,
        method: str,
        path: str,
        answers: Mapping[int, Any],
        refusals: Sequence[type[EnvctlError]] = (),
        *,
        public: bool = False,
        internal: bool = False,
        documented: bool = True,
        repeatable: bool = False,
        conditional: bool = False,
        needs: Permission | None = None,
    ) -> Callable[[HandlerT], HandlerT]:
        """Register a handler. What it takes follows from its parameters' names and types.

        It needs what its method does (GET to read, others to deploy) unless that is said; below `/auth`
        it takes a login, and no API token.
        """

        def register(handler: HandlerT) -> HandlerT:
            self.routes.append(
                Route(
                    group=self.name,
                    method=method,
                    path=path,
                    answers=answers,
                    refusals=refusals,
                    public=public,
                    internal=internal,
                    documented=documented and not internal,
                    repeatable=repeatable,
                    conditional=conditional,
                    needs=None if public or internal else needs or _needed(method, path),
                    **_taken_by(handler),
                )
            )
            return handler

        return register
