"""The store on Google Cloud: documents in a Firestore database."""

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.loading import uncollected
from shared.ports import Document, Page, Query, Ref, Write

if TYPE_CHECKING:
    from shared.adapters.firestore_documents import FirestoreDocuments


class FirestoreStore:
    """`ports.Store` over a Firestore database.

    Constructing it loads and touches nothing: the client is made at the first use, one per process,
    so that a server may load the program, fork, and use it in its workers. `emulator` is host:port
    of Google's emulator, spoken to without TLS and without credentials.
    """

    def __init__(self, project: str, database: str, emulator: str | None = None) -> None:
        self._project = project
        self._database = database
        self._emulator = emulator
        self._processes: dict[int, _Process] = {}

    def get(self, ref: Ref, within: float | None = None) -> Document | None:
        """See the port."""
        return self._documents().get(ref, within)

    def get_many(self, refs: Sequence[Ref]) -> list[Document | None]:
        """See the port."""
        return self._documents().get_many(refs) if refs else []

    def find(self, query: Query) -> Page:
        """See the port."""
        return self._documents().find(query)

    def count(self, query: Query) -> int:
        """See the port."""
        return self._documents().count(query)

    def commit(self, *writes: Write) -> None:
        """See the port."""
        if writes:
            self._documents().commit(writes)

    def close(self) -> None:
        """Close this process's connection; the next call makes another."""
        process = self._processes.pop(os.getpid(), None)
        if process and process.documents:
            process.documents.close()

    def _documents(self) -> "FirestoreDocuments":
        # A client does not survive a fork, and neither may a lock that another thread held: a child
        # makes both anew.
        pid = os.getpid()
        process = self._processes.get(pid) or self._processes.setdefault(pid, _Process())
        return process.documents or self._connect(process)

    def _connect(self, process: "_Process") -> "FirestoreDocuments":
        with uncollected():  # Google's libraries take 0.2 s to load
            from shared.adapters.firestore_documents import FirestoreDocuments  # noqa: PLC0415

        with process.making:
            if process.documents is None:
                process.documents = FirestoreDocuments(self._project, self._database, self._emulator)
            return process.documents


class _Process:
    """What a store holds in one process."""

    def __init__(self) -> None:
        self.making = threading.Lock()
        self.documents: FirestoreDocuments | None = None
