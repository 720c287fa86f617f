"""A folder for what a running stack keeps: its tokens' private key, its queue, its sockets.

mkdir ── lock held by whoever made it ──> its process ends: removed on the way out
                                    └───> killed: nobody holds the lock; the next start removes it
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.keys import open_home

PREFIX = "run-google-"
_LOCK = "lock"


@contextmanager
def own_folder(home: Path) -> Iterator[Path]:
    """A new folder in the data folder, 0700, that goes with the block. What killed ones left is removed."""
    open_home(home)
    _remove_left_over(home)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=home.absolute()))
    lock = os.open(folder / "new", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / "new").rename(folder / _LOCK)  # under this name it has never been free
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_left_over(home: Path) -> None:
    for lock in home.glob(f"{PREFIX}*/{_LOCK}"):
        with suppress(OSError), lock.open("rb") as file:  # in use, or somebody else has just removed it
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
