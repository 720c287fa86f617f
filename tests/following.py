"""Following a log over a real connection."""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse

from shared.times import from_text
from tests.events import STREAM, Follower


@contextmanager
def connected(
    port: int, token: str, deployment_id: str, headers: Mapping[str, str] = STREAM, patience: float = 30
) -> Iterator[HTTPResponse]:
    """A stream that has begun; the client goes away with the block. TimeoutError: nothing more has come."""
    connection = HTTPConnection("127.0.0.1", port, timeout=patience)
    with closing(connection):
        path = f"/api/v1/deployments/{deployment_id}/logs"
        connection.request("GET", path, headers={**headers, "Authorization": f"Bearer {token}"})
        with connection.getresponse() as response:
            assert response.status == 200, response.read()
            yield response


def follow(port: int, token: str, deployment_id: str, give_up_after: float = 30) -> tuple[Follower, float]:
    """A client that follows to the end, coming again as it is told; and how late an entry was at most."""
    follower, latest = Follower(), 0.0
    give_up_at = time.monotonic() + give_up_after
    while follower.end is None:
        assert time.monotonic() < give_up_at, "the log has no end"
        with connected(port, token, deployment_id, follower.headers) as response:
            while piece := response.read1(65_536):
                known, now = len(follower.entries), datetime.now(UTC)
                follower.read(piece.decode())
                fresh = [from_text(entry["time"]) for entry in follower.entries[known:]]
                latest = max([latest, *((now - at).total_seconds() for at in fresh)])
        if follower.end is None:
            assert follower.retries, "it is told when to come again"
            time.sleep(follower.retries[-1] / 1_000)
    return follower, latest


def finds_a_place(port: int, token: str, deployment_id: str) -> bool:
    """Whether a stream is held, and not told at once to come again. The deployment says nothing meanwhile."""
    with connected(port, token, deployment_id, patience=1.5) as response:
        said = b""
        try:
            while b"retry" not in said:
                said += response.read1(65_536)
        except TimeoutError:
            return True
    return False
