"""What the lifecycle costs at Google's client, and that its numbers have no gaps there either."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.functions.api import ENVIRONMENT, PERSISTENT, Api, Reply
from tests.functions.bill import is_event, watch

pytestmark = pytest.mark.google


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the client asks Firestore for: calls, each with its documents but the audit's."""
    calls: list[str] = []

    def commits(request: Any, _answer: object) -> None:  # noqa: ANN401 - Google's message
        calls.append(f"commit {sum(not is_event(write) for write in request.writes)}")

    watch(
        monkeypatch, "batch_get_documents", lambda request, _: calls.append(f"get {len(request.documents)}")
    )
    watch(monkeypatch, "run_query", lambda _request, _answer: calls.append("query"))
    watch(monkeypatch, "commit", commits)
    return calls


class Known:
    """An environment where two have succeeded, another waits, and one where nothing goes on."""

    def __init__(self, api: Api, unfinished: int) -> None:
        self.api = api
        self.project = api.project()
        self.environment = api.running(PERSISTENT, self.project)
        self.first, _ = (self._deployed() for _ in range(2))
        self.waiting = [api.deploy(self.environment) for _ in range(unfinished)]
        self.leased = api.environment(self.project)

    def _deployed(self) -> str:
        deployment_id = self.api.deploy(self.environment)
        self.api.live(3)
        return deployment_id

    def act(self, action: str, body: object = None) -> Reply:
        return self.api.post(f"/api/v1/environments/{self.environment}/{action}", body)


Act = Callable[[Known], Reply]


def _open(to: Known) -> Reply:
    return to.api.post(f"/api/v1/environments/projects/{to.project}", ENVIRONMENT)


def _deploy(to: Known) -> Reply:
    return to.api.post(f"/api/v1/deployments/environments/{to.environment}", {"version": "v"})


def _cancel(to: Known) -> Reply:
    return to.api.post(f"/api/v1/deployments/{to.waiting[0]}/cancel")


def _extend(to: Known) -> Reply:
    return to.api.post(f"/api/v1/environments/{to.leased}/extend", {"hours": 30})


CASES: dict[str, tuple[Act, int, list[str]]] = {
    "open": (_open, 0, ["get 1", "commit 1"]),
    "deploy": (_deploy, 0, ["get 2", "commit 2"]),
    "deploy beside two": (_deploy, 2, ["get 2", "get 2", "commit 2"]),
    "cancel": (_cancel, 1, ["get 3", "commit 2"]),
    "cancel beside another": (_cancel, 2, ["get 3", "get 1", "commit 3"]),
    "roll back": (lambda to: to.act("rollback"), 0, ["get 2", "get 1", "commit 2"]),
    "roll back beside one": (lambda to: to.act("rollback"), 1, ["get 2", "get 3", "commit 3"]),
    "roll back to": (lambda to: to.act("rollback", {"to": to.first}), 0, ["get 3", "commit 2"]),
    "extend": (_extend, 0, ["get 2", "commit 1"]),
}
"""With so many unfinished deployments: one read and one commit, and the deployments that matter."""


@pytest.mark.parametrize(("act", "unfinished", "calls"), CASES.values(), ids=CASES.keys())
def test_it_is_one_read_one_commit_and_the_unfinished(
    on_firestore: Api, asked: list[str], act: Act, unfinished: int, calls: list[str]
) -> None:
    known = Known(on_firestore, unfinished)
    asked.clear()
    assert act(known).status in {200, 201}
    assert asked == calls


def test_of_50_at_once_the_numbers_have_no_gaps(on_firestore: Api) -> None:
    api, environment_id = on_firestore, on_firestore.running({**PERSISTENT, "on_conflict": "latest"})
    target = f"/api/v1/deployments/environments/{environment_id}"
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: api.post(target, {"version": "v"}), range(50)))
    assert sorted(reply["number"] for reply in replies) == list(range(1, 51))
    statuses = [item["status"] for item in api.all(target)]
    assert statuses == ["pending"] + ["superseded"] * 49
