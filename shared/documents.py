"""Where everything lies in the store, and how environments and deployments do: to JSON values and back.

The status, which queries need, is stored beside what it follows from. Fields that came later are absent from
older documents.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.domain.deployment import Deployment, Kind
from shared.domain.environment import (
    Environment,
    EnvironmentType,
    Live,
    Note,
    NoteAction,
    Pace,
    Policy,
    Unfinished,
    default_policy,
)
from shared.domain.simulation import Scenario, Simulation
from shared.domain.timeline import Outcome, Step, Timeline, Work, history
from shared.ports import Data, Ref
from shared.times import from_text, to_text

SECOND_NET = timedelta(days=7)
"""How long after its own purge the database may remove an environment: were it first, the deployments of
that environment would stay for ever."""


def user_ref(email_key: str) -> Ref:
    """Where the user with this e-mail key (`shared.keys`) lies: the id is what makes it unique."""
    return Ref("users", email_key)


def closed_account_ref(user_id: str) -> Ref:
    """Where an account that has ended lies, until nothing is left of it (`shared.leaving`)."""
    return Ref("closed_accounts", user_id)


def api_token_ref(token_id: str) -> Ref:
    """Where an API token's document lies. The token names it."""
    return Ref("api_tokens", token_id)


def throttle_ref(email_key: str) -> Ref:
    """Where the throttle on guessing a password lies, whether or not anybody has registered."""
    return Ref("throttles", email_key)


def session_ref(session_id: str) -> Ref:
    """Where a session lies."""
    return Ref("sessions", session_id)


def project_ref(project_id: str) -> Ref:
    """Where a project lies."""
    return Ref("projects", project_id)


def environment_ref(environment_id: str) -> Ref:
    """Where an environment lies."""
    return Ref("environments", environment_id)


def deployment_ref(deployment_id: str) -> Ref:
    """Where a deployment lies."""
    return Ref("deployments", deployment_id)


def event_ref(event_id: str) -> Ref:
    """Where an event lies."""
    return Ref("events", event_id)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)


def _steps(timeline: Timeline) -> list[Data]:
    return [{"at": to_text(step.at), "status": str(step.status), "reason": step.reason} for step in timeline]


def _timeline(steps: list[Mapping[str, Any]]) -> Timeline:
    return tuple(Step(from_text(step["at"]), step["status"], step["reason"]) for step in steps)


def _work_data(work: Work) -> Data:
    return {"seconds": work.seconds, "outcome": str(work.outcome), "fail_at": work.fail_at}


def _work(data: Mapping[str, Any]) -> Work:
    return Work(data["seconds"], Outcome(data["outcome"]), data["fail_at"])


def _simulation_data(simulation: Simulation | None) -> Data | None:
    if simulation is None:
        return None
    return {
        "scenario": simulation.scenario and str(simulation.scenario),
        "seed": simulation.seed,
        "seconds": simulation.seconds,
        "outcome": simulation.outcome and str(simulation.outcome),
        "fail_at": simulation.fail_at,
    }


def _simulation(data: Mapping[str, Any] | None) -> Simulation | None:
    if data is None:
        return None
    scenario, outcome = data["scenario"], data["outcome"]
    return Simulation(
        scenario and Scenario(scenario),
        data["seed"],
        data["seconds"],
        outcome and Outcome(outcome),
        data["fail_at"],
    )


def environment_data(environment: Environment) -> Data:
    """An environment as a document, its stored status that of its last commit."""
    status = environment.status_at(environment.as_of)
    pace = environment.pace
    return {
        "id": environment.id,
        "project_id": environment.project_id,
        "name": environment.name,
        "type": str(environment.type),
        "on_conflict": str(environment.on_conflict),
        "config": environment.config,
        "status": str(status),
        "created_at": to_text(environment.created_at),
        "changed_at": to_text(environment.changed_at),
        "expires_at": _text(environment.expires_at),
        "work": _work_data(environment.work),
        "pace": {name: getattr(pace, name) for name in Pace.__slots__},
        "timeline": _steps(environment.timeline),
        "as_of": to_text(environment.as_of),
        "due_at": _text(environment.due_at),
        "woken_for": _text(environment.woken_for),
        "ttl_at": _text(environment.purge_at and environment.purge_at + SECOND_NET),
        "last_number": environment.last_number,
        "unfinished": [
            {
                "id": item.id,
                "number": item.number,
                "ends_at": to_text(item.ends_at),
                "starts_at": _text(item.starts_at),
            }
            for item in environment.unfinished
        ],
        "live": [_live_data(item) for item in environment.live],
        "notes": [_note_data(note) for note in environment.notes],
        "simulation": _simulation_data(environment.simulation),
        "fingerprint": environment.fingerprint,
    }


def _live_data(item: Live) -> Data:
    return {"id": item.id, "number": item.number, "version": item.version, "at": to_text(item.at)}


def _unfinished(item: Mapping[str, Any]) -> Unfinished:
    starts_at = _moment(item.get("starts_at"))  # older documents have none
    return Unfinished(item["id"], item["number"], from_text(item["ends_at"]), starts_at)


def _live(data: Mapping[str, Any]) -> Live:
    return Live(data["id"], data["number"], data["version"], from_text(data["at"]))


def _note_data(note: Note) -> Data:
    return {
        "at": to_text(note.at),
        "action": str(note.action),
        "until": _text(note.until),
        "steps": note.steps,
    }


def _note(data: Mapping[str, Any], timeline: Timeline) -> Note:
    at = from_text(data["at"])
    steps = data.get("steps")
    if steps is None:  # older documents
        steps = len(history(timeline, at))
    return Note(at, NoteAction(data["action"]), _moment(data["until"]), steps)


def environment(data: Data) -> Environment:
    """The environment of a document."""
    kind, timeline = EnvironmentType(data["type"]), _timeline(data["timeline"])
    return Environment(
        id=data["id"],
        project_id=data["project_id"],
        name=data["name"],
        type=kind,
        on_conflict=Policy(data.get("on_conflict", default_policy(kind))),
        config=data["config"],
        created_at=from_text(data["created_at"]),
        changed_at=from_text(data["changed_at"]),
        expires_at=_moment(data["expires_at"]),
        work=_work(data["work"]),
        pace=Pace(**data["pace"]),
        timeline=timeline,
        as_of=from_text(data["as_of"]),
        due_at=_moment(data["due_at"]),
        woken_for=_moment(data.get("woken_for")),  # older documents have none
        last_number=data["last_number"],
        unfinished=tuple(map(_unfinished, data["unfinished"])),
        live=tuple(map(_live, data.get("live", ()))),
        notes=tuple(_note(note, timeline) for note in data.get("notes", ())),
        simulation=_simulation(data.get("simulation")),
        fingerprint=data.get("fingerprint"),
    )


def deployment_data(deployment: Deployment, as_of: datetime) -> Data:
    """A deployment as a document, its stored status that of its environment's last commit."""
    return {
        "id": deployment.id,
        "environment_id": deployment.environment_id,
        "project_id": deployment.project_id,
        "version": deployment.version,
        "number": deployment.number,
        "config": deployment.config,
        "status": str(deployment.status_at(as_of)),
        "work": _work_data(deployment.work),
        "created_at": to_text(deployment.created_at),
        "queued_at": _text(deployment.queued_at),
        "kind": str(deployment.kind),
        "rollback_of": deployment.rollback_of,
        "simulation": _simulation_data(deployment.simulation),
        "timeline": _steps(deployment.timeline),
        "fingerprint": deployment.fingerprint,
    }


def deployment(data: Data) -> Deployment:
    """The deployment of a document."""
    return Deployment(
        id=data["id"],
        environment_id=data["environment_id"],
        project_id=data["project_id"],
        version=data["version"],
        number=data["number"],
        config=data["config"],
        work=_work(data["work"]),
        created_at=from_text(data["created_at"]),
        queued_at=_moment(data.get("queued_at")),  # older documents have none
        kind=Kind(data.get("kind", Kind.DEPLOY)),
        rollback_of=data.get("rollback_of"),
        simulation=_simulation(data.get("simulation")),
        timeline=_timeline(data["timeline"]),
        fingerprint=data.get("fingerprint"),
    )
