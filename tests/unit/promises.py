"""What callers are promised: rules about what operations do. `rules` has those about timelines."""

from collections.abc import Iterator

from shared.domain import actions, deployment
from shared.errors import (
    EnvironmentEnding,
    EnvironmentNotRunning,
    FailedBefore,
    NoLease,
    NotPossible,
)
from tests.unit.expected import default_target, flaky_outcome, refusal
from tests.unit.lives import Event
from tests.unit.rules import RULES, rule, status_of

ENDING = {"deleting", "deleted"}


@rule
def a_delete_is_never_undone(event: Event) -> Iterator[str]:
    if event.life.end_asked is None:
        return
    timeline = event.after.environment.timeline
    since = event.life.end_asked[0]
    later = {step.status for step in timeline if step.at > since}
    if not later | {status_of(timeline, since)} <= ENDING:
        yield f"asked at {since}: {timeline}"


ACTIONS = {"deploy", "rollback", "edit", "extend", "restore", "retry", "delete"}
OUT_OF_PLACE = (EnvironmentEnding, EnvironmentNotRunning, FailedBefore, NoLease, NotPossible)


@rule
def what_is_allowed_is_what_is_possible(event: Event) -> Iterator[str]:
    """What was done had been shown as allowed; what the status forbids had not. A rollback by default."""
    if event.before is None:
        return
    name = {"end": "delete"}.get(event.operation, event.operation)
    shown: list[str] = [*actions.environment_actions(event.before.environment, event.now)]
    if name == "cancel" and event.earlier is not None:
        shown = [*actions.deployment_actions(event.earlier, event.now)]
    elif name not in ACTIONS:
        return
    elif (
        name == "rollback"
        and "deploy" in shown
        and ("rollback" in shown) != (default_target(event) is not None)
    ):
        yield f"{shown} was shown, {default_target(event)} is gone back to by default"
    is_named = event.ask is not None and event.ask.target is not None  # what is named may be possible anyway
    if event.after is not event.before and name not in shown and not is_named:
        yield f"{name} was done, {shown} was shown"
    if isinstance(event.refusal, OUT_OF_PLACE) and name in shown:
        yield f"{event.refusal!r}, {shown} was shown"


@rule
def it_expires_when_its_lease_ends_and_not_a_moment_off(event: Event) -> Iterator[str]:
    leases = [event.life.lease, *(wish.lease for wish in event.life.wishes if wish.lease)]
    if event.after.environment.expires_at != leases[-1]:
        yield f"{event.after.environment.expires_at} of {leases}"
    for step in event.after.environment.timeline:
        if step.status == "expired" and step.at not in leases:
            yield f"{step} of {leases}"


@rule
def a_canceled_deployment_never_succeeds(event: Event) -> Iterator[str]:
    for number, at in event.life.canceled.items():
        timeline = event.life.deployments[number].timeline
        if {step.status for step in timeline if step.at >= at} - {
            "pending",
            "running",
            "canceling",
            "canceled",
        }:
            yield f"{number}, canceled at {at}: {timeline}"
        if timeline[-1].status != "canceled" or status_of(timeline, at) not in {"canceling", "canceled"}:
            yield f"{number}, canceled at {at}: {timeline}"


@rule
def a_rollback_repeats_what_succeeded(event: Event) -> Iterator[str]:
    if event.operation != "rollback" or event.added is None or event.ask is None or event.before is None:
        return
    target = default_target(event) if event.ask.target is None else event.ask.number
    new, old = event.added, event.life.deployments[target or 0]
    if (new.kind, new.rollback_of, new.version, new.config) != ("rollback", old.id, old.version, old.config):
        yield f"{new} repeats {old}"
    if event.after.environment.config != event.before.environment.config:
        yield f"{event.after.environment}"


@rule
def a_restore_revives_no_deployment(event: Event) -> Iterator[str]:
    if event.operation == "restore" and event.refusal is None:
        for item in event.after.deployments:
            if not deployment.MACHINE.is_terminal(item.status_at(event.now)):
                yield f"{item}"


@rule
def leases_are_noted(event: Event) -> Iterator[str]:
    """The last 100, as they were asked for."""
    asked = [
        (wish.at, "restored" if wish.status else "extended", wish.lease)
        for wish in event.life.wishes
        if wish.lease
    ]
    notes = [note for note in event.after.environment.notes if note.action != "repaired"]
    if [(note.at, note.action, note.until) for note in notes] != asked[-100:]:
        yield f"{notes} of {asked}"


@rule
def seed_and_number_decide_what_is_flaky(event: Event) -> Iterator[str]:
    """Of what was asked for, seconds are kept; what is not flaky is kept as it is."""
    if event.added is not None and event.ask is not None:
        outcome = flaky_outcome(event.added.simulation, event.added.number)
        asked, work = event.ask.new.work, event.added.work
        if (work.seconds, work.outcome) != (asked.seconds, outcome or asked.outcome):
            yield f"{event.added} of {asked}"
        if outcome is None and work != asked:
            yield f"{event.added} of {asked}"


@rule
def numbers_have_no_gaps(event: Event) -> Iterator[str]:
    numbers = list(event.life.deployments)
    if numbers != list(range(1, event.after.environment.last_number + 1)):
        yield f"{numbers}"


@rule
def few_deployments_are_unfinished(event: Event) -> Iterator[str]:
    if len(event.after.environment.unfinished) > 20:
        yield f"{event.after.environment.unfinished}"


@rule
def what_is_live_is_what_succeeded_last(event: Event) -> Iterator[str]:
    """Now and at every moment of the plan, before it is settled too."""
    succeeded = [
        (item.timeline[-1].at, number)
        for number, item in event.life.deployments.items()
        if item.timeline[-1].status == "succeeded"
    ]
    for moment in {event.as_of, *(at for at, _ in succeeded if at > event.as_of)}:
        live = event.after.environment.active_at(moment)
        last = max((pair for pair in succeeded if pair[0] <= moment), default=None)
        if (live and (live.at, live.number)) != last:
            yield f"at {moment} {live} is live, {last} succeeded last"
    past = [item.number for item in event.after.environment.live if item.at <= event.as_of]
    if past != [number for at, number in sorted(succeeded) if at <= event.as_of][-10:]:
        yield f"{past} are remembered of {succeeded}"


@rule
def what_is_possible_follows_from_the_table(event: Event) -> Iterator[str]:
    """A refusal comes from the status, or from what was asked for, and says which."""
    expected = refusal(event)
    if type(event.refusal) is not (expected or type(None)):
        yield f"{event.operation} while {event.status}: {event.refusal!r}, expected {expected}"


@rule
def only_callers_set_changed_at(event: Event) -> Iterator[str]:
    if event.before is not None:
        asked = event.operation in {"edit", "end", "project end", "extend", "restore", "retry"}
        expected = event.now if asked else event.before.environment.changed_at
        if event.after.environment.changed_at != expected:
            yield f"{event.operation}: {event.after.environment.changed_at}, expected {expected}"


ALWAYS = (what_is_possible_follows_from_the_table.__name__, what_is_allowed_is_what_is_possible.__name__)


def faults(event: Event) -> Iterator[tuple[str, str]]:
    """Rules that an event breaks, and how. Where nothing was changed, only whether that was right."""
    unchanged = event.after is event.before
    for name in ALWAYS if unchanged else RULES:
        for fault in RULES[name](event):
            yield name, fault
