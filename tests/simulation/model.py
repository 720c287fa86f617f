"""One environment as a single-threaded thing: the pure domain, moved by one operation at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import documents
from shared.domain import operations
from shared.domain.aggregate import Aggregate, replan
from shared.domain.deployment import Deployment, Rollout
from shared.domain.environment import DELETED, Environment, Policy
from shared.domain.timeline import Work
from shared.errors import EnvctlError, NotFound
from shared.http import problems
from shared.times import to_text
from tests.simulation.histories import Operation
from tests.simulation.plan import SETTINGS


@dataclass(frozen=True)
class State:
    """An environment with every deployment that it has had."""

    environment: Environment
    deployments: tuple[Deployment, ...] = ()

    def aggregate(self, beside: str | None = None) -> Aggregate:
        """What an operation is given: what is unfinished, and what it asks for besides."""
        unfinished = {item.id for item in self.environment.unfinished}
        kept = tuple(item for item in self.deployments if item.id in unfinished)
        return Aggregate(
            self.environment,
            kept,
            tuple(item for item in self.deployments if item.id == beside and item.id not in unfinished),
        )

    def after(self, changed: Aggregate) -> "State":
        """With what an operation made of it."""
        found = {item.id: item for item in (*self.deployments, *changed.deployments)}
        return State(changed.environment, tuple(found.values()))


Seen = dict[str, Any] | tuple[int, str | None]
"""What a client is shown of an object, or the status and code of a refusal."""


def begin(data: dict[str, Any]) -> State:
    """As a document says."""
    return State(documents.environment(data))


def apply(state: State, operation: Operation) -> tuple[State, Seen | None]:
    """What an operation leads to, at its server's time or that of the last commit; and what is shown."""
    assert operation.clock is not None
    assert operation.reply is not None
    if operation.reply.code == "contended":
        return state, None
    now = max(operation.clock, state.environment.as_of)
    if operation.name == "settle":
        return _settled(state, operation, now), None
    try:
        if state.environment.status_at(now) == DELETED:
            raise NotFound("environment", state.environment.id)
        after = _changed(state, operation, now)
    except EnvctlError as fault:
        kind = problems.kind_of(fault)
        return state, (kind.status, kind.code)
    return after, shown(after, operation, now)


def _settled(state: State, operation: Operation, now: datetime) -> State:
    assert operation.reply is not None
    if operation.reply.body["outcome"] != "settled":
        return state
    return state.after(replan(state.aggregate(), now))


def _changed(state: State, operation: Operation, now: datetime) -> State:
    before = state.aggregate(operation.target if operation.name == "cancel" else None)
    match operation.name:
        case "deploy":
            done = _deploy(before, operation, now)
        case "cancel":
            done = operations.cancel(before, now, operation.target)
        case "edit":
            config = state.environment.config
            done = operations.edit(before, now, name=operation.body["name"], config=config)
        case "delete":
            done = operations.end_environment(before, now, "delete_requested")
        case _:
            return state
    due_at = state.environment.due_at
    if done is before and due_at is not None and due_at <= now:
        done = replan(before, now)
    return state.after(done)


def _deploy(before: Aggregate, operation: Operation, now: datetime) -> Aggregate:
    new = Rollout(_made_by(operation), Work(SETTINGS[0].running_seconds), operation.body["version"])
    return operations.deploy(before, new, now, Policy(operation.body["on_conflict"]))


def _made_by(operation: Operation) -> str:
    """The id that an operation's deployment was given, if there is one."""
    assert operation.reply is not None
    return str(operation.reply.body["id"]) if operation.reply.is_done else "dep-refused"


DEPLOYMENT = {"deploy", "cancel", "read deployment"}


def shown(state: State, operation: Operation, now: datetime) -> Seen:
    """What a reader sees of the object that an operation is about."""
    if operation.name in DEPLOYMENT:
        wanted = _made_by(operation) if operation.name == "deploy" else operation.target
        found = next((one for one in state.deployments if one.id == wanted), None)
        return (404, "not_found") if found is None else _deployment(found, now)
    environment, live = state.environment, state.environment.active_at(now)
    return {
        "status": environment.status_at(now),
        "name": environment.name,
        "active_deployment": live and {"id": live.id, "version": live.version, "number": live.number},
        "timeline": _steps(environment),
    }


def _deployment(item: Deployment, now: datetime) -> Seen:
    return {
        "status": item.status_at(now),
        "number": item.number,
        "version": item.version,
        "timeline": _steps(item),
    }


def _steps(item: Environment | Deployment) -> list[dict[str, Any]]:
    return [{"at": to_text(step.at), "status": step.status, "reason": step.reason} for step in item.timeline]
