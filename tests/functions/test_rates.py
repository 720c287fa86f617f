"""The rate of one caller's requests: counted, said in every answer, and limited."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.config import Settings
from tests.functions.api import SECRET, Api

MOST = 6


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Api]:
    """An instance that takes a request every ten seconds, six at once."""
    given = {"home": tmp_path, "callback_secret": SECRET, "requests_per_minute": MOST}
    api = Api(tmp_path, Settings.model_validate(given))
    yield api
    api.database.close()


def test_every_answer_says_what_is_left(slow: Api) -> None:
    for left in range(MOST - 1, -1, -1):
        headers = slow.get("/api/v1/projects").headers
        assert headers["RateLimit-Policy"] == '"requests";q=6;w=60'
        assert headers["RateLimit"] == f'"requests";r={left};t={10 * (MOST - left)}'


def test_one_too_many_is_429_and_does_nothing(slow: Api) -> None:
    for _ in range(MOST):
        assert slow.post("/api/v1/projects", {"name": "x"}).status == 201
    with slow.nothing_changes():
        reply = slow.post("/api/v1/projects", {"name": "x"})
    assert (reply.status, reply["type"]) == (429, "urn:envctl:problem:too_many_requests")
    assert reply.headers["Retry-After"] == "10"
    assert reply.headers["RateLimit"] == '"requests";r=0;t=60'
    slow.advance(10)
    assert slow.post("/api/v1/projects", {"name": "x"}).status == 201
    assert slow.post("/api/v1/projects", {"name": "x"}).status == 429


def test_what_is_refused_for_another_reason_counts_too(slow: Api) -> None:
    statuses = [slow.get("/api/v1/projects/x").status for _ in range(MOST + 1)]
    assert statuses == [404] * MOST + [429]


def test_others_and_those_who_are_nobody_are_not_concerned(slow: Api) -> None:
    for _ in range(MOST + 1):
        slow.get("/api/v1/projects")
    assert slow.get("/api/v1/projects", token=slow.join()).status == 200
    for _ in range(MOST + 1):
        assert slow.get("/api/v1/projects", token="x").status == 401
        reply = slow.get("/health", token=None)
        assert (reply.status, "RateLimit" in reply.headers) == (200, False)
    assert slow.get("/api/v1/projects").status == 429


def test_callbacks_have_no_rate(slow: Api) -> None:
    assert [slow.sweep().status for _ in range(MOST + 2)] == [200] * (MOST + 2)


def test_a_forged_api_token_uses_up_nobodys(slow: Api) -> None:
    for number in range(MOST + 1):
        assert slow.get("/api/v1/projects", token=f"envctl_{number:064}").status == 401
    assert slow.get("/api/v1/projects").status == 200
