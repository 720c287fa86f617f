"""The function that infra/README.md adds: it serves what its entry says, with the keys of its entry only."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.config import Settings
from shared.http.app import create_app
from shared.http.routes import Group
from shared.keys import Keys
from tests.functions.api import Api

TEXT = (Path(__file__).parents[2] / "infra" / "README.md").read_text(encoding="utf-8")


def _example(name: str) -> str:
    (found,) = re.findall(rf"<!-- example: {name} -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    (found,) = json.loads(_example("add a function")).items()
    assert found[0] == "reports"
    return dict(found[1])


@pytest.fixture(scope="module")
def group() -> Group:
    module: dict[str, Any] = {"__name__": "functions.reports.routes"}
    exec(_example("a function's routes"), module)  # noqa: S102 - the page's own code
    found = module["group"]
    assert isinstance(found, Group)
    return found


def test_its_package_names_the_group() -> None:
    assert "from functions.reports.routes import group as group\n" in _example("a function's group")


def test_its_entry_says_what_it_serves_and_needs(group: Group, entry: dict[str, Any]) -> None:
    assert group.name == "reports"
    assert list(group.keys) == entry["secrets"]
    assert [route.full_path for route in group.routes] == entry["routes"]


def test_it_answers_with_the_keys_that_it_is_given(
    group: Group, entry: dict[str, Any], tmp_path: Path
) -> None:
    api = Api(tmp_path, Settings.model_validate({"home": tmp_path, "callback_secret": "s" * 32}))
    api.post("/api/v1/projects/", {"name": "payments"})
    keys = Keys(api.runtime.keys.signing if "signing" in entry["secrets"] else {}, b"")
    client = create_app(group, lambda: replace(api.runtime, keys=keys)).test_client()
    (path,) = entry["routes"]
    assert client.get(path).status_code == 401
    answer = client.get(path, headers={"Authorization": f"Bearer {api.token}"})
    assert (answer.status_code, answer.json) == (200, {"projects": 1})
    api.database.close()
