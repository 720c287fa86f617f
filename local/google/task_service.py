"""The methods of Cloud Tasks' service as its client calls them, and where its queues are kept."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import grpc
from google.cloud.tasks_v2 import types
from google.protobuf.empty_pb2 import Empty

from local.google.task_limits import CALL_SECONDS, Refused
from local.google.task_queue import TaskQueue

SERVICE = "google.cloud.tasks.v2.CloudTasks"


class Queues(Protocol):
    """The queues that there are, by their names."""

    def __getitem__(self, name: str) -> TaskQueue:
        """The queue. Raises Refused when there is none."""

    def __contains__(self, name: str) -> bool:
        """Whether there is such a queue."""

    def __iter__(self) -> Iterator[TaskQueue]:
        """All of them."""

    def put(self, settings: types.Queue) -> types.Queue:
        """Make a queue, or set one anew; how it is set. Raises Refused for settings that can't be."""

    def delete(self, name: str) -> None:
        """Delete a queue with its tasks. Raises Refused when there is none."""


class Service:
    """The methods of the service, each from a request's message to the answer's. They raise Refused."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def create_queue(self, request: types.CreateQueueRequest) -> types.Queue:
        """A new queue."""
        if request.queue.name in self._queues:
            raise Refused(grpc.StatusCode.ALREADY_EXISTS, "Queue already exists")
        return self._queues.put(request.queue)

    def update_queue(self, request: types.UpdateQueueRequest) -> types.Queue:
        """A queue with other settings.

        UpdateQueue: "This method creates the queue if it does not exist and updates the queue if it does
        exist."; Queue.state: "UpdateQueue cannot be used to change state."
        """
        given = request.queue
        if given.name not in self._queues:
            return self._queues.put(given)
        paths = request.update_mask.paths
        changed = types.Queue(self._queues[given.name].settings) if paths else given
        if paths:
            request.update_mask.MergeMessage(types.Queue.pb(given), types.Queue.pb(changed))
        changed.state = self._queues[given.name].settings.state
        return self._queues.put(changed)

    def get_queue(self, request: types.GetQueueRequest) -> types.Queue:
        """A queue as it is set."""
        return self._queues[request.name].settings

    def list_queues(self, request: types.ListQueuesRequest) -> types.ListQueuesResponse:
        """The queues of a project and location, on one page."""
        found = [queue.settings for queue in self._queues if queue.name.startswith(f"{request.parent}/")]
        return types.ListQueuesResponse(queues=found)

    def delete_queue(self, request: types.DeleteQueueRequest) -> Empty:
        """DeleteQueue: "This command will delete the queue even if it has tasks in it."."""
        self._queues.delete(request.name)
        return Empty()

    def purge_queue(self, request: types.PurgeQueueRequest) -> types.Queue:
        """PurgeQueue: "All tasks created before this method is called are permanently deleted."."""
        queue = self._queues[request.name]
        queue.purge()
        return queue.settings

    def pause_queue(self, request: types.PauseQueueRequest) -> types.Queue:
        """PauseQueue: "Tasks can still be added when the queue is paused."."""
        return self._queues[request.name].turn(types.Queue.State.PAUSED)

    def resume_queue(self, request: types.ResumeQueueRequest) -> types.Queue:
        """ResumeQueue: "This method resumes a queue after it has been PAUSED"."""
        return self._queues[request.name].turn(types.Queue.State.RUNNING)

    def create_task(self, request: types.CreateTaskRequest) -> types.Task:
        """A new task. CreateTaskRequest.parent: "The queue must already exist."."""
        task = self._queues[request.parent].add(request.task)
        return _viewed(task, request.response_view)

    def get_task(self, request: types.GetTaskRequest) -> types.Task:
        """GetTask: "A GetTask request for a deleted task returns a NOT_FOUND error."."""
        queue, name = self._place(request.name)
        return _viewed(queue.get(name), request.response_view)

    def list_tasks(self, request: types.ListTasksRequest) -> types.ListTasksResponse:
        """ListTasks: "The tasks may be returned in any order."; here on one page."""
        tasks = self._queues[request.parent].list(request.page_size or 1_000)
        return types.ListTasksResponse(tasks=[_viewed(task, request.response_view) for task in tasks])

    def delete_task(self, request: types.DeleteTaskRequest) -> Empty:
        """DeleteTask: "A task can be deleted if it is scheduled or dispatched."."""
        queue, name = self._place(request.name)
        queue.delete(name)
        return Empty()

    def _place(self, name: str) -> tuple[TaskQueue, str]:
        queue, _, task = name.rpartition("/tasks/")
        return self._queues[queue], task


def _viewed(task: types.Task, view: types.Task.View) -> types.Task:
    """Task.View: "By default response_view is BASIC […] This view does not include the body"."""
    task = types.Task(task)
    task.view = types.Task.View(view or types.Task.View.BASIC)
    if task.view == types.Task.View.BASIC:
        task.http_request.body = b""
    return task


def handler_of(queues: Queues) -> grpc.GenericRpcHandler:
    """What a gRPC server calls. Methods that are not here it answers UNIMPLEMENTED itself."""
    service = Service(queues)
    handlers = {
        "".join(word.capitalize() for word in name.split("_")): _handler(
            getattr(service, name), request, answer
        )
        for name, (request, answer) in _MESSAGES.items()
    }
    return grpc.method_handlers_generic_handler(SERVICE, handlers)


_MESSAGES: dict[str, tuple[Any, Any]] = {
    "create_queue": (types.CreateQueueRequest, types.Queue),
    "update_queue": (types.UpdateQueueRequest, types.Queue),
    "get_queue": (types.GetQueueRequest, types.Queue),
    "list_queues": (types.ListQueuesRequest, types.ListQueuesResponse),
    "delete_queue": (types.DeleteQueueRequest, Empty),
    "purge_queue": (types.PurgeQueueRequest, types.Queue),
    "pause_queue": (types.PauseQueueRequest, types.Queue),
    "resume_queue": (types.ResumeQueueRequest, types.Queue),
    "create_task": (types.CreateTaskRequest, types.Task),
    "get_task": (types.GetTaskRequest, types.Task),
    "list_tasks": (types.ListTasksRequest, types.ListTasksResponse),
    "delete_task": (types.DeleteTaskRequest, Empty),
}


def _handler(act: Callable[[Any], Any], request: Any, answer: Any) -> "grpc.RpcMethodHandler[Any, Any]":  # noqa: ANN401
    def call(message: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401 - each method has its own
        try:
            _check_deadline(context)
            return act(message)
        except Refused as fault:
            context.abort(fault.code, str(fault))

    serialize = Empty.SerializeToString if answer is Empty else answer.serialize
    return grpc.unary_unary_rpc_method_handler(call, request.deserialize, serialize)


def _check_deadline(context: grpc.ServicerContext) -> None:
    left = context.time_remaining()
    if left is not None and left > CALL_SECONDS:
        raise Refused(
            grpc.StatusCode.INVALID_ARGUMENT,
            f"The request deadline is {left:.0f}s away. The deadline cannot be more than 30s in the future.",
        )
