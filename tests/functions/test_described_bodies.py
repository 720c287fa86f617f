"""What the OpenAPI document says of bodies: rules between fields, examples, whether one must be there."""

import importlib
import re
from typing import Any

import pytest

from tests.functions.answers import DOCUMENT, hold_against
from tests.functions.api import Api

SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}

RULES = [
    ("NewLease", {"hours": 1}, {"hours": 1, "until": "2026-01-31T12:00:00Z"}),
    ("NewLease", {"until": "2026-01-31T12:00:00Z"}, {"hours": None}),
    ("NewAdvance", {"by": "PT1S", "to": None}, {}),
    ("NewSimulation", {"scenario": "flaky", "seed": 7}, {"seed": 7}),
    ("NewSimulation", {"seconds": 4, "outcome": "fail"}, {"scenario": "flaky", "seconds": 4}),
    ("NewSimulation", {"outcome": "fail", "fail_at": "fetch"}, {"outcome": "succeed", "fail_at": "fetch"}),
    (
        "NewEnvironment",
        {"name": "x", "type": "persistent", "ttl_hours": None},
        {"name": "x", "type": "persistent", "ttl_hours": 1},
    ),
    (
        "NewEnvironment",
        {"name": "x", "type": "ephemeral", "ttl_hours": 1},
        {"name": "x", "type": "ephemeral", "ttl_hours": 1, "expires_at": "2026-01-31T12:00:00Z"},
    ),
    (
        "NewEnvironment",
        {"name": "x", "type": "persistent", "simulation": {"outcome": "fail", "fail_at": None}},
        {"name": "x", "type": "persistent", "simulation": {"outcome": "fail", "fail_at": "fetch"}},
    ),
    ("NewAdvance", {"by": "P1W2DT0,5S"}, {"by": "P1M"}),
    ("NewAdvance", {"by": "PT1.5H"}, {"by": "PT1.5H1M"}),
    ("NewDeployment", {"version": " 1 "}, {"version": "  "}),
    ("NewProject", {"name": "x", "repo_url": "git@example.com:a"}, {"name": "x", "repo_url": "example.com"}),
    (
        "NewProject",
        {"name": "x", "repo_url": "https://me@example.com:8443/a?b#c"},
        {"name": "x", "repo_url": "https://me:word@example.com/a"},
    ),
]


@pytest.mark.parametrize(("schema", "good", "bad"), RULES)
def test_a_rule_between_fields_stands_in_it(schema: str, good: dict[str, Any], bad: dict[str, Any]) -> None:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    hold_against(reference, good)
    with pytest.raises(AssertionError):
        hold_against(reference, bad)


ACCOUNTS_AND_PROJECTS = sorted(
    name
    for name in SCHEMAS
    for group in ("auth", "projects")
    if "properties" in SCHEMAS[name] and name in vars(importlib.import_module(f"functions.{group}.schemas"))
)


def _looks(schema: dict[str, Any]) -> bool:
    """Whether a page can show a value of it that means something."""
    if schema.keys() & {"examples", "enum", "const", "$ref"} or schema.get("format") == "date-time":
        return True
    inner = [schema["items"]] if "items" in schema else schema.get("anyOf", [])
    return any(_looks(one) for one in inner)


@pytest.mark.parametrize("name", [*ACCOUNTS_AND_PROJECTS, "EventView"])
def test_whatever_is_sent_or_shown_has_an_example_that_is_valid(name: str) -> None:
    properties = SCHEMAS[name]["properties"]
    assert [field for field, schema in properties.items() if not _looks(schema)] == []
    for schema in properties.values():
        for example in schema.get("examples", ()):
            hold_against(schema, example)


BODIES = {
    (name, kind): content["schema"]
    for name, operation in OPERATIONS.items()
    for kind, content in operation.get("requestBody", {}).get("content", {}).items()
}


@pytest.mark.parametrize(("name", "kind"), BODIES)
def test_a_body_s_examples_together_are_one(name: str, kind: str) -> None:
    fields = SCHEMAS[BODIES[name, kind]["$ref"].rpartition("/")[2]].get("properties", {})
    hold_against(BODIES[name, kind], {field: told["examples"][0] for field, told in fields.items()})


@pytest.mark.parametrize("name", [name for name, kind in BODIES if kind == "application/json"])
def test_a_body_may_be_absent_where_it_may_be_empty(shared_api: Api, name: str) -> None:
    method, _, path = name.partition(" ")
    target = re.sub(r"{\w+}", "x", path)
    accepted = shared_api.call(method, target).status not in {400, 415, 422}
    assert OPERATIONS[name]["requestBody"]["required"] != accepted
