"""Ways to break the product on purpose, each at the place that keeps something from being lost."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any
from unittest.mock import patch

from functions.tasks import routes, sweeping
from shared import changing, clock, idempotency, ids, settling, waking
from shared.idempotency import Intent
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
def _everywhere(
    name: str, home: ModuleType, replacement: object, but: ModuleType | None = None
) -> Iterator[None]:
    """In the place of a function wherever the product has it by its name, except in some modules."""
    with ExitStack() as stack:
        original = vars(home)[name]
        for path, module in sorted(sys.modules.items()):
            is_ours = path.startswith(("shared.", "functions.")) and module is not but
            if is_ours and vars(module).get(name) is original:
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
    with _everywhere("wake", waking, lambda *_: None, but=sweeping):
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

    with _everywhere("effective_now", clock, own_clock):
        yield


@_mutation
def an_own_create_is_not_looked_for() -> Iterator[None]:

    def without_adding(what: Any, **more: Any) -> Any:  # noqa: ANN401 - as dataclasses.replace
        return replace(what, **{name: one for name, one in more.items() if name != "adding"})

    with patch.object(changing, "replace", without_adding):
        yield


@_mutation
def an_idempotency_key_is_ignored() -> Iterator[None]:
    with _everywhere("repeatable", idempotency, lambda *_: Intent(ids.new_part(), "")):
        yield
