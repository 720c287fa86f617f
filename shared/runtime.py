"""The composition root: what the use cases work with, made of an instance's settings on first use.

The only module that imports adapters, and only those that the settings ask for.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared import config, log, virtual_clock
from shared.buckets import Buckets
from shared.callbacks import CallbackCheck, SecretCheck
from shared.clock import Clock, SystemClock
from shared.config import Google, Settings
from shared.errors import Unavailable
from shared.held import HeldRequests
from shared.keys import Keys, given_keys, keys_in, open_home
from shared.locks import NamedLocks, Places
from shared.ports import Store, TaskQueue
from shared.startup import HomeUnusable

if TYPE_CHECKING:
    from shared.adapters.sqlite import Database
    from shared.adapters.sqlite_queue import SqliteTaskQueue

DATABASE_FILE = "envctl.db"


@dataclass(frozen=True)
class Runtime:
    """What a request or a task is handled with."""

    settings: Settings
    keys: Keys
    store: Store
    queue: TaskQueue
    callbacks: CallbackCheck
    clock: Clock = field(default_factory=SystemClock)
    locks: NamedLocks = field(default_factory=NamedLocks)
    buckets: Buckets = field(default_factory=Buckets)
    held: HeldRequests = field(default_factory=HeldRequests)
    logins: Places = field(default_factory=lambda: Places(32))
    """Requests that are at a password."""


@cache
def runtime() -> Runtime:
    """The runtime of this process, made at the first call: after a server has forked its workers."""
    settings = config.load()
    log.write_from(settings.log_level)
    return _on_this_machine(settings) if settings.google is None else _on_google(settings, settings.google)


def _on_this_machine(settings: Settings) -> Runtime:
    from shared.adapters.sqlite_store import SqliteStore  # noqa: PLC0415 - a function loads what it uses only

    keys = _keys(settings.home)
    database = _database(settings.home)
    store = SqliteStore(database)
    queue: TaskQueue = local_queue(database)
    held = HeldRequests(settings.held_requests)
    if settings.is_time_virtual:
        from shared.adapters.no_queue import NoQueue  # noqa: PLC0415 - likewise

        _ensure_clock(settings, store)
        queue, held = NoQueue(), HeldRequests(0)  # nothing happens by itself, so there is nothing to wait for
    return Runtime(
        settings,
        keys,
        store,
        queue,
        SecretCheck(settings.callback_secret),
        held=held,
        logins=Places(settings.logins_at_once),
    )


def _ensure_clock(settings: Settings, store: Store) -> None:
    virtual_clock.ensure(store, SystemClock()(), str(settings.home))


def _on_google(settings: Settings, google: Google) -> Runtime:
    """No client is made here: each adapter makes its own at its first use, and loads its library then."""
    from shared.adapters.cloud_tasks import CloudTasksQueue  # noqa: PLC0415 - likewise
    from shared.adapters.firestore_store import FirestoreStore  # noqa: PLC0415 - likewise
    from shared.adapters.oidc import OidcCheck  # noqa: PLC0415 - likewise

    accounts = {google.tasks_account, google.scheduler_account or google.tasks_account}
    return Runtime(
        settings,
        given_keys(google),
        FirestoreStore(google.project, google.database, config.firestore_emulator()),
        CloudTasksQueue(google.queue, google.tasks_url, google.tasks_account, google.tasks_endpoint),
        OidcCheck(google.tasks_url, frozenset(accounts), google.certificates_url),
        held=HeldRequests(settings.held_requests),
        logins=Places(settings.logins_at_once),
    )


def _keys(home: Path) -> Keys:
    # Asked before the keys are made: whoever starts at the same moment makes them before the database.
    return keys_in(home, is_new=not (home / DATABASE_FILE).exists())


def _database(home: Path, *, durable: bool = True) -> "Database":
    from shared.adapters.sqlite import Database  # noqa: PLC0415 - likewise

    open_home(home)
    return Database(home / DATABASE_FILE, durable=durable)


def local_queue(database: "Database") -> "SqliteTaskQueue":
    """The durable queue in the database's file, with what its dispatcher needs."""
    from shared.adapters.sqlite_queue import RetryConfig, SqliteTaskQueue  # noqa: PLC0415 - likewise

    return SqliteTaskQueue(database, RetryConfig())


def open_local(settings: Settings) -> "tuple[Database, SqliteTaskQueue]":
    """Database and queue of a data folder, for the one process that dispatches on this machine.

    Keys and database are there when it returns, and the clock if it is virtual. Raises StartupError when
    they can't be used. Its own writes say which tasks are done: what a power loss undoes of them is
    delivered again.
    """
    import sqlite3  # noqa: PLC0415 - likewise

    from shared.adapters.sqlite_store import SqliteStore  # noqa: PLC0415 - likewise

    _keys(settings.home)
    database = _database(settings.home, durable=False)
    try:
        database.connection()
        _open_clock(settings, SqliteStore(database))
    except (sqlite3.DatabaseError, Unavailable) as fault:
        raise HomeUnusable(str(settings.home), f"{DATABASE_FILE}: {fault.__cause__ or fault}") from fault
    return database, local_queue(database)


def _open_clock(settings: Settings, store: Store) -> None:
    """See that the data folder's times are those of the clock that the settings ask for."""
    if settings.is_time_virtual:
        _ensure_clock(settings, store)
        virtual_clock.end_turn(store)
    else:
        virtual_clock.refuse(store, str(settings.home))
