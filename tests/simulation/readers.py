"""What clients were answered, held against each other and against what is stored in the end."""

from collections.abc import Iterator
from typing import Any

from shared.http.types import config_text
from tests.simulation.ledger import Request
from tests.simulation.past import Json, Past


def readers_see_what_was_acknowledged(past: Past) -> Iterator[str]:
    """Whoever reads after an acknowledged change was told sees it, whichever server he asks."""
    for read in past.ledger.acknowledged("look"):
        assert read.reply is not None
        body = read.reply.body
        if not isinstance(body, dict) or "id" not in body:
            continue
        for earlier in past.ledger.acknowledged("delete", "cancel", "end project"):
            if earlier.ended is not None and earlier.ended < read.started and _hides(earlier, body):
                yield f"{earlier} was not seen by {read}"


OPEN_DEPLOYMENT = {"pending", "running"}
OPEN_ENVIRONMENT = {"provisioning", "running", "failed", "expired"}
"""Statuses that nobody sees after an acknowledged delete."""


def _hides(earlier: Request, body: Json) -> bool:
    """Whether what was read shows nothing of an acknowledged end."""
    match earlier.name:
        case "delete":
            is_it = earlier.target in {body["id"], body.get("environment_id")}
            return is_it and body["status"] in (OPEN_DEPLOYMENT if "number" in body else OPEN_ENVIRONMENT)
        case "cancel":
            return earlier.target == body["id"] and body["status"] not in {"canceling", "canceled"}
    return earlier.target in {body["id"], body.get("project_id")}


def nothing_acknowledged_is_missing_for_readers(past: Past) -> Iterator[str]:
    """A 404 for what was acknowledged: only once it is deleted, or its project, or not kept any more."""
    made = {one.made: one for one in past.ledger.acknowledged("create project", "open", "deploy", "rollback")}
    ended = {one.target for one in past.ledger.possible("end project")}
    for read in past.ledger.requests:
        if read.name != "look" or read.reply is None or read.reply.status != 404:
            continue
        create = made.get(read.target)
        if create is None or f"prj-{read.target[4:20]}" in ended:
            continue
        parent = past.one(f"env-{read.target[4:36]}") if not read.target.startswith("prj") else None
        if _is_pruned(past, read.target, parent):
            continue
        if parent is None or parent["timeline"][-1]["status"] != "deleted":
            yield f"{read}, acknowledged by {create}"


# The last word is kept ------------------------------------------------------------------------


def _is_pruned(past: Past, object_id: str, parent: Json | None) -> bool:
    """Whether it is an old deployment of a persistent environment, which keeps the newest only."""
    is_there = past.has("deployments", object_id) or not object_id.startswith("dep")
    return not is_there and parent is not None and parent["type"] == "persistent"


FIELDS: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {
    "projects": [("name", "create project", ("edit project",))],
    "environments": [
        ("name", "open", ("edit",)),
        ("config", "open", ("edit",)),
        ("expires_at", "open", ("extend", "restore")),
    ],
}


def fields_have_the_value_that_was_acknowledged_last(past: Past) -> Iterator[str]:
    """Or that of a request beside it, or of one that nobody answered."""
    for collection, fields in FIELDS.items():
        for data in past.of(collection):
            for name, create, edits in fields:
                allowed = _allowed(past, data["id"], name, create, edits)
                if allowed is not None and data[name] not in allowed:
                    yield f"{data['id']}: {name} is {data[name]}, expected one of {allowed}"


def _allowed(past: Past, object_id: str, name: str, create: str, edits: tuple[str, ...]) -> list[Any] | None:
    """The values that a field may have now; None where nobody can tell."""
    births = [one for one in past.ledger.acknowledged(create) if one.made == object_id]
    changes = [one for one in past.ledger.possible(*edits) if one.target == object_id and _sets(one, name)]
    if not births or (name == "expires_at" and any(one.is_unknown for one in changes)):
        return None
    writers = [*births, *changes]
    certain = [one for one in writers if one.is_acknowledged]
    return [
        _value(one, name)
        for one in writers
        if one.is_unknown or not any((one.ended or 0) < other.started for other in certain)
    ]


def _sets(request: Request, name: str) -> bool:
    return name == "expires_at" or name in (request.body or {})


def _value(request: Request, name: str) -> Any:  # noqa: ANN401 - any JSON value
    if name == "expires_at":
        assert request.reply is not None
        return request.reply.body["expires_at"]
    value = (request.body or {}).get(name)
    return config_text(value) if name == "config" and value is not None else value
