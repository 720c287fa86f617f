"""A page of 50 out of very many documents against one out of a thousand, through the store's adapter."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.load import distribution
from benchmarks.processes import data_folder
from shared import documents, ids, listing
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_store import SqliteStore
from shared.domain.aggregate import open_environment
from shared.domain.environment import (
    DELETED,
    EXPIRED,
    PROVISIONING,
    RUNNING,
    Environment,
    EnvironmentType,
    Pace,
    Policy,
)
from shared.domain.timeline import Work
from shared.ports import Create, Cursor, Order, Query, Ref
from shared.runtime import DATABASE_FILE
from shared.times import to_text

FEW = 1_000
PAGE = 50
BATCH = 2_000
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_ORDER = Order("created_at", descending=True)

Say = Callable[[str], None]


def _pattern(project_id: str) -> dict[str, Any]:
    """A running environment as it is stored, the pattern of all others."""
    planned = open_environment(
        Environment(
            id=ids.new_environment_id(project_id),
            project_id=project_id,
            name="preview-pr-123",
            type=EnvironmentType.PERSISTENT,
            on_conflict=Policy.QUEUE,
            config=None,
            created_at=_BEGINNING,
            changed_at=_BEGINNING,
            expires_at=None,
            work=Work(2),
            pace=Pace(0.5, 1, 2, 3_600, 604_800),
            timeline=(),
            as_of=_BEGINNING,
        )
    ).environment
    later = _BEGINNING + timedelta(seconds=10)
    return dict(documents.environment_data(replace(planned, as_of=later, due_at=None)))


def _environments(project_id: str, count: int) -> Iterator[Create]:
    pattern = _pattern(project_id)
    for number in range(count):
        created_at = to_text(_BEGINNING + timedelta(milliseconds=number))
        name = ids.new_environment_id(project_id)
        data = {**pattern, "id": name, "created_at": created_at}
        yield Create(Ref("environments", name), data)


def _fill(store: SqliteStore, project_id: str, count: int, say: Say) -> None:
    waiting = _environments(project_id, count)
    began = time.perf_counter()
    for done in range(0, count, BATCH):
        store.commit(*(next(waiting) for _ in range(min(BATCH, count - done))))
        if done and done % 100_000 == 0:
            say(f"{done:,} documents in {time.perf_counter() - began:.0f} s")


def _queries(project_id: str, count: int) -> Mapping[str, Query]:
    middle: Cursor = to_text(_BEGINNING + timedelta(milliseconds=count // 2)), "env-"
    live = set(listing.EVERY_STATUS) - {DELETED}
    not_deleted = listing.environments_of(project_id, live)
    by_status = listing.environments_of(project_id, (EXPIRED, PROVISIONING, RUNNING))
    return {
        "first page": Query("environments", not_deleted, _ORDER, PAGE),
        "page in the middle": Query("environments", not_deleted, _ORDER, PAGE, middle),
        "filtered by status": Query("environments", by_status, _ORDER, PAGE),
        "filtered by status, in the middle": Query("environments", by_status, _ORDER, PAGE, middle),
    }


def _measured(store: SqliteStore, query: Query, times: int) -> list[float]:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        page = store.find(query)
        found.append(time.perf_counter() - began)
        assert len(page.documents) == PAGE  # noqa: S101 - else it is no measurement
    return found


def _filled(home: Path, count: int, say: Say) -> tuple[SqliteStore, Mapping[str, Query], dict[str, float]]:
    home.mkdir()
    file = home / DATABASE_FILE
    store = SqliteStore(Database(file))
    project_id = ids.new_project_id()
    began = time.perf_counter()
    _fill(store, project_id, count, say)
    facts = {
        "filled_in": round(time.perf_counter() - began, 1),
        "megabytes": round(file.stat().st_size / 1e6),
    }
    return store, _queries(project_id, count), facts


def run(say: Say, many: int = 1_000_000, times: int = 300) -> dict[str, Any]:
    """Turn by turn, so that a noisy moment hits both alike."""
    with data_folder() as home:
        few_store, few_queries, _ = _filled(home / "few", FEW, say)
        many_store, many_queries, facts = _filled(home / "many", many, say)
        results = {}
        for name in few_queries:
            few: list[float] = []
            large: list[float] = []
            for _ in range(10):
                few += _measured(few_store, few_queries[name], max(1, times // 10))
                large += _measured(many_store, many_queries[name], max(1, times // 10))
            results[name] = {"few": distribution(few), "many": distribution(large)}
        return {
            "few": FEW,
            "many": many,
            "page": PAGE,
            **facts,
            "sqlite": sqlite3.sqlite_version,
            "queries": results,
        }
