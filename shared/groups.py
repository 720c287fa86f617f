"""The functions that there are: the folders under `functions/`. A new one is found by being there."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path

from flask import Flask, Request
from werkzeug.wrappers import Response

from shared import config
from shared.http.app import create_app
from shared.http.routes import Group
from shared.runtime import runtime

_FOLDER = Path(__file__).parent.parent / "functions"


def names() -> list[str]:
    """Every function's name, sorted."""
    return sorted(folder.parent.name for folder in _FOLDER.glob("*/__init__.py"))


def load(name: str) -> Group:
    """A function's routes, imported now. Raises LookupError when there is none of the name."""
    if name not in names():
        raise LookupError(f"there is no function {name}")
    group = import_module(f"functions.{name}").group
    assert isinstance(group, Group)  # noqa: S101 - every folder's `group` is one
    return group


def application(name: str) -> Flask:
    """A function as a WSGI application. It builds its runtime when the first request comes."""
    return create_app(load(name), runtime)


@cache  # functions-framework asks twice: whether there is one, and for it
def entry_point(name: str) -> Callable[[Request], Response]:
    """A function as functions-framework wants it: a plain function from request to response.

    Raises LookupError when there is none of the name, and BadSetting now rather than at the first
    request: a process that can't work is not to listen.
    """
    app = application(name)
    config.load(keys=load(name).keys)

    def entry(request: Request) -> Response:
        return app.response_class.from_app(app.wsgi_app, request.environ)

    entry.__name__ = name
    return entry
