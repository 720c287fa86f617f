"""Every setting, on both sides: it arrives at its bounds; beyond them the plan and a function refuse it."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from infra.gateway import functions
from infra.settings import OF_GOOGLE, ONE_MACHINE, settings
from shared import config, groups
from shared.config import Google
from shared.startup import BadSetting
from tests.functions.started import ON_GOOGLE
from tests.infra.terraform.guard import INSTANCE
from tests.infra.terraform.terraform import Plan, Workspace
from tests.infra.terraform.test_plan import given_to

SETTINGS = settings()
MOST_HELD = {"held_requests": 4, "logins_at_once": 6}
"""What of a function's eight threads. The model's bounds are for one machine, which has more of them."""
TEXTS = {"environment_domain": (("p", "-" * 190), ("", "-" * 191, "A.example.com", "https://example.com"))}
"""Of texts with a pattern: what is taken, and what is not."""


def _bounds(name: str) -> tuple[Any, Any]:
    """The least and the most that a setting may be."""
    said = SETTINGS[name]
    if name in TEXTS:
        return TEXTS[name][0]
    if "enum" in said:
        return said["enum"][0], said["enum"][-1]
    if said["type"] == "boolean":
        return False, True
    assert said["type"] in {"integer", "number"}, f"{name}: add its texts to TEXTS"
    return said.get("minimum", 0.001), MOST_HELD.get(name, said["maximum"])


def _beyond(name: str) -> Iterator[Any]:
    """What it may not be."""
    said = SETTINGS[name]
    if name in TEXTS:
        yield from TEXTS[name][1]
    elif "enum" in said or said["type"] == "boolean":
        yield "neither"
    else:
        yield from ("many", said["maximum"] + 1)
        yield said["exclusiveMinimum"] if "exclusiveMinimum" in said else said["minimum"] - 0.001
        if said["type"] == "integer":
            yield said["minimum"] + 0.5


def _text(value: object) -> str:
    """A value as Terraform makes a text of it."""
    return value if isinstance(value, str) else json.dumps(value)


BOUNDS = {
    f"at_the_{end}": {name: _bounds(name)[index] for name in SETTINGS}
    for index, end in enumerate(("least", "most"))
}
REFUSED = [(name, value) for name in SETTINGS for value in _beyond(name)]
NONE = sorted(ONE_MACHINE | Google.model_fields.keys() - OF_GOOGLE)
"""Variables that a team can't set: they mean nothing in the cloud, or Terraform sets them."""


def _run(name: str, values: dict[str, Any], more: str = "") -> str:
    team = f"instance = {{ settings = {json.dumps(values)} }}"
    return f'run "{name}" {{\n  command = plan\n  variables {{\n    {team}\n  }}\n{more}}}\n'


def _head(workspace: Workspace) -> str:
    """The head of the module's own test of settings: providers and variables."""
    file = workspace.root / INSTANCE / "tests" / "settings.tftest.hcl"
    return file.read_text(encoding="utf-8").partition("\nrun ")[0]


@pytest.fixture(scope="module")
def plans(workspace: Workspace) -> Iterator[dict[str, Plan]]:
    """The plans at the bounds."""
    runs = (_run(name, values) for name, values in BOUNDS.items())
    file = workspace.root / INSTANCE / "tests" / "bounds.tftest.hcl"
    file.write_text("\n".join((_head(workspace), *runs)), encoding="utf-8")
    yield workspace.plans("bounds", INSTANCE)
    file.unlink()


@pytest.fixture(scope="module")
def refused(workspace: Workspace) -> set[str]:
    """What the module's variables refuse, without its resources, which would be planned for each of them."""
    alone = workspace.root / "infra" / "modules" / "variables"
    (alone / "tests").mkdir(parents=True)
    shutil.copy(workspace.root / INSTANCE / "variables.tf", alone)
    head = re.sub(r"^mock_provider .*\n", "", _head(workspace), flags=re.MULTILINE)
    runs = (
        _run(f"{name}_{number}", {name: value}, "  expect_failures = [var.instance]\n")
        for number, (name, value) in enumerate([*REFUSED, *((name, "x") for name in NONE)])
    )
    (alone / "tests" / "refused.tftest.hcl").write_text("\n".join((head, *runs)), encoding="utf-8")
    ran = workspace.run("test", module="infra/modules/variables")
    shutil.rmtree(alone)
    return set(re.findall(r'run "(\w+)"\.\.\. pass', ran.output))


@pytest.mark.parametrize("end", BOUNDS)
def test_every_setting_arrives_in_every_function_as_the_model_takes_it(
    plans: dict[str, Plan], end: str
) -> None:
    made = plans[end].of("google_cloudfunctions2_function").values()
    assert len(made) == len(functions())
    for function in made:
        given = given_to(function)
        assert {name: given[f"ENVCTL_{name.upper()}"] for name in SETTINGS} == {
            name: _text(value) for name, value in BOUNDS[end].items()
        }
        (name,) = (name for name in groups.names() if function["name"].endswith(f"-{name}"))
        settings = config.load(given, groups.load(name).keys)
        taken = {**dict(settings), **dict(settings.google or ())}
        assert {name: taken[name] for name in SETTINGS} == BOUNDS[end]


@pytest.mark.parametrize(
    "number", range(len(REFUSED)), ids=lambda number: "-".join(map(str, REFUSED[number]))
)
def test_what_the_plan_refuses_a_function_refuses_too(refused: set[str], number: int) -> None:
    name, value = REFUSED[number]
    assert f"{name}_{number}" in refused
    with pytest.raises(BadSetting, match=f"^ENVCTL_{name.upper()}: "):
        config.load({**ON_GOOGLE, f"ENVCTL_{name.upper()}": _text(value)})


def test_what_means_nothing_in_the_cloud_and_what_terraform_sets_is_no_setting(refused: set[str]) -> None:
    assert {"clock", "workers", "home", "database", "signing_key"} < set(NONE)
    assert {f"{name}_{number}" for number, name in enumerate(NONE, len(REFUSED))} <= refused
    assert len(refused) == len(REFUSED) + len(NONE)


def test_a_quota_a_speed_and_what_is_held_are_settings_of_a_team() -> None:
    assert {"quota_projects", "quota_environments", "speed", *MOST_HELD} <= set(SETTINGS)
    for name, most in MOST_HELD.items():
        assert SETTINGS[name]["default"] <= most
    assert {entry["concurrency"] for entry in functions().values()} == {8}
