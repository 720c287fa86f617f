"""What is stored: read-only looks into the SQLite file of a running server."""

import sqlite3
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.runtime import DATABASE_FILE
from shared.times import to_text

LOOK_SECONDS = 0.02


def _connect(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{home / DATABASE_FILE}?mode=ro", uri=True, timeout=5)


def count(home: Path, collection: str, status: str) -> int:
    """How many documents are stored with a status."""
    sql = "SELECT count(*) FROM documents WHERE collection = ? AND json_extract(body, '$.status') = ?"
    with closing(_connect(home)) as connection:
        return int(connection.execute(sql, (collection, status)).fetchone()[0])


def near_tasks(home: Path, seconds: float = 10.0) -> int:
    """How many tasks are due, or will be within so many seconds."""
    until = to_text(datetime.now(UTC) + timedelta(seconds=seconds))
    with closing(_connect(home)) as connection:
        return int(connection.execute("SELECT count(*) FROM tasks WHERE due_at <= ?", (until,)).fetchone()[0])


def await_idle(home: Path, limit: float = 120.0) -> float:
    """The seconds until no task is due soon: what a load leaves behind must be no load on the next one."""
    began = time.perf_counter()
    while near_tasks(home) and time.perf_counter() - began < limit:
        time.sleep(0.05)
    return time.perf_counter() - began


class Watch(threading.Thread):
    """Looks every 20 ms, and keeps when it first saw each environment stored as running."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        self._home = home
        self._over = threading.Event()
        self.seen: dict[str, float] = {}
        """By environment; seconds since 1970, taken after the look."""

    def run(self) -> None:
        """See Thread."""
        sql = (
            "SELECT id FROM documents WHERE collection = 'environments' "
            "AND json_extract(body, '$.status') = 'running'"
        )
        with closing(_connect(self._home)) as connection:
            while not self._over.wait(LOOK_SECONDS):
                with suppress(sqlite3.OperationalError):
                    rows = connection.execute(sql).fetchall()
                    now = time.time()
                    for (name,) in rows:
                        self.seen.setdefault(name, now)

    def await_all(self, count: int, limit: float) -> None:
        """Wait until so many have been seen, for so many seconds at most."""
        give_up_at = time.perf_counter() + limit
        while len(self.seen) < count and time.perf_counter() < give_up_at:
            time.sleep(LOOK_SECONDS)

    def end(self) -> None:
        """No more looks."""
        self._over.set()
        self.join()
