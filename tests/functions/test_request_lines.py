"""The one line in the log that each request and each task leaves."""

import json
from typing import Any

import pytest

from shared import log
from tests.functions.api import SECRET, Api

HEADERS = {
    "X-Request-Id": "r-1",
    "X-Cloud-Trace-Context": "105445aa7843bc8bf206b12000100000/1;o=1",
    "X-CloudTasks-TaskRetryCount": "3",
}


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> "Lines":
    monkeypatch.setattr(log, "_written", {"INFO", "WARNING", "ERROR"})
    return Lines(capsys)


class Lines:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def forget(self) -> None:
        self._capsys.readouterr()

    def of(self, request_id: str) -> dict[str, Any]:
        """The one line of a request."""
        entries = [json.loads(line) for line in self._capsys.readouterr().err.splitlines()]
        assert [entry.get("request_id") for entry in entries] == [request_id]
        entry: dict[str, Any] = entries[0]
        assert SECRET not in json.dumps(entry)
        return entry


def test_a_requests_line_says_who_did_what_to_which_object_and_how_it_ended(api: Api, lines: Lines) -> None:
    project_id = api.project()
    lines.forget()
    api.get(f"/api/v1/projects/{project_id}", headers=HEADERS)
    line = lines.of("r-1")
    assert (line["method"], line["status"], line["ids"]) == ("GET", 200, {"project_id": project_id})
    assert line["user_id"].startswith("usr-")
    assert line["trace"] == HEADERS["X-Cloud-Trace-Context"]
    assert line["severity"] == "INFO"
    assert line["ms"] > 0


def test_a_refused_requests_line_has_its_status(api: Api, lines: Lines) -> None:
    api.get("/api/v1/projects/none", headers=HEADERS)
    line = lines.of("r-1")
    assert (line["status"], line["ids"]) == (404, {"project_id": "none"})


def test_a_tasks_line_says_which_document_which_attempt_and_what_became_of_it(api: Api, lines: Lines) -> None:
    environment_id = api.environment()
    task = api.queue.tasks[-1]
    lines.forget()
    api.post(task.path, dict(task.payload), token=SECRET, headers=HEADERS)
    line = lines.of("r-1")
    assert (line["id"], line["outcome"], line["retry"]) == (environment_id, "early", "3")
    assert line["trace"] == HEADERS["X-Cloud-Trace-Context"]
    assert line["ms"] > 0


def test_a_sweeps_line_says_what_it_found(api: Api, lines: Lines) -> None:
    api.post("/api/v1/tasks/sweep", {}, token=SECRET, headers=HEADERS)
    line = lines.of("r-1")
    assert (line["woken"], line["complete"]) == (0, True)
