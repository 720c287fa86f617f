"""What must be true of a world in the end, whatever went wrong in it.

`after_recovery` looks when the faults have stopped and the sweep has run, `at_rest` when nothing more is due.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby

from shared.ports import Ref
from shared.times import from_text, to_text
from tests.simulation.ledger import Ledger, Request
from tests.simulation.past import GONE, Check, Json, Past
from tests.simulation.properties import broken_rules
from tests.simulation.readers import (
    fields_have_the_value_that_was_acknowledged_last,
    nothing_acknowledged_is_missing_for_readers,
    readers_see_what_was_acknowledged,
)
from tests.simulation.world import World


def after_recovery(world: World, ledger: Ledger) -> list[str]:
    """What is wrong once the faults have stopped and the sweep has run."""
    return _run(Past(world, ledger), [*ALWAYS, nothing_is_overdue])


def at_rest(world: World, ledger: Ledger) -> list[str]:
    """What is wrong once nothing happens any more."""
    return _run(Past(world, ledger), [*ALWAYS, nothing_is_due, nothing_is_left_behind])


def _run(past: Past, checks: list[Check]) -> list[str]:
    return [f"{check.__name__}: {fault}" for check in checks for fault in check(past)]


# Nothing is lost ------------------------------------------------------------------------------


def what_was_acknowledged_is_there(past: Past) -> Iterator[str]:
    """Every acknowledged create, with what was acknowledged; gone only if it had to be."""
    for request in past.ledger.acknowledged("create project", "open", "deploy", "rollback"):
        made = past.one(request.made)
        if made is None:
            yield f"{request} left nothing"
            continue
        assert request.reply is not None
        fixed = {"id", "created_at", "number", "version", "kind", "rollback_of", "type", "on_conflict"}
        for name in sorted(fixed & request.reply.body.keys()):
            if made[name] != request.reply.body[name]:
                yield f"{request.made}: {name} is {made[name]}, acknowledged {request.reply.body[name]}"


def what_is_gone_was_to_go(past: Past) -> Iterator[str]:
    now = to_text(past.world.now + timedelta(seconds=6))
    for data in past.of("environments"):
        if not past.has("environments", data["id"]) and _purge_at(data) > now:
            yield f"environment {data['id']} was removed before its time"
    for data in past.of("deployments"):
        if not past.has("deployments", data["id"]):
            parent = past.one(f"env-{data['id'][4:36]}")
            if parent is None or (_purge_at(parent) > now and parent["type"] != "persistent"):
                yield f"deployment {data['id']} was removed before its time"
    for data in past.of("projects"):
        if not past.has("projects", data["id"]) and not data["ended"]:
            yield f"project {data['id']} was removed, and had not ended"


def _purge_at(environment: Json) -> str:
    last = environment["timeline"][-1]
    if last["status"] != "deleted":
        return "never"
    return to_text(from_text(last["at"]) + timedelta(seconds=environment["pace"]["tombstone"]))


# Nothing is doubled ---------------------------------------------------------------------------


def nothing_is_doubled(past: Past) -> Iterator[str]:
    """As many objects as attempts were carried out, or may have been; of those with one key a single one."""
    deployments = past.of("deployments")
    versions = Counter(data["version"] for data in deployments if data["kind"] == "deploy")
    for label, some in _by_label(past.ledger, "deploy"):
        yield from _surplus(label, [some], versions.pop(label, 0))
    if versions:
        yield f"deployments that nobody asked for: {versions}"
    made = {
        "create project": len(past.of("projects")),
        "open": len(past.of("environments")),
        "rollback": sum(data["kind"] == "rollback" for data in deployments),
    }
    for name, number in made.items():  # these don't show their labels, or not for ever
        yield from _surplus(name, [some for _, some in _by_label(past.ledger, name)], number)


def _by_label(ledger: Ledger, name: str) -> Iterator[tuple[str, list[Request]]]:
    some = sorted((one for one in ledger.requests if one.name == name), key=lambda one: one.label)
    for label, group in groupby(some, key=lambda one: one.label):
        yield label, list(group)


def _surplus(what: str, groups: list[list[Request]], made: int) -> Iterator[str]:
    bounds = [_bounds(some) for some in groups]
    least, most = sum(low for low, _ in bounds), sum(high for _, high in bounds)
    if not least <= made <= most:
        yield f"{what}: {made} exist, {least} were acknowledged, {most} may be there"


def _bounds(attempts: list[Request]) -> tuple[int, int]:
    """How many objects attempts of one wish have made: at least, and at most."""
    certain = sum(one.is_acknowledged for one in attempts)
    possible = certain + sum(one.is_unknown for one in attempts)
    return (certain, possible) if attempts[0].key is None else (min(1, certain), min(1, possible))


def numbers_have_neither_gaps_nor_repeats(past: Past) -> Iterator[str]:
    for data in past.of("environments"):
        found = [one["number"] for one in past.of("deployments") if one["environment_id"] == data["id"]]
        if sorted(found) != list(range(1, data["last_number"] + 1)):
            yield f"{data['id']}: {sorted(found)} of {data['last_number']}"


# Nothing is undone ----------------------------------------------------------------------------


def history_never_changes(past: Past) -> Iterator[str]:
    """Of each commit: the steps whose time had come are those of the commit before."""
    known: dict[Ref, Json] = {}
    for change in past.world.changes:
        as_of = max(
            (data["as_of"] for data in change.documents.values() if data and "as_of" in data), default=""
        )
        for ref, data in change.documents.items():
            before = known.get(ref)
            if data is not None and before is not None and "timeline" in data:
                yield from _kept(ref, before["timeline"], data["timeline"], as_of)
                if data.get("as_of", "") < before.get("as_of", ""):
                    yield f"{ref} went back in time"
            if data is not None:
                known[ref] = data


def _kept(ref: Ref, before: list[Json], after: list[Json], as_of: str) -> Iterator[str]:
    past = [step for step in before if step["at"] <= as_of]
    if after[: len(past)] != past:
        yield f"{ref}: {past} became {after}"
    if any(step["at"] < as_of for step in after[len(past) :]):
        yield f"{ref}: {after} has a new step before {as_of}"


def acknowledged_ends_stay(past: Past) -> Iterator[str]:
    """Deletes and cancels, in what is stored."""
    for request in past.ledger.acknowledged("delete"):
        data = past.one(request.target)
        if data is None or data["timeline"][-1]["status"] not in GONE:
            yield f"{request} was undone: {data}"
    for request in past.ledger.acknowledged("cancel"):
        data = past.one(request.target)
        if data is None or data["timeline"][-1]["status"] != "canceled":
            yield f"{request} was undone: {data}"
    for request in past.ledger.acknowledged("end project"):
        data = past.one(request.target)
        if data is None or not data["ended"]:
            yield f"{request} was undone: {data}"


# Nothing is stuck -----------------------------------------------------------------------------


def nothing_is_overdue(past: Past) -> Iterator[str]:
    now = to_text(past.world.now - timedelta(seconds=15))
    for ref in past.present:
        due_at = past.last[ref].get("due_at") if ref in past.last else None
        if due_at is not None and due_at < now:
            yield f"{ref} was due at {due_at}"


def nothing_is_due(past: Past) -> Iterator[str]:
    for ref in past.present:
        if past.last[ref].get("due_at") is not None:
            yield f"{ref} is due at {past.last[ref]['due_at']}"
        steps = past.last[ref].get("timeline")
        if steps and past.last[ref]["status"] != steps[-1]["status"]:
            yield f"{ref} is stored as {past.last[ref]['status']}, and became {steps[-1]['status']}"


def nothing_is_left_behind(past: Past) -> Iterator[str]:
    """What belongs to something that is gone is gone too."""
    for data in past.of("environments"):
        if past.has("environments", data["id"]):
            parent = past.one(data["project_id"])
            if parent is None or parent["ended"]:
                yield f"{data['id']} outlived its project"
            if data["timeline"][-1]["status"] in GONE:
                yield f"{data['id']} was never purged"
    for data in past.of("deployments"):
        if past.has("deployments", data["id"]) and not past.has("environments", data["environment_id"]):
            yield f"{data['id']} outlived its environment"
    for data in past.of("projects"):
        if data["ended"] and past.has("projects", data["id"]):
            yield f"{data['id']} was never purged"


def the_domains_rules_hold(past: Past) -> Iterator[str]:
    for data in past.of("environments"):
        deployments = [one for one in past.of("deployments") if one["environment_id"] == data["id"]]
        yield from broken_rules(data, deployments, past.world.now)


ALWAYS: list[Check] = [
    what_was_acknowledged_is_there,
    what_is_gone_was_to_go,
    nothing_is_doubled,
    numbers_have_neither_gaps_nor_repeats,
    history_never_changes,
    acknowledged_ends_stay,
    readers_see_what_was_acknowledged,
    nothing_acknowledged_is_missing_for_readers,
    fields_have_the_value_that_was_acknowledged_last,
    the_domains_rules_hold,
]
