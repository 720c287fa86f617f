"""The one line in the log that each request and each task leaves."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared import log
from tests.functions.api import PASSWORD, SECRET, Api, api_with
from tests.functions.test_forwarded import PARTS

NOBODYS = "prj-aaaaaaaaaaaaaaaa"
LINKED = "logging.googleapis.com/trace"
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
    assert LINKED not in line, "it is no instance on Google Cloud"
    assert line["severity"] == "INFO"
    assert line["ms"] > 0


def test_a_refused_requests_line_has_its_status(api: Api, lines: Lines) -> None:
    api.get(f"/api/v1/projects/{NOBODYS}", headers=HEADERS)
    line = lines.of("r-1")
    assert (line["status"], line["ids"]) == (404, {"project_id": NOBODYS})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "auth/tokens"),
        ("DELETE", "auth/sessions"),
        ("PATCH", "projects"),
        ("GET", "environments"),
        ("GET", "deployments"),
    ],
)
def test_a_token_in_the_place_of_an_id_is_not_in_it(api: Api, lines: Lines, method: str, path: str) -> None:
    made = api.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["read"]})
    for secret in (made["token"], api.token, PASSWORD):
        lines.forget()
        body = {"name": "x"} if method == "PATCH" else None
        assert api.call(method, f"/api/v1/{path}/{secret}", body, headers=HEADERS).status == 404
        line = lines.of("r-1")
        assert list(line["ids"].values()) == [None]
        assert secret not in json.dumps(line)


def test_on_google_cloud_a_line_is_shown_with_its_request(tmp_path: Path, lines: Lines) -> None:
    with api_with(tmp_path, google=PARTS) as api:
        lines.forget()
        api.get("/api/v1/auth/me", headers=HEADERS)
        linked = f"projects/{PARTS.project}/traces/105445aa7843bc8bf206b12000100000"
        assert lines.of("r-1")[LINKED] == linked
        api.get("/api/v1/auth/me", headers={**HEADERS, "X-Cloud-Trace-Context": "x/1"})
        assert LINKED not in lines.of("r-1")


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
