"""Whether the database answers, said soon."""

import pytest

from shared.errors import Unavailable
from shared.ports import Document, Ref
from tests.functions.api import Api


def test_it_is_503_within_two_seconds_when_the_database_does_not_answer(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float | None] = []

    def away(_ref: Ref, within: float | None = None) -> Document | None:
        asked.append(within)
        raise Unavailable("database")

    monkeypatch.setattr(api.store, "get", away)
    reply = api.get("/health", token=None)
    assert (reply.status, asked) == (503, [2])
