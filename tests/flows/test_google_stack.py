"""What Google's parts survive: a killed function, a queue that is down or loses everything."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from shared.times import from_text
from tests.flows.conftest import OVERDUE_SECONDS
from tests.flows.google_stack import GoogleStack
from tests.flows.outage import in_project, open_running, status_of
from tests.flows.server import wait_until

pytestmark = pytest.mark.google
SETTLED_WITHIN = 20.0
TTL_HOURS = 3 / 3_600
OVERDUE = timedelta(seconds=OVERDUE_SECONDS)


def test_a_function_killed_between_commit_and_enqueue_loses_nothing(google: GoogleStack) -> None:
    with closing(google.client()) as client:
        path = in_project(client)
        environment = open_running(google, client, path)
        target = f"/api/v1/deployments/environments/{environment}"
        known = {*google.stored("environments")}

        def ask(path: str, fields: dict[str, str]) -> int:
            with closing(google.client(client.token)) as other:
                return other.request("POST", path, json=fields).status

        with ThreadPoolExecutor(2) as pool, google.with_deaf_queue():
            asked = [
                pool.submit(ask, path, {"name": "e", "type": "persistent"}),
                pool.submit(ask, target, {"version": "v"}),
            ]
            wait_until(lambda: {*google.stored("environments")} > known, 5, "the environment is committed")
            wait_until(lambda: has_deployments(google, environment), 5, "the deployment is committed")
            assert not any(one.done() for one in asked), "both are enqueuing"
            google.kill_function("environments")
            google.kill_function("deployments")
            assert [one.result(10) for one in asked] == [502, 502], "nobody knows whether it was done"
        wait_until(lambda: client.request("GET", path).status == 200, 20, "the function is there again")
        listed = client.request("GET", path).body
        assert len(listed) == 2, "the killed request did its work, once"
        opened = next(item for item in listed if item["id"] != environment)

        wait_until(lambda: status_of(google, opened["id"]) == "running", SETTLED_WITHIN, "it is made up")
        wait_until(
            lambda: stored_deployments(google, environment) == ["succeeded"], SETTLED_WITHIN, "likewise"
        )
        due_at = from_text(opened["timeline"][1]["at"])
        assert from_text(google.stored("environments")[opened["id"]]["as_of"]) >= due_at + OVERDUE, (
            "by the sweep: there was no task"
        )


def stored_deployments(stack: GoogleStack, environment: str) -> list[str]:
    found = stack.stored("deployments").values()
    return [item["status"] for item in found if item["environment_id"] == environment]


def has_deployments(stack: GoogleStack, environment: str) -> bool:
    return bool(stored_deployments(stack, environment))


def test_a_function_that_died_is_there_again(google: GoogleStack) -> None:
    with closing(google.client()) as client:
        google.kill_function("auth")
        wait_until(lambda: client.request("GET", "/api/v1/auth/me").status == 503, 5, "it is down")
        wait_until(lambda: client.request("GET", "/api/v1/auth/me").status == 401, 20, "it is back")


def test_the_sweep_alone_settles_what_a_purged_queue_has_lost(google: GoogleStack) -> None:
    with closing(google.client()) as client:
        path = in_project(client)
        opened = [open_running(google, client, path, type="ephemeral", ttl_hours=TTL_HOURS) for _ in range(3)]
        google.purge_queue()
        lost = {
            name: client.request("GET", f"/api/v1/environments/{name}").body["expires_at"] for name in opened
        }
        assert datetime.now(UTC) < min(map(from_text, lost.values())), "all of it was still to come"

    def have_ended() -> bool:
        stored = google.stored("environments")
        for name in [*lost]:
            if stored[name]["status"] != "running":
                late = from_text(stored[name]["as_of"]) - from_text(lost.pop(name))
                assert late >= OVERDUE, "by the sweep: there was no task"
        return not lost

    wait_until(have_ended, SETTLED_WITHIN, "what is stored follows")
