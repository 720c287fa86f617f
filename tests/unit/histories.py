"""Rules about the past: what it was as of a moment, and the whole life told as one list."""

from collections.abc import Iterator
from datetime import datetime

from shared.domain.aggregate import MOST_LIVE
from shared.domain.deployment import Deployment
from shared.domain.environment import Environment, NoteAction
from shared.domain.history import Entry, deployment_as_of, environment_as_of, merged
from tests.unit.lives import Event
from tests.unit.rules import rule
from tests.unit.wishes import TICK

Story = tuple[object, ...]


def past_moments(event: Event) -> list[datetime]:
    """Moments before the operation: random ones, and the brinks of what came last. Not its own moment,
    at which it may add something."""
    if event.before is None:
        return []
    environment = event.before.environment
    if event.operation == "settle":  # there are many, and each changes little
        return [moment for moment in event.moments[:1] if moment < event.now]
    steps = [step.at for step in environment.timeline if step.at <= event.now][-1:]
    steps += [item.timeline[0].at for item in event.before.deployments[-1:]]
    some = {*event.moments[:1], *steps, *(at - TICK for at in steps[-1:])}
    return sorted(moment for moment in some if environment.created_at <= moment < event.now)


@rule
def history_as_of_a_moment_never_changes(event: Event) -> Iterator[str]:
    """Neither what an object was, nor what had been told of all of them by then."""
    moments = past_moments(event)
    if event.before is None or not moments:
        return
    before, after = event.before, event.after
    later = {item.number: item for item in after.deployments}
    pairs = [(item, later[item.number]) for item in before.deployments]
    kept = set(after.environment.notes)
    told = merged(before.environment, before.deployments)
    told = [entry for entry in told if entry.note is None or entry.note in kept]
    told_later = merged(after.environment, [item for _, item in pairs])
    for moment in moments:
        is_known = len(after.environment.live) < MOST_LIVE
        old = _was(before.environment, moment, event.now, is_known=is_known)
        new = _was(after.environment, moment, event.now, is_known=is_known)
        if old != new:
            yield f"at {moment} it was {old}\n then it had been {new}"
        if _up_to(told, moment) != _up_to(told_later, moment):
            yield f"up to {moment} {told}\n became {told_later}"
        for item, same in pairs:
            if item.created_at <= moment and _had(item, moment, event.now) != _had(same, moment, event.now):
                yield f"{item.number} at {moment}: {item.timeline} became {same.timeline}"


def _was(environment: Environment, moment: datetime, now: datetime, *, is_known: bool) -> Story:
    """What a look back shows, as far as it is known what was live."""
    was = environment_as_of(environment, moment, now)
    shown = (was.timeline, was.status_at(moment), was.has_run(moment))
    return (*shown, was.updated_at(moment), was.active_at(moment)) if is_known else shown


def _had(item: Deployment, moment: datetime, now: datetime) -> Story:
    was = deployment_as_of(item, moment, now)
    return was.timeline, was.status_at(moment), was.updated_at(moment)


def _up_to(told: list[Entry], moment: datetime) -> list[Entry]:
    return [entry for entry in told if entry.at <= moment]


@rule
def what_was_live_at_a_moment_is_what_had_succeeded_last(event: Event) -> Iterator[str]:
    """Also as of each earlier success that is remembered, and later numbers succeed later."""
    environment, now = event.after.environment, event.as_of
    done = [
        (item.ends_at, number, item.id)
        for number, item in event.life.deployments.items()
        if item.timeline[-1].status == "succeeded" and item.ends_at <= now
    ]
    if [number for _, number, _ in sorted(done)] != [number for _, number, _ in done]:
        yield f"not in the order of their numbers: {done}"
    for at, _, _ in done[-MOST_LIVE:]:
        expected = max(one for one in done if one[0] <= at)
        live = environment_as_of(environment, at, now).active_at(at)
        if live is None or (live.at, live.number, live.id) != expected:
            yield f"at {at} {live} had been live, {expected} had succeeded last"


@rule
def the_whole_life_is_told_once_and_in_order(event: Event) -> Iterator[str]:
    """Every step and every note; each object's own in their order; causes before effects."""
    environment, deployments = event.after.environment, event.life.deployments
    if event.operation != "settle" or environment.due_at not in {None, environment.purge_at}:
        return
    told = merged(environment, deployments.values())
    timelines = {None: environment.timeline} | {number: one.timeline for number, one in deployments.items()}
    for number, timeline in timelines.items():
        if tuple(entry.step for entry in told if entry.step and entry.number == number) != timeline:
            yield f"{number} is not told as it was: {told}"
    if tuple(entry.note for entry in told if entry.note) != environment.notes:
        yield f"{environment.notes} are told as {told}"
    places = [entry.place for entry in told]
    if places != sorted(set(places)) or [place.at for place in places] != sorted(e.at for e in told):
        yield f"not in order: {places}"
    yield from _effects_before_causes(told)
    for cut in (0, len(told) // 3, len(told) // 2):
        if merged(environment, deployments.values(), told[cut].place) != told[cut + 1 :]:
            yield f"after {told[cut]} it goes on elsewhere"


def _effects_before_causes(told: list[Entry]) -> Iterator[str]:
    status, open_ones, newest = "", set[int](), 0
    for entry in told:
        step, number = entry.step, entry.number
        if step is None:
            if entry.note and entry.note.action == NoteAction.RESTORED and status != "expired":
                yield f"restored while {status}"
            if entry.note and entry.note.action == NoteAction.EXTENDED and status in {"expired", "deleting"}:
                yield f"extended while {status}"
        elif number is None:
            status = step.status
        else:
            newest = max(newest, number)
            if step.status == "pending" and status != "running":
                yield f"{number} is asked for while the environment is {status}"
            if step.status == "superseded" and newest == number:
                yield f"{number} is superseded by one that is not told yet"
            if step.reason in {"environment_expired", "environment_deleted"} and status == "running":
                yield f"{number} ends with an environment that is running"
            if step.status == "running" and open_ones:
                yield f"{number} runs before {open_ones} have ended"
            open_ones = (
                open_ones | {number} if step.status in {"running", "canceling"} else open_ones - {number}
            )


@rule
def what_was_made_up_is_noted(event: Event) -> Iterator[str]:
    """Only where something had come due, and without asking for anything else."""
    repairs = [n for n in event.after.environment.notes if n.action == NoteAction.REPAIRED]
    if [note.at for note in repairs] != event.life.repairs[-10:] or any(note.until for note in repairs):
        yield f"{repairs} of {event.life.repairs}"
