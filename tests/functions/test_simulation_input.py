"""Which outcomes can be asked for, over HTTP, and which can't: by form, by place, and on which instance."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from shared.config import Settings
from shared.domain.simulation import PHASES, PRESETS, Scenario
from shared.http.simulations import Phase
from tests.functions.api import PERSISTENT, SECRET, Api

SCENARIOS = "/api/v1/simulation/scenarios"
Targets = list[tuple[str, dict[str, Any]]]


def targets_of(api: Api) -> Targets:
    """Where a simulation can be asked for, with what must stand beside it."""
    environment_id = api.running(PERSISTENT)
    return [
        (f"/api/v1/environments/projects/{api.project()}", PERSISTENT),
        (f"/api/v1/deployments/environments/{environment_id}", {"version": "v1"}),
        (f"/api/v1/environments/{environment_id}/rollback", {}),
    ]


def test_the_scenarios_are_listed_for_everybody(shared_api: Api) -> None:
    reply = shared_api.get(SCENARIOS, token=None)
    assert [item["name"] for item in reply.body] == ["fast", "slow", "flaky", "fails", "hangs"]
    assert all(item["description"].endswith(".") for item in reply.body)
    assert set(PRESETS) == set(Scenario)


@pytest.mark.parametrize("simulation", ["fast", {}, {"seconds": 1}])
def test_an_instance_can_switch_scenarios_off(
    tmp_path: Path,
    simulation: Any,  # noqa: ANN401 - any JSON value
) -> None:
    settings = {"home": tmp_path, "callback_secret": SECRET, "scenarios": False}
    api = Api(tmp_path, Settings.model_validate(settings))
    assert api.get(SCENARIOS, token=None).body == []
    targets = targets_of(api)
    with api.nothing_changes():
        for target, body in targets:
            reply = api.post(target, {**body, "simulation": simulation})
            assert reply.status == 422
            assert reply["errors"] == [
                {"pointer": "/simulation", "detail": "must be left out: scenarios are switched off here"}
            ]
    assert api.post(targets[0][0], {**PERSISTENT, "simulation": None}).status == 201
    api.database.close()


def test_what_was_made_before_scenarios_were_switched_off_is_answered_again(api: Api) -> None:
    targets = targets_of(api)[:2]
    key = {"Idempotency-Key": "build-1"}
    made = [api.post(target, {**body, "simulation": "fast"}, headers=key) for target, body in targets]
    api.runtime = replace(api.runtime, settings=api.settings.model_copy(update={"scenarios": False}))
    for (target, body), first in zip(targets, made, strict=True):
        again = api.post(target, {**body, "simulation": "fast"}, headers=key)
        assert (again.status, again["id"], again.headers["Idempotent-Replayed"]) == (201, first["id"], "true")
        assert again["simulation"]["scenario"] == "fast"


BAD: dict[str, tuple[Any, list[str]]] = {
    "no scenario of that name": ("wobbly", [""]),
    "a scenario in capitals": ("FAST", [""]),
    "an empty name": ("", [""]),
    "a number": (5, [""]),
    "true": (True, [""]),
    "a list": (["fast"], [""]),
    "no scenario of that name in an object": ({"scenario": "wobbly"}, ["/scenario"]),
    "a scenario that is a number": ({"scenario": 1}, ["/scenario"]),
    "an unknown field": ({"speed": 1}, ["/speed"]),
    "a seed without a scenario": ({"seed": 7}, ["/seed"]),
    "a seed as text": ({"scenario": "flaky", "seed": "7"}, ["/seed"]),
    "half a seed": ({"scenario": "flaky", "seed": 7.5}, ["/seed"]),
    "a seed that is true": ({"scenario": "flaky", "seed": True}, ["/seed"]),
    "a seed below zero": ({"scenario": "flaky", "seed": -1}, ["/seed"]),
    "a seed too large": ({"scenario": "flaky", "seed": 2**53}, ["/seed"]),
    "seconds with a scenario": ({"scenario": "fast", "seconds": 4}, ["/seconds"]),
    "an outcome with a scenario": ({"scenario": "fast", "outcome": "fail"}, ["/outcome"]),
    "a step with a scenario": ({"scenario": "fails", "fail_at": "fetch"}, ["/fail_at"]),
    "everything at once": (
        {"scenario": "fails", "seed": 1, "seconds": 4, "outcome": "fail", "fail_at": "fetch"},
        ["/seconds", "/outcome", "/fail_at"],
    ),
    "no time": ({"seconds": 0}, ["/seconds"]),
    "time that runs backwards": ({"seconds": -1}, ["/seconds"]),
    "seconds as text": ({"seconds": "4"}, ["/seconds"]),
    "seconds beyond the deadline": ({"seconds": 60.001}, ["/seconds"]),
    "an outcome that is none": ({"outcome": "explode"}, ["/outcome"]),
    "an outcome that only scenarios have": ({"outcome": "hang"}, ["/outcome"]),
    "a step that is none": ({"outcome": "fail", "fail_at": "build"}, ["/fail_at"]),
    "a step without an outcome": ({"fail_at": "fetch"}, ["/fail_at"]),
    "a step of what succeeds": ({"outcome": "succeed", "fail_at": "fetch"}, ["/fail_at"]),
}


@pytest.fixture(scope="module")
def targets(shared_api: Api) -> Targets:
    return targets_of(shared_api)


@pytest.mark.parametrize(("simulation", "places"), BAD.values(), ids=BAD.keys())
def test_what_can_not_be_is_422_where_it_stands(
    shared_api: Api,
    targets: Targets,
    simulation: Any,  # noqa: ANN401 - any JSON value
    places: list[str],
) -> None:
    with shared_api.nothing_changes():
        for target, body in targets:
            reply = shared_api.post(target, {**body, "simulation": simulation})
            assert reply.status == 422, reply.body
            assert [item["pointer"] for item in reply["errors"]] == [
                f"/simulation{place}" for place in places
            ]


def test_a_whole_seed_may_be_written_with_a_decimal_point(shared_api: Api, targets: Targets) -> None:
    for target, body in targets[:2]:
        reply = shared_api.post(target, {**body, "simulation": {"scenario": "flaky", "seed": 7.0}})
        assert (reply.status, repr(reply["simulation"]["seed"])) == (201, "7")


def test_an_environment_has_no_steps_to_fail_at(shared_api: Api, targets: Targets) -> None:
    target, body = targets[0]
    simulation = {"outcome": "fail", "fail_at": "fetch"}
    with shared_api.nothing_changes():
        reply = shared_api.post(target, {**body, "simulation": simulation})
    assert [item["pointer"] for item in reply["errors"]] == ["/simulation/fail_at"]


def test_the_steps_that_can_be_named_are_those_of_a_rollout() -> None:
    assert get_args(Phase) == tuple(PHASES)
