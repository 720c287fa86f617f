"""An instance at another speed, over HTTP: durations are others, moments that are named are not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared import documents, project_documents
from shared.config import Settings
from shared.domain.project import LOOK_AGAIN
from shared.times import from_text, to_text
from tests.functions.api import ENVIRONMENT, PERSISTENT, SECRET, Api

HOUR = 3_600
SPEEDS = (0.5, 1, 64)


@pytest.fixture(params=SPEEDS)
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    settings = {"home": tmp_path, "callback_secret": SECRET, "speed": request.param}
    made = Api(tmp_path, Settings.model_validate(settings))
    yield made
    made.database.close()


def _real(api: Api, planned: float) -> timedelta:
    return timedelta(seconds=planned / api.settings.speed)


def _live(api: Api, planned: float) -> None:
    """Let so many planned seconds pass."""
    api.live(planned / api.settings.speed)


def _took(shown: Any) -> dict[str, timedelta]:  # noqa: ANN401 - an object as clients see it
    """How long after its creation each status begins, or is to begin."""
    created_at = from_text(shown["created_at"])
    return {step["status"]: from_text(step["at"]) - created_at for step in shown["timeline"]}


def _moment(shown: Any, name: str) -> datetime:  # noqa: ANN401 - likewise
    return from_text(shown[name])


def _open(api: Api, body: dict[str, Any]) -> Any:  # noqa: ANN401 - likewise
    reply = api.post(f"/api/v1/environments/projects/{api.project()}", body)
    assert reply.status == 201, reply.body
    return reply.body


def _running(api: Api, body: dict[str, Any]) -> str:
    environment_id = api.environment(None, body)
    _live(api, 2)
    return environment_id


def test_a_whole_life_goes_at_its_speed(api: Api) -> None:
    shown = _open(api, {**ENVIRONMENT, "ttl_hours": 2})
    assert _moment(shown, "created_at") == api.clock.now, "the clock is real"
    assert _took(shown) == {
        "provisioning": timedelta(0),
        "running": _real(api, 2),
        "expired": _real(api, 2 * HOUR),
        "deleting": _real(api, 3 * HOUR),
        "deleted": _real(api, 3 * HOUR + 2),
    }
    assert _moment(shown, "expires_at") == api.clock.now + _real(api, 2 * HOUR)
    _live(api, 3 * HOUR + 2)
    assert (api.status(shown["id"]), api.status(shown["id"], "?show_deleted=true")) == (404, "deleted")
    _live(api, 7 * 24 * HOUR - 1)
    assert api.status(shown["id"], "?show_deleted=true") == "deleted"
    _live(api, 1)
    assert api.store.inner.get(documents.environment_ref(shown["id"])) is None


def test_so_does_a_ttl_that_is_left_out(api: Api) -> None:
    shown = _open(api, {"name": "x", "type": "ephemeral"})
    assert _moment(shown, "expires_at") == api.clock.now + _real(api, 24 * HOUR)


def test_a_deployment_waits_runs_and_is_canceled_at_that_speed(api: Api) -> None:
    environment_id = _running(api, PERSISTENT)
    target = f"/api/v1/deployments/environments/{environment_id}"
    shown = api.post(target, {"version": "v1"})
    assert _took(shown)["running"] == _real(api, 0.5)
    assert _took(shown)["succeeded"] == _real(api, 0.5) + _real(api, 2.5)
    _live(api, 1)
    canceled = api.post(f"/api/v1/deployments/{shown['id']}/cancel")
    assert _took(canceled)["canceled"] - _took(canceled)["canceling"] == _real(api, 1)


def test_simulated_seconds_and_the_deadline_go_at_that_speed_and_are_shown_as_asked_for(api: Api) -> None:
    slow = _open(api, {**PERSISTENT, "simulation": {"seconds": 60}})
    assert (_took(slow)["running"], slow["simulation"]["seconds"]) == (_real(api, 60), 60)
    hanging = _open(api, {**PERSISTENT, "simulation": "hangs"})
    assert _took(hanging)["failed"] == _real(api, 60)
    environment_id = _running(api, PERSISTENT)
    target = f"/api/v1/deployments/environments/{environment_id}"
    four = api.post(target, {"version": "v1", "simulation": {"seconds": 4}})
    assert _took(four)["succeeded"] - _took(four)["running"] == _real(api, 4)
    assert four["simulation"]["seconds"] == 4
    beyond = api.post(target, {"version": "v1", "simulation": {"seconds": 61}})
    assert beyond["errors"] == [
        {"pointer": "/simulation/seconds", "detail": "must be at most 60, the deadline"}
    ]


@pytest.mark.parametrize("action", ["extend", "restore"])
def test_hours_of_a_new_lease_go_at_that_speed_and_a_moment_is_a_moment(api: Api, action: str) -> None:
    for wish in ("hours", "until"):
        environment_id = _running(api, {**ENVIRONMENT, "ttl_hours": 1})
        if action == "restore":
            _live(api, HOUR)
            assert api.status(environment_id) == "expired"
        ends_at = api.clock.now + (_real(api, 5 * HOUR) if wish == "hours" else timedelta(hours=3))
        body: dict[str, Any] = {"hours": 5} if wish == "hours" else {"until": to_text(ends_at)}
        reply = api.post(f"/api/v1/environments/{environment_id}/{action}", body)
        assert (reply.status, reply["status"]) == (200, "running")
        assert _moment(reply, "expires_at") == ends_at


def test_the_longest_lifetime_is_as_many_hours_and_less_time(api: Api) -> None:
    ceiling = api.clock.now + _real(api, 720 * HOUR)
    assert _moment(_open(api, {**ENVIRONMENT, "ttl_hours": 720}), "expires_at") == ceiling
    at_a_moment = {"name": "x", "type": "ephemeral", "expires_at": to_text(ceiling)}
    assert _moment(_open(api, at_a_moment), "expires_at") == ceiling
    speed = {0.5: ", at 0.5 times the speed", 1: "", 64: ", at 64 times the speed"}[api.settings.speed]
    said = (
        f"must not go beyond {to_text(ceiling)}: an environment lasts at most 720 hours "
        f"from its creation{speed}"
    )
    target = f"/api/v1/environments/projects/{api.project()}"
    beyond = to_text(ceiling + timedelta(microseconds=1))
    for body, place in (
        ({**ENVIRONMENT, "ttl_hours": 720.001}, "/ttl_hours"),
        ({**at_a_moment, "expires_at": beyond}, "/expires_at"),
    ):
        assert api.post(target, body)["errors"] == [{"pointer": place, "detail": said}]
    environment_id = _running(api, ENVIRONMENT)
    for wish in ({"hours": 720}, {"until": to_text(api.clock.now + _real(api, 720 * HOUR))}):
        refused = api.post(f"/api/v1/environments/{environment_id}/extend", wish)
        assert refused["errors"][0]["detail"].endswith(f"720 hours from its creation{speed}")


def test_an_ended_project_is_looked_after_at_that_speed(api: Api) -> None:
    project_id = api.project()
    api.environment(project_id, PERSISTENT)
    ended_at = api.clock.now
    assert api.delete(f"/api/v1/projects/{project_id}?force=true").status < 300
    api.live(LOOK_AGAIN.total_seconds())
    project = project_documents.project(api.stored(documents.project_ref(project_id)).data)
    assert project.due_at == ended_at + _real(api, 7 * 24 * HOUR)


def test_what_was_planned_at_another_speed_keeps_its_plan(tmp_path: Path) -> None:
    settings = {"home": tmp_path, "callback_secret": SECRET}
    before = Api(tmp_path, Settings.model_validate(settings))
    environment_id = before.environment(None, {**ENVIRONMENT, "ttl_hours": 2})
    shown = before.get(f"/api/v1/environments/{environment_id}").body
    faster = Settings.model_validate({**settings, "speed": 1_000})
    before.runtime = replace(before.runtime, settings=faster)
    before.live(2)
    assert before.get(f"/api/v1/environments/{environment_id}")["timeline"] == shown["timeline"]
    before.database.close()
