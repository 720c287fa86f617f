"""What thousands of tests begin with, made once: an empty database, and the answer to a password."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from shared import passwords
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_store import SqliteStore
from shared.ports import Order, Query


@cache
def empty_file() -> bytes:
    """What an instance's file holds before its first document: every test's begins as a copy."""
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "envctl.db")
        SqliteStore(database).count(Query("projects", (), Order("created_at")))
        database.close()
        return database.path.read_bytes()


@cache
def check_passwords_once() -> None:
    """The same password against the same hash has the same answer, and each check costs 20 ms."""
    hasher = passwords._hasher()  # noqa: SLF001 - what it is asked is what hashing costs
    hasher.set_backend()  # at its first use it would put another `verify` in the place of this one
    hasher.verify = cache(hasher.verify)
