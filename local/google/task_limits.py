"""What Cloud Tasks refuses, each with the vendor's sentence for it.

Sentences without an address are from the reference of the messages, which the client library carries
(`google/cloud/tasks_v2`); the page of limits is https://cloud.google.com/tasks/docs/quotas.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import grpc
from google.cloud.tasks_v2 import types

from local.google.messages import moment, span

HORIZON = timedelta(days=30)
"""Page of limits: "Maximum schedule time for a task: 30 days from current date and time". The service says
so, too: "Schedule time must be no more than 720h in the future."
(https://github.com/keypup-io/cloudtasker/issues/45)."""
RETENTION = timedelta(days=31)
"""CreateQueue: "After a task is 31 days old, the task will be deleted regardless of whether it was
dispatched or not."."""
NAME_BLOCKED = timedelta(hours=24)
"""CreateTaskRequest: "If a task's ID is identical to that of an existing task or a task that was deleted or
executed recently then the call will fail with ALREADY_EXISTS. […] It can take up to 24 hours […] for the
task ID to be released and made available again."."""
TASK_BYTES = 1_048_576
""""1MB limit on cloud tasks as stated here: https://cloud.google.com/tasks/docs/quotas"
(https://github.com/googleapis/google-cloud-go/issues/7821, where the client says 100KB); what the service
says is "Task size too large" (https://github.com/googleapis/repo-automation-bots/issues/893)."""
HEADER_BYTES = 80 * 1_024
"""HttpRequest.headers: "The size of the headers must be less than 80KB."."""
URL_LENGTH = 2_083
"""HttpRequest.url: "The maximum allowed URL length is 2083 characters after encoding."."""
DEADLINES = timedelta(seconds=15), timedelta(minutes=30)
"""Task.dispatch_deadline: "The deadline must be in the interval [15 seconds, 30 minutes]."."""
DEFAULT_DEADLINE = timedelta(minutes=10)
"""Task.dispatch_deadline: "For HTTP tasks, the default is 10 minutes."."""
CALL_SECONDS = 30.0
"""The service's own words: "The request deadline is … The deadline cannot be more than 30s in the future."
(https://github.com/googleapis/google-cloud-ruby/issues/3941)."""
DISPATCHES_PER_SECOND = 500
"""RateLimits.max_dispatches_per_second: "The maximum allowed value is 500."."""
CONCURRENT_DISPATCHES = 5_000
"""RateLimits.max_concurrent_dispatches: "The maximum allowed value is 5,000."."""

_QUEUE_NAME = re.compile(r"projects/[A-Za-z0-9:.-]+/locations/[a-z0-9-]+/queues/[A-Za-z0-9-]{1,100}")
"""Queue.name: "QUEUE_ID can contain letters ([A-Za-z]), numbers ([0-9]), or hyphens (-). The maximum length
is 100 characters."."""
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
"""Task.name: "TASK_ID can contain only letters ([A-Za-z]), numbers ([0-9]), hyphens (-), or underscores (_).
The maximum length is 500 characters."."""
_WITH_BODY = {types.HttpMethod.POST, types.HttpMethod.PUT, types.HttpMethod.PATCH}
"""HttpRequest.body: "A request body is allowed only if the HTTP method is POST, PUT, or PATCH. It is an error
to set body on a task with an incompatible HttpMethod."."""
_REPLACED = re.compile(r"(?i)(host|content-length|user-agent|x-google-.*|x-appengine-.*|x-cloudtasks-.*)")
"""HttpRequest.headers: "Some HTTP request headers will be ignored or replaced. A partial list […]: Host […]
Content-Length […] User-Agent: This will be set to "Google-Cloud-Tasks". X-Google-*: Google use only.
X-AppEngine-*: Google use only."; HttpTarget adds "headers, prefixed with "X-CloudTasks-"."."""


class Refused(Exception):
    """A call that Cloud Tasks answers with an error."""

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        self.code = code
        super().__init__(detail)


def _invalid(detail: str) -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, detail)


def check_queue(queue: types.Queue) -> None:
    """Raise Refused for a queue that can't be."""
    if not _QUEUE_NAME.fullmatch(queue.name):
        raise _invalid("Invalid resource field value in the request: queue.name.")
    if not 0 <= queue.rate_limits.max_dispatches_per_second <= DISPATCHES_PER_SECOND:
        raise _invalid("Queue.rate_limits.max_dispatches_per_second must be at most 500.")
    if not 0 <= queue.rate_limits.max_concurrent_dispatches <= CONCURRENT_DISPATCHES:
        raise _invalid("Queue.rate_limits.max_concurrent_dispatches must be at most 5000.")
    # Of max_attempts: "Must be greater than or equal to -1, which indicates unlimited attempts."
    if queue.retry_config.max_attempts < -1:
        raise _invalid("Queue.retry_config.max_attempts must be -1 or more.")


def task_id(task: types.Task, queue_name: str) -> str | None:
    """The id in a task's name, None if it has no name. Raises Refused for what is no name in this queue."""
    if not task.name:
        return None
    queue, _, name = task.name.rpartition("/tasks/")
    if queue != queue_name or not _TASK_ID.fullmatch(name):
        raise _invalid(f"Task name must be formatted: {queue_name}/tasks/TASK_ID.")
    return name


def check_task(task: types.Task, now: datetime) -> None:
    """Raise Refused for a task that can't be, the moment given."""
    for check in _CHECKS:
        check(task)
    if "schedule_time" in task and moment(task.schedule_time) > now + HORIZON:
        raise _invalid(
            f"The Task.scheduleTime, {moment(task.schedule_time).isoformat()}, is too far in the future. "
            "Schedule time must be no more than 720h in the future."
        )


def _check_target(task: types.Task) -> None:
    if "http_request" not in task:
        raise _invalid("Task must have an http_request: nothing else is served here.")
    url = task.http_request.url
    # HttpRequest.url: "This string must begin with either "http://" or "https://"."
    if not re.match(r"https?://[^/?#]", url) or len(url) > URL_LENGTH:
        raise _invalid("HttpRequest.url must start with 'http://' or 'https://' and be at most 2083 long.")


def _check_size(task: types.Task) -> None:
    if len(types.Task.serialize(task)) > TASK_BYTES:
        raise _invalid("Task size too large")


def _check_headers(task: types.Task) -> None:
    headers = task.http_request.headers
    if sum(len(name.encode()) + len(value.encode()) for name, value in headers.items()) >= HEADER_BYTES:
        raise _invalid("HttpRequest.headers must be less than 80KB.")


def _check_body(task: types.Task) -> None:
    if task.http_request.body and method(task) not in _WITH_BODY:
        raise _invalid("HttpRequest.body is allowed with POST, PUT and PATCH only.")


def _check_deadline(task: types.Task) -> None:
    least, most = DEADLINES
    if "dispatch_deadline" in task and not least <= span(task.dispatch_deadline) <= most:
        raise _invalid("Task.dispatchDeadline must be between [15s, 30m].")


_CHECKS: tuple[Callable[[types.Task], None], ...] = (
    _check_target,
    _check_size,
    _check_headers,
    _check_body,
    _check_deadline,
)


def method(task: types.Task) -> types.HttpMethod:
    """HttpRequest.http_method: "The default is POST."."""
    return types.HttpMethod(task.http_request.http_method or types.HttpMethod.POST)


def sent_headers(task: types.Task) -> dict[str, str]:
    """Of a task's own headers those that are neither ignored nor replaced."""
    return {name: value for name, value in task.http_request.headers.items() if not _REPLACED.fullmatch(name)}
