"""What must hold of timelines after every operation. A rule yields a sentence for each way to break it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from shared import documents
from shared.domain import deployment, environment, logs
from shared.domain.aggregate import Aggregate, replan
from shared.domain.timeline import Machine, Step, Timeline
from tests.unit.expected import deployment_steps, environment_steps
from tests.unit.lives import Event, kept
from tests.unit.wishes import TICK

Rule = Callable[[Event], Iterator[str]]
BUSY = {"running", "canceling"}
UNFINISHED = {"pending", "running"}
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Have it checked: a rule that is written is never forgotten."""
    RULES[function.__name__] = function
    return function


def _timelines(aggregate: Aggregate) -> dict[int, Timeline]:
    """All timelines by number, that of the environment as 0."""
    return {
        0: aggregate.environment.timeline,
        **{item.number: item.timeline for item in aggregate.deployments},
    }


def status_of(timeline: Timeline, now: datetime) -> str:
    """The definition of a status, said once more: that of the last step whose time has come."""
    return [step.status for step in timeline if step.at <= now][-1]


@rule
def nothing_can_be_stuck(event: Event) -> Iterator[str]:
    for number, timeline in _timelines(event.after).items():
        stable = (
            {"succeeded", "failed", "canceled", "superseded"} if number else {"running", "failed", "deleted"}
        )
        if timeline[-1].status not in stable:
            yield f"{number} ends {timeline[-1].status}"


@rule
def history_never_changes(event: Event) -> Iterator[str]:
    """What has come by `now` stays, plans included whose time has come; what is new is not earlier."""
    if event.before is None:
        return
    after = _timelines(event.after)
    for number, old in _timelines(event.before).items():
        past = tuple(step for step in old if step.at <= event.now)
        if after[number][: len(past)] != past:
            yield f"{number}: {past} became {after[number]}"
        if any(step.at < event.now for step in after[number][len(past) :]):
            yield f"{number}: {after[number]} has a new step before {event.now}"


@rule
def only_legal_moves(event: Event) -> Iterator[str]:
    for number, timeline in _timelines(event.after).items():
        machine: Machine = deployment.MACHINE if number else environment.MACHINE
        for old, new in pairwise(timeline):
            if new.status not in machine.moves[old.status] or new.at < old.at:
                yield f"{number}: {old} to {new}"


def _walk(event: Event) -> Iterator[tuple[datetime, dict[int, str]]]:
    """Every moment at which a status changes, past or planned, with all statuses from then on.

    Between two of these moments nothing changes, so these are all moments.
    """
    timelines = {number: item.timeline for number, item in event.life.deployments.items()}
    timelines[0] = event.after.environment.timeline
    steps = sorted(
        ((step.at, number, step.status) for number, line in timelines.items() for step in line),
        key=lambda step: step[0],
    )
    statuses: dict[int, str] = {}
    for at, together in groupby(steps, key=lambda step: step[0]):
        statuses.update((number, status) for _, number, status in together)
        yield at, statuses


@rule
def at_most_one_deployment_is_busy(event: Event) -> Iterator[str]:
    for at, statuses in _walk(event):
        if sum(number > 0 and status in BUSY for number, status in statuses.items()) > 1:
            yield f"{statuses} at {at}"


@rule
def nothing_runs_in_an_environment_that_has_ended(event: Event) -> Iterator[str]:
    for at, statuses in _walk(event):
        if statuses[0] in environment.ENDED and UNFINISHED.intersection(
            status for number, status in statuses.items() if number
        ):
            yield f"{statuses} at {at}"


@rule
def readers_are_never_late(event: Event) -> Iterator[str]:
    """What a reader computes is what settling then would store, and settling late stores the same."""
    if event.before is None:
        return
    for moment in event.moments:
        stored = {number: line[-1] for number, line in _past(replan(event.before, moment), moment).items()}
        read = {number: line[-1] for number, line in _past(event.before, moment).items()}
        if stored != read:
            yield f"at {moment} {stored} is stored, {read} was read"
    due = event.before.environment.due_at
    if due is not None and due < event.now:
        late, early = replan(event.before, event.now), _settle_at_each_step(event.before, event.now)
        if kept(late) != kept(early) or _timelines(late) != _timelines(early):
            yield f"late {late}\n early {early}"


def _past(aggregate: Aggregate, now: datetime) -> dict[int, Timeline]:
    return {
        number: tuple(step for step in line if step.at <= now)
        for number, line in _timelines(aggregate).items()
    }


def _settle_at_each_step(aggregate: Aggregate, now: datetime) -> Aggregate:
    """With what falls out of `unfinished` on the way no longer read, as in life."""
    ended = {}
    while (due := aggregate.environment.due_at) is not None and aggregate.environment.as_of < due <= now:
        aggregate = replan(aggregate, due)
        ended.update({item.number: item for item in aggregate.deployments if item.ends_at <= due})
        aggregate = kept(aggregate)
    last = replan(aggregate, now)
    found = ended | {item.number: item for item in last.deployments}
    return replace(last, deployments=tuple(found[number] for number in sorted(found)))


@rule
def what_readers_saw_stays_true(event: Event) -> Iterator[str]:
    """Of all that was read before a later operation, nothing is denied at the end."""
    if event.operation != "settle":
        return
    timelines = {0: event.after.environment.timeline}
    timelines |= {number: item.timeline for number, item in event.life.deployments.items()}
    for number, moment, status in event.life.seen:
        later = status_of(timelines[number], moment)
        if later != status:
            yield f"{number} was {status} at {moment}, later it had been {later}"


@rule
def settling_changes_nothing(event: Event) -> Iterator[str]:
    """Not at once, and not at any moment before something is due."""
    settled = replan(event.after, event.as_of)
    if event.refusal is None and settled != event.after:
        yield f"{event.after}\n became {settled}"
    due = event.after.environment.due_at
    if due is not None and due > event.as_of:
        early = replan(event.after, due - TICK)
        if _timelines(early) != _timelines(event.after) or early.environment.due_at != due:
            yield f"{event.after}\n early {early}"


@rule
def everything_reaches_its_own_outcome(event: Event) -> Iterator[str]:
    expected = environment_steps(event.life)
    if list(event.after.environment.timeline) != expected:
        yield f"{event.after.environment.timeline}\n expected {expected}"
    for number, steps in deployment_steps(event.life).items():
        found: list[Step] = list(event.life.deployments[number].timeline)
        if found != steps:
            yield f"{number}: {found}\n expected {steps}"


@rule
def unfinished_is_what_has_not_ended(event: Event) -> Iterator[str]:
    named = [(item.id, item.number, item.ends_at) for item in event.after.environment.unfinished]
    found = [
        (item.id, number, item.timeline[-1].at)
        for number, item in event.life.deployments.items()
        if item.timeline[-1].at > event.as_of
    ]
    if named != found:
        yield f"{named}\n expected {found}"


@rule
def due_at_is_the_next_change_and_a_wake_up_is_asked_for_it(event: Event) -> Iterator[str]:
    lines = _timelines(event.after)
    ahead = [step.at for line in lines.values() for step in line if step.at > event.as_of]
    last, pace = lines[0][-1], event.after.environment.pace
    purge = last.at + timedelta(seconds=pace.tombstone) if last.status == "deleted" else None
    if event.after.environment.due_at != min(ahead, default=purge):
        yield f"{event.after.environment.due_at}, planned {ahead}, purge {purge}"
    if event.after.environment.due_at not in {*event.life.asked, None}:
        yield f"nobody wakes it at {event.after.environment.due_at}"


@rule
def logs_only_grow(event: Event) -> Iterator[str]:
    """Earlier or later, before or after the operation: what was shown stays, and is numbered from 1."""
    if event.before is None:
        return
    after = {item.number: item for item in event.after.deployments}
    for old in event.before.deployments:
        final = logs.entries(after[old.number], event.now)
        if [entry.seq for entry in final] != list(range(1, len(final) + 1)):
            yield f"{old.number}: numbered {final}"
        if any(later.time < earlier.time for earlier, later in pairwise(final)):
            yield f"{old.number}: not in order {final}"
        for moment in (*event.moments[-1:], event.now):
            shown = logs.entries(old, moment)
            if final[: len(shown)] != shown or (logs.is_complete(old, moment) and shown != final):
                yield f"{old.number}: {shown}\n became {final}"


@rule
def documents_keep_everything(event: Event) -> Iterator[str]:
    """And say beside it what queries look for: the status as of the commit."""
    stored = event.after.environment
    data = documents.environment_data(stored)
    if documents.environment(data) != stored or data["status"] != status_of(stored.timeline, event.as_of):
        yield f"{data} of {stored}"
    known = event.before.deployments if event.before else ()
    for item in (item for item in event.after.deployments if item not in known):
        data = documents.deployment_data(item, event.as_of)
        if documents.deployment(data) != item or data["status"] != status_of(item.timeline, event.as_of):
            yield f"{data} of {item}"


@rule
def what_changed_last_is_never_earlier(event: Event) -> Iterator[str]:
    """`updated_at` of the environment and its deployments, before and after the operation."""
    if event.before is None:
        return
    after = {item.number: item.updated_at(event.now) for item in event.after.deployments}
    before = {item.number: item.updated_at(event.now) for item in event.before.deployments}
    after[0] = event.after.environment.updated_at(event.now)
    before[0] = event.before.environment.updated_at(event.now)
    if any(after[number] < moment or moment > event.now for number, moment in before.items()):
        yield f"{before} became {after}"
