"""Working SQLite's log into the file, by somebody who has nothing else to do.

SQLite has the writer do it whose commit makes the log too long, and everybody waits behind that one: tens of
milliseconds on a busy machine. Readers and writers may go on beside a checkpoint, so another thread does it
before any writer has to:

    log    0 ─────────────── 4,000 ─── 4,200              and with the next write: 0 ──
           └── beside the writers ──┘   └─ writers wait, until nobody reads the log any more
"""

import os
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.sqlite import Database

CHECKPOINT_PAGES = 4_000
"""From how long a log on (16 MB): a page that changed often is worked in once."""

WAIT_SECONDS = 0.02
"""How long writers wait for those who read the log, most of whom have finished within five milliseconds. The
log begins anew only once nobody reads it, and where many read that moment would not come by itself."""

_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24
_PAGE_SIZE, _HEADER_SALTS, _FRAME_SALTS = slice(8, 12), slice(16, 24), slice(8, 16)


@dataclass(frozen=True, slots=True)
class Log:
    """A log at a moment."""

    salts: bytes
    """Others each time that it begins anew."""
    pages: int
    """How many have been written to it since."""


def read_log(file: Path) -> Log | None:
    """The log in a `-wal` file (https://sqlite.org/walformat.html); None where there is none.

    Nobody locks this file. The one that says how long the log is (`-shm`) must not be opened here: closing it
    would drop the locks that SQLite has on it in this process.
    """
    try:
        with file.open("rb", buffering=0) as log:
            return _read(log.fileno())
    except FileNotFoundError:
        return None


def _read(log: int) -> Log | None:
    header = os.pread(log, _HEADER_BYTES, 0)
    if len(header) < _HEADER_BYTES:
        return None
    salts, step = header[_HEADER_SALTS], _FRAME_HEADER_BYTES + int.from_bytes(header[_PAGE_SIZE])
    # Behind the pages that count lie those of earlier turns, with other salts.
    count, beyond = 0, (os.fstat(log).st_size - _HEADER_BYTES) // step + 1
    while beyond - count > 1:
        middle = (count + beyond) // 2
        frame = os.pread(log, _FRAME_HEADER_BYTES, _HEADER_BYTES + (middle - 1) * step)
        count, beyond = (middle, beyond) if frame[_FRAME_SALTS] == salts else (count, middle)
    return Log(salts, count)


class Checkpointer:
    """Of one SQLite file."""

    def __init__(
        self, database: Database, pages: int = CHECKPOINT_PAGES, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._database = database
        self._file = Path(f"{database.path}-wal")
        self._pages = pages
        self._milliseconds = round(1_000 * wait_seconds)
        self._left: Log | None = None

    def look(self) -> bool:
        """Work the log in if it has grown long; whether it had. Raises `Unavailable` as the database does.

        Where somebody reads it for long, again whenever it has grown by another quarter.
        """
        log = read_log(self._file)
        if log is None or log.pages < self._due(log):
            return False
        self._database.fetch("PRAGMA wal_checkpoint(PASSIVE)")
        self._database.fetch(f"PRAGMA busy_timeout = {self._milliseconds}")
        try:
            self._database.fetch("PRAGMA wal_checkpoint(RESTART)")
        finally:
            self._database.fetch("PRAGMA busy_timeout = 0")
        self._left = read_log(self._file)
        return True

    def _due(self, log: Log) -> int:
        """How long the log is to be before it is looked at (again)."""
        if self._left is None or self._left.salts != log.salts:
            return self._pages
        return self._left.pages + max(1, self._pages // 4)
