"""What Firestore bills, counted at Google's client: documents, not calls."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from google.cloud.firestore_v1.services.firestore import FirestoreClient


class Bill(Counter[str]):
    """Document reads, writes and deletes since it was opened; the audit's writes apart, as events."""

    def read(self, documents: int) -> None:
        self["reads"] += documents


def open_bill(monkeypatch: pytest.MonkeyPatch) -> Bill:
    """From now on every call of every client is on the bill.

    A document that is asked for by name is a read also where there is none, and so is a query that finds
    nothing (https://firebase.google.com/docs/firestore/pricing).
    """
    bill = Bill()
    watch(monkeypatch, "batch_get_documents", lambda request, _: bill.read(len(request.documents)))
    watch(monkeypatch, "run_query", lambda _, answer: bill.read(max(1, sum(map(_is_found, answer)))))
    watch(monkeypatch, "commit", lambda request, _: bill.update(map(_kind, request.writes)))
    return bill


def watch(monkeypatch: pytest.MonkeyPatch, method: str, note: Callable[[Any, Any], None]) -> None:
    """Have every call of a method noted, with its request and its answer."""
    original = getattr(FirestoreClient, method)

    def call(client: FirestoreClient, request: Any, **options: Any) -> Any:  # noqa: ANN401 - Google's messages
        answer = original(client, request, **options)
        if isinstance(answer, Iterable):
            answer = [*answer]
        note(request, answer)
        return answer

    monkeypatch.setattr(FirestoreClient, method, call)


def _is_found(part: Any) -> bool:  # noqa: ANN401 - likewise
    return bool(part.document.name)


def is_event(write: Any) -> bool:  # noqa: ANN401 - likewise
    """Whether it is the audit's."""
    return "/documents/events/" in write.update.name


def _kind(write: Any) -> str:  # noqa: ANN401 - likewise
    if is_event(write):
        return "events"
    return "deletes" if write.delete else "writes"
