"""A deployment's log as server-sent events, for as long as a request may be held."""

from collections.abc import Generator

from functions.deployments.schemas import EndView, EntryView
from shared.domain import logs
from shared.errors import EnvctlError
from shared.held import MOST_SECONDS
from shared.http.routes import Call
from shared.http.waiting import Read
from shared.reading import DeploymentSeen

HEARTBEAT_SECONDS = 15.0
HEARTBEAT = ":\n\n"
"""A comment: it says that somebody is there, and nothing else."""
AGAIN = "retry: 1000\n\n"
"""When to connect again, in milliseconds."""


def follow(
    call: Call, seen: DeploymentSeen, read: Read[DeploymentSeen], after: int, least: logs.Level
) -> Generator[str]:
    """The log's entries as they come, from the one after a number on. `seen` is the first look.

    It ends with an `end`, or with `retry` and without an `end`: when it can't be held any longer, or the
    log can't be read at the moment. An entry is sent only after a look at its own time or later, so what
    has been sent stands, whoever cancels.
    """
    yield HEARTBEAT  # at once, so that the client knows that it is heard
    with call.runtime.held.hold(MOST_SECONDS, call.is_ending) as held:
        beats_at = HEARTBEAT_SECONDS
        while True:
            page = logs.page(seen.deployment, seen.now, after, least)
            yield from map(_event, page.entries)
            after = page.next_after
            if page.is_last:
                yield _end(seen)
                return
            if not held.sleep(seen.now, logs.next_at(seen.deployment, seen.now)):
                break
            if held.seconds >= beats_at:
                yield HEARTBEAT
                beats_at += HEARTBEAT_SECONDS
            try:
                seen = read(show_deleted=True)
            except EnvctlError:
                break  # whoever connects again is told why
    yield AGAIN


def entry_view(entry: logs.Entry) -> EntryView:
    """An entry as clients see it, in whatever form."""
    return EntryView.model_validate(entry, from_attributes=True)


def _event(entry: logs.Entry) -> str:
    return f"id: {entry.seq}\ndata: {entry_view(entry).model_dump_json()}\n\n"


def _end(seen: DeploymentSeen) -> str:
    end = EndView.model_validate({"status": seen.deployment.status_at(seen.now)})
    return f"event: end\ndata: {end.model_dump_json()}\n\n"
