"""The task queue on Google Cloud: every task is a call that Cloud Tasks makes as a service account."""

import json
import random
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.errors import Unavailable
from shared.loading import uncollected
from shared.ports import Task

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksClient

HORIZON = timedelta(days=30) - timedelta(hours=1)
"""Cloud Tasks takes 30 days by its own clock; the hour is for clocks that differ."""
DISPATCH_DEADLINE = timedelta(seconds=30)
"""How long an answer may take: a little longer than a function may run."""

TRIES = 3
TRY_SECONDS = 2.0
PAUSE_SECONDS = 0.25
"""The longest pause before the second try; before the third it is twice that."""
TROUBLE_SECONDS = 10.0
"""For so long after a failure there is one try only: a request waits for each."""
RECONNECT_MILLISECONDS = 1_000
"""The longest that gRPC waits before it connects again. Its own two minutes would outlast most outages."""


class CloudTasksQueue:
    """`ports.TaskQueue` over a queue of Cloud Tasks.

    Constructing it loads and touches nothing: the client is made at the first use, one per process.
    `endpoint` is host:port of a stand-in, spoken to without TLS and without credentials.
    """

    def __init__(self, queue: str, tasks_url: str, account: str, endpoint: str | None = None) -> None:
        self._queue = queue
        self._tasks_url = tasks_url
        self._account = account
        self._endpoint = endpoint
        self._making = threading.Lock()
        self._made: CloudTasksClient | None = None
        self._in_trouble_until = 0.0

    @property
    def horizon(self) -> timedelta:
        """See the port."""
        return HORIZON

    def enqueue(self, task: Task) -> None:
        """See the port. In an outage it takes 7 s at most, and 2 s when the last call failed just now."""
        from google.api_core.exceptions import GoogleAPICallError  # noqa: PLC0415 - loaded at the first use
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - likewise

        try:
            self._create(self._message(task))
        except (GoogleAPICallError, GoogleAuthError) as fault:
            self._in_trouble_until = time.monotonic() + TROUBLE_SECONDS
            raise Unavailable("queue") from fault
        self._in_trouble_until = 0.0

    def _create(self, message: dict[str, Any]) -> None:
        """Create the task, tried again where that may help.

        One that a lost answer made a failure of exists twice then, which is harmless; it has no name to
        find that out by, because names take longer and stay blocked for a day.
        """
        from google.api_core.exceptions import ServerError, TooManyRequests  # noqa: PLC0415 - likewise

        request = {"parent": self._queue, "task": message}
        tries = 1 if time.monotonic() < self._in_trouble_until else TRIES
        for done in range(1, tries + 1):
            try:
                self._client().create_task(request, timeout=TRY_SECONDS, retry=None)
            except (ServerError, TooManyRequests):
                if done == tries:
                    raise
                time.sleep(random.uniform(0, PAUSE_SECONDS * done))  # noqa: S311 - jitter is no secret
            else:
                return

    def _message(self, task: Task) -> dict[str, Any]:
        return {
            "http_request": {
                "http_method": "POST",
                "url": self._tasks_url + task.path,
                "headers": {"Content-Type": "application/json"},
                "body": json.dumps(dict(task.payload)).encode(),
                "oidc_token": {"service_account_email": self._account, "audience": self._tasks_url},
            },
            "schedule_time": task.at,
            "dispatch_deadline": DISPATCH_DEADLINE,
        }

    def _client(self) -> "CloudTasksClient":
        with self._making:
            if self._made is None:
                self._made = make_client(self._endpoint)
            return self._made


def make_client(endpoint: str | None) -> "CloudTasksClient":
    """A client of Cloud Tasks, or of what stands in for it."""
    with uncollected():
        import grpc  # noqa: PLC0415 - likewise
        from google.cloud.tasks_v2 import CloudTasksClient  # noqa: PLC0415 - likewise
        from google.cloud.tasks_v2.services.cloud_tasks.transports import (  # noqa: PLC0415 - likewise
            CloudTasksGrpcTransport,
        )

    soon = ("grpc.max_reconnect_backoff_ms", RECONNECT_MILLISECONDS)

    def channel(host: str, **given: Any) -> grpc.Channel:  # noqa: ANN401 - what the library gives
        options = [*given.pop("options"), soon]
        return CloudTasksGrpcTransport.create_channel(host, **given, options=options)

    plain = grpc.insecure_channel(endpoint, options=[soon]) if endpoint else None
    return CloudTasksClient(transport=CloudTasksGrpcTransport(channel=plain or channel))
