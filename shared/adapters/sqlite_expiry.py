"""TTL policies on one machine: Firestore removes by itself what has passed its moment, a file doesn't."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from shared.adapters.indexes import INDEXES, policies
from shared.adapters.sqlite import Database
from shared.times import to_text

BATCH = 500
"""How many documents are removed by one write: others' writes take turns with it."""

_PAST = (
    "SELECT key FROM documents WHERE key > ? AND key < ? AND json_extract(body, ?) <= ? ORDER BY key LIMIT ?"
)
_REMOVE = "DELETE FROM documents WHERE key = ? AND json_extract(body, ?) <= ?"


def remove_expired(
    database: Database, now: datetime, spared: Collection[str] = (), indexes: Path = INDEXES
) -> int:
    """Remove what has passed the moment that its collection's policy looks at. How many documents that were.

    It reads through the collections, which takes no lock. A document that is prolonged meanwhile stays.
    Collections whose time is another one are spared.
    """
    declaration = json.loads(indexes.read_text(encoding="utf-8"))
    wanted = [policy for policy in policies(declaration) if policy[0] not in spared]
    return sum(_remove(database, *policy, now) for policy in wanted)


def _remove(database: Database, collection: str, field: str, now: datetime) -> int:
    moment, path, after, removed = to_text(now), f"$.{field}", f"{collection}/", 0
    while True:
        # A key is `collection/id`, and 0 comes right after the slash.
        keys = [key for (key,) in database.fetch(_PAST, (after, f"{collection}0", path, moment, BATCH))]
        if not keys:
            return removed
        removed += _delete(database, [(key, path, moment) for key in keys])
        after = keys[-1]


def _delete(database: Database, rows: Sequence[tuple[Any, ...]]) -> int:
    def work(connection: Connection) -> int:
        return connection.executemany(_REMOVE, rows).rowcount

    return database.write(work)
