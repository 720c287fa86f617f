"""Ways to break the product on purpose, each at the place that keeps something from being lost."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from functions.environments import use_cases as environments
from functions.projects import use_cases as projects
from functions.tasks import routes, sweeping
from shared import changing, reading, settling
from shared.domain import project
from shared.ports import Create, Write
from shared.settling import Outcome
from tests.simulation.memory_store import MemoryStore

Mutation = Callable[[], Any]
MUTATIONS: dict[str, Mutation] = {}


def _mutation(make: Callable[[], Iterator[None]]) -> Mutation:
    found = contextmanager(make)
    MUTATIONS[make.__name__.replace("_", " ")] = found
    return found


@contextmanager
def _everywhere(name: str, replacement: object, *modules: object) -> Iterator[None]:
    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(patch.object(module, name, replacement))
        yield


@_mutation
def the_version_fence_is_removed() -> Iterator[None]:
    check = MemoryStore._check  # noqa: SLF001 - what is broken here

    def creates_only(store: MemoryStore, write: Write) -> None:
        if isinstance(write, Create):
            check(store, write)

    def delete_too(store: MemoryStore, write: Write) -> None:
        if isinstance(write, Create) or write.ref in store._documents:  # noqa: SLF001 - likewise
            write_as_ever(store, write)

    write_as_ever = MemoryStore._write  # noqa: SLF001 - likewise
    with patch.object(MemoryStore, "_check", creates_only), patch.object(MemoryStore, "_write", delete_too):
        yield


@_mutation
def the_precondition_of_creates_is_removed() -> Iterator[None]:
    check = MemoryStore._check  # noqa: SLF001 - likewise

    def others_only(store: MemoryStore, write: Write) -> None:
        if not isinstance(write, Create):
            check(store, write)

    with patch.object(MemoryStore, "_check", others_only):
        yield


@_mutation
def the_sweep_is_removed() -> Iterator[None]:
    with patch.object(routes, "sweep", lambda *_: sweeping.Swept()):
        yield


@_mutation
def nothing_is_enqueued_after_a_commit() -> Iterator[None]:
    with _everywhere("wake", lambda *_: None, changing, settling, environments, projects):
        yield


@_mutation
def a_task_is_used_up_when_it_comes_early() -> Iterator[None]:
    judge = settling._judge  # noqa: SLF001 - likewise

    def never_early(*arguments: Any) -> Outcome:  # noqa: ANN401 - handed on
        found = judge(*arguments)
        return Outcome.STALE if found == Outcome.EARLY else found

    with patch.object(settling, "_judge", never_early):
        yield


@_mutation
def what_others_committed_is_no_time() -> Iterator[None]:
    """`as_of` is ignored: only the own clock counts."""

    def own_clock(clock_time: datetime, *_: datetime) -> datetime:
        return clock_time

    with _everywhere("effective_now", own_clock, changing, reading, settling, projects):
        yield


@_mutation
def an_own_create_is_not_looked_for() -> Iterator[None]:
    whole = changing.Reading

    def without_adding(expecting: Sequence[Any], beside: Any, **_: Any) -> changing.Reading:  # noqa: ANN401
        return whole(expecting, beside)

    with patch.object(changing, "Reading", without_adding):
        yield


@_mutation
def nobody_looks_again_after_a_projects_end() -> Iterator[None]:
    with patch.object(project, "LOOK_AGAIN", timedelta(0)):
        yield
