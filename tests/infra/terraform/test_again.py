"""What a delivery changes of what is there: nothing for an unchanged tree.

The first `run` applies, with mocks for the providers: what they would make up is made up once and then kept.
So this shows that our side asks for the same every time, that nothing in it follows from the time, from
chance or from where the bundle lies. It can't show what Google's API reads back differently, nor which change
makes the provider replace a resource.
"""

from copy import deepcopy
from typing import Any

import pytest

from infra.gateway import functions
from tests.infra.terraform.terraform import Plan, Workspace, is_of

FUNCTIONS = {
    f'module.instance["payments"].google_cloudfunctions2_function.this["{name}"]' for name in functions()
}
BUNDLE = "google_storage_bucket_object.bundle"


@pytest.fixture(scope="module")
def plans(workspace: Workspace) -> dict[str, Plan]:
    return workspace.plans("again")


def _without_source(function: dict[str, Any]) -> dict[str, Any]:
    """A function, but for where its source lies."""
    rest = deepcopy(function)
    del rest["build_config"][0]["source"][0]["storage_source"][0]["object"]
    return rest


def test_a_plan_for_an_unchanged_tree_changes_nothing(plans: dict[str, Plan]) -> None:
    assert {change["address"] for change in plans["unchanged"].changes} > FUNCTIONS
    assert plans["unchanged"].differing == {}


def test_the_same_bytes_from_another_folder_change_nothing(plans: dict[str, Plan]) -> None:
    assert plans["the_same_bytes_elsewhere"].differing == {}


def test_another_bundle_changes_every_functions_source_and_nothing_else(plans: dict[str, Plan]) -> None:
    differing = plans["another_bundle"].differing
    bundle = differing.pop(BUNDLE)
    assert set(differing) == FUNCTIONS
    for change in differing.values():
        assert change["actions"] == ["update"]
        before, after = change["before"], change["after"]
        (source,) = after["build_config"][0]["source"][0]["storage_source"]
        assert source["object"] == bundle["after"]["name"] != bundle["before"]["name"]
        assert _without_source(before) == _without_source(after)


def test_another_setting_changes_the_functions_and_their_source_is_kept(plans: dict[str, Plan]) -> None:
    differing = plans["another_setting"].differing
    assert set(differing) == FUNCTIONS
    for change in differing.values():
        assert change["actions"] == ["update"]
        assert change["before"]["build_config"] == change["after"]["build_config"]


def test_another_team_changes_nothing_of_those_that_are_there(plans: dict[str, Plan]) -> None:
    differing = plans["another_team"].differing
    assert {address for address in differing if not is_of(address, "web-shop")} == set()
    assert {change["actions"][0] for change in differing.values()} == {"create"}


def test_another_signing_key_is_added_and_the_identity_key_stays(plans: dict[str, Plan]) -> None:
    """All accounts and ids are made with the identity key: with another one nobody's account is found."""
    differing = plans["another_key"].differing
    added = {
        f'module.instance["payments"].{kind}.signing["second"]'
        for kind in ("google_secret_manager_secret_version", "random_bytes")
    }
    assert {address for address, change in differing.items() if change["actions"] == ["create"]} == added
    assert set(differing) - added == {
        f'module.instance["payments"].google_cloudfunctions2_function.this["{name}"]'
        for name, entry in functions().items()
        if "signing" in entry["secrets"]
    }
