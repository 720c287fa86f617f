"""Which function answers a path, on one port for all of them."""

from collections.abc import Container

from shared.http.routes import BASE_PATH

_PREFIX = BASE_PATH + "/"
_ROOT = "docs"
"""The function that answers outside the base path, and for names that no function has."""


def function_for(path: str, names: Container[str]) -> str:
    """The function NAME for `/api/v1/NAME/…` if it is one of the names, docs for everything else."""
    name = path[len(_PREFIX) :].partition("/")[0] if path.startswith(_PREFIX) else _ROOT
    return name if name in names else _ROOT
