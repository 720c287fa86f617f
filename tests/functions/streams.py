"""Streams of logs, opened on an instance in this process."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from tests.events import STREAM
from tests.functions.api import Api, api_with

RETRY = "retry: 1000\n\n"
HEARTBEAT = ":\n\n"


def logs(deployment_id: str) -> str:
    return f"/api/v1/deployments/{deployment_id}/logs"


def cancel(api: Api, deployment_id: str) -> None:
    assert api.post(f"/api/v1/deployments/{deployment_id}/cancel").status in {200, 202}


def text_of(api: Api, deployment_id: str, query: str = "", **headers: str) -> str:
    """A stream's whole text."""
    reply = api.get(logs(deployment_id) + query, headers={**STREAM, **headers})
    assert reply.status == 200
    return str(reply.body)


@contextmanager
def opened(api: Api, deployment_id: str, **headers: str) -> Iterator[Iterator[str]]:
    """A stream's pieces, for a client that goes away with the block."""
    response = api.send("GET", logs(deployment_id), headers={**STREAM, **headers})
    with closing(response):
        yield (piece.decode() for piece in response.iter_encoded())


def long(tmp_path: Path, **settings: object) -> AbstractContextManager[Api]:
    """An instance whose deployments take a minute."""
    return api_with(tmp_path, running_seconds=60, **settings)
