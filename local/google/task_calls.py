"""The requests that a stand-in for Cloud Tasks makes: the task's own, and what Cloud Tasks adds to it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from google.cloud.tasks_v2 import types

from local.callbacks import DEADLINE_SECONDS, NoAnswer
from local.google.identity import Identity
from local.google.messages import span
from local.google.task_limits import DEFAULT_DEADLINE, Refused, method, sent_headers
from shared.clock import Clock

GONE = 200
"""What delivering a task that was deleted meanwhile counts as: done."""


class TaskSender:
    """A `local.callbacks.Send` that makes the request of the task that a payload names.

    Should the task be gone, none is made. No call waits longer than 30 s, whatever the task's dispatch
    deadline: that is how long the dispatcher's leases are made for.
    """

    def __init__(self, find: Callable[[str], types.Task], identity: Identity, clock: Clock) -> None:
        self._find = find
        self._identity = identity
        self._clock = clock

    def __call__(self, _path: str, payload: Mapping[str, Any], said: Mapping[str, str]) -> int:
        """See `Send`."""
        try:
            task = self._find(payload["id"])
        except Refused:
            return GONE
        return self._call(task, {**sent_headers(task), **_names(task, said), **self._authorization(task)})

    def _call(self, task: types.Task, headers: Mapping[str, str]) -> int:
        url = urlsplit(task.http_request.url)
        deadline = min(span(task.dispatch_deadline) or DEFAULT_DEADLINE, timedelta(seconds=DEADLINE_SECONDS))
        connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = connect(url.netloc, timeout=deadline.total_seconds())
        target = url.path or "/"
        try:
            connection.request(
                method(task).name,
                f"{target}?{url.query}" if url.query else target,
                task.http_request.body,
                headers,
            )
            with connection.getresponse() as response:
                response.read()
                return response.status
        except (OSError, HTTPException) as fault:
            raise NoAnswer(str(fault) or type(fault).__name__) from fault
        finally:
            connection.close()

    def _authorization(self, task: types.Task) -> dict[str, str]:
        """HttpRequest.oidc_token: "will be generated and attached as an Authorization header"."""
        request = task.http_request
        if "oidc_token" not in request:
            return {}
        # Of the audience: "If not specified, the URI specified in target will be used."
        audience = request.oidc_token.audience or request.url
        token = self._identity.token(request.oidc_token.service_account_email, audience, self._clock())
        return {"Authorization": f"Bearer {token}"}


def _names(task: types.Task, said: Mapping[str, str]) -> dict[str, str]:
    """What the dispatcher says of an attempt, with this queue's and this task's name."""
    queue, _, name = task.name.rpartition("/tasks/")
    return {
        **said,
        "User-Agent": "Google-Cloud-Tasks",
        "X-CloudTasks-QueueName": queue.rpartition("/")[2],
        "X-CloudTasks-TaskName": name,
    }
