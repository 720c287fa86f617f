"""Working SQLite's log into the file, by somebody who has nothing else to do.

SQLite has the writer do it whose commit makes the log too long, and everybody waits behind that one: tens of
milliseconds on a busy machine. Readers and writers may go on beside a checkpoint, so another thread does it
before any writer has to:

    log    0 ─────────────── 4,000 ─── 4,200              and with the next write: 0 ──
           └── beside the writers ──┘   └─ in a turn: nothing is written meanwhile, the log begins anew
"""

import os
from contextlib import closing
from pathlib import Path
from struct import unpack_from

from shared.adapters.sqlite import Database
from shared.adapters.sqlite_writer import Turn

CHECKPOINT_PAGES = 4_000
"""From how long a log on (16 MB): a page that changed often is worked in once."""

_HEADER_BYTES, _FRAMES, _WORKED_IN = 100, 16, 96


class Checkpointer:
    """Of one SQLite file."""

    def __init__(self, database: Database, pages: int = CHECKPOINT_PAGES) -> None:
        self._database = database
        self._pages = pages

    def look(self) -> bool:
        """Work the log in if it has grown long; whether it had. Raises `Unavailable` as the database does."""
        if self.pending() < self._pages:
            return False
        self._work_in()
        with closing(Turn(self._database.lock)) as turn:
            turn.take()
            self._work_in()
        return True

    def pending(self) -> int:
        """How many pages the log holds that are not in the file yet.

        As the WAL-index says (`nBackfill` and `mxFrame` in https://sqlite.org/walformat.html, 2.1): asking
        SQLite itself would work them in.
        """
        try:
            with Path(f"{self._database.path}-shm").open("rb", buffering=0) as index:
                header = os.pread(index.fileno(), _HEADER_BYTES, 0)
        except FileNotFoundError:
            return 0
        if len(header) < _HEADER_BYTES:
            return 0
        frames, worked_in = unpack_from("=I", header, _FRAMES)[0], unpack_from("=I", header, _WORKED_IN)[0]
        return int(frames - worked_in)

    def _work_in(self) -> None:
        self._database.fetch("PRAGMA wal_checkpoint(PASSIVE)")
