"""Calls to Firestore: every one with a deadline, tried again within a budget, its errors in our words."""

import random
import time
from collections.abc import Callable, Iterable
from typing import Any

import grpc
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport

from shared.errors import Unavailable

BUDGET_SECONDS = 10.0
"""How long one call of the port takes at most, with everything that it tries."""
TRY_SECONDS = 5.0
"""How long Firestore may take for one answer."""
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),  # the connection may have died while the instance was frozen
    # gRPC's own two minutes would outlast most outages.
    ("grpc.max_reconnect_backoff_ms", 1_000),
)

_REFUSALS = (
    exceptions.AlreadyExists,
    exceptions.FailedPrecondition,
    exceptions.NotFound,
    exceptions.Aborted,
    exceptions.InvalidArgument,  # the emulator's word for a version that is later than the document's
)
_PASSING = (
    exceptions.ServerError,  # unavailable, deadline exceeded, internal, unknown: nothing to rely on
    exceptions.ResourceExhausted,
    exceptions.Aborted,
    exceptions.Cancelled,
)

Rpc = Callable[..., Any]
"""A method of Google's client."""


class Refused(Exception):
    """The server has turned a call down: a precondition does not hold, say. Its cause is Google's error."""


class Unanswered(Exception):
    """Nobody knows whether a commit was carried out. Its cause is Google's error."""


class Patience:
    """What is left of the time that a call of the port may take."""

    def __init__(self, within: float | None = None) -> None:
        self._give_up_at = time.monotonic() + min(BUDGET_SECONDS, within or BUDGET_SECONDS)
        self._pause = FIRST_PAUSE_SECONDS

    @property
    def timeout(self) -> float:
        """How long the next try may take."""
        return min(TRY_SECONDS, max(0.001, self._give_up_at - time.monotonic()))

    def pause(self, fault: Exception) -> None:
        """Wait before the next try, full jitter. Raises Unavailable when there is no time for one."""
        if time.monotonic() + self._pause > self._give_up_at:
            raise Unavailable("database") from fault
        time.sleep(random.uniform(0, self._pause))  # noqa: S311 - jitter is no secret
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)


class Connection:
    """Google's generated client, for one database. It serves many threads, of one process."""

    def __init__(self, project: str, database: str, emulator: str | None) -> None:
        self.database = f"projects/{project}/databases/{database}"
        self._metadata = [("google-cloud-resource-prefix", self.database)]
        if emulator is not None:
            self._metadata.append(("authorization", "Bearer owner"))
        try:
            self.client = FirestoreClient(transport=FirestoreGrpcTransport(channel=_channel(emulator)))
        except GoogleAuthError as fault:
            raise Unavailable("database") from fault

    def close(self) -> None:
        """Close it."""
        self.client.transport.close()  # type: ignore[no-untyped-call]

    def read(self, rpc: Rpc, request: object, patience: Patience) -> list[Any]:
        """Everything that a streaming call answers. Raises Refused, Unavailable."""
        while True:
            try:
                return [type(part).pb(part) for part in self._call(rpc, request, patience)]
            except _PASSING as fault:
                patience.pause(fault)
            except exceptions.FailedPrecondition as fault:
                raise Refused from fault
            except exceptions.GoogleAPICallError as fault:  # an instance that is set up wrongly
                raise Unavailable("database") from fault

    def commit(self, request: types.CommitRequest, patience: Patience) -> None:
        """Carry out the writes: one try. Raises Refused, Unanswered, Unavailable."""
        try:
            self._call(self.client.commit, request, patience)
        except _REFUSALS as fault:
            raise Refused from fault
        except _PASSING as fault:
            raise Unanswered from fault
        except exceptions.GoogleAPICallError as fault:  # likewise
            raise Unavailable("database") from fault

    def _call(self, rpc: Rpc, request: object, patience: Patience) -> Iterable[Any]:
        # No retry of Google's: it would repeat commits, and knows nothing of our budget.
        answer: Iterable[Any] = rpc(request, retry=None, timeout=patience.timeout, metadata=self._metadata)
        return answer


def _channel(emulator: str | None) -> grpc.Channel:
    if emulator is not None:
        return grpc.insecure_channel(emulator, options=_OPTIONS)
    return FirestoreGrpcTransport.create_channel(options=_OPTIONS)
