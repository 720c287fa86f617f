"""Examples in the OpenAPI document: what its pages prefill can be sent, and what they show be answered."""

from typing import Any

import pytest

from tests.functions.answers import DOCUMENT, hold_against

FUNCTIONS = {"environments", "deployments", "simulation", "docs"}
LIFECYCLE = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if FUNCTIONS & {*operation["tags"]} and not path.startswith(("/api/v1/audit", "/api/v1/quotas"))
}
WITHOUT_AN_EXAMPLE = {"boolean": True, "integer": 0}
BODIES = {name: operation for name, operation in LIFECYCLE.items() if "requestBody" in operation}


def _sample(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """What Swagger UI makes of a schema: its example, else its default, else of what it consists of."""
    if "$ref" in schema:
        return _sample(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    plain = [*schema.get("examples", ())[:1], *(schema[key] for key in ("default", "const") if key in schema)]
    plain += schema.get("enum", ())
    if plain:
        return plain[0]
    if "properties" in schema:
        return {name: _sample(inner) for name, inner in schema["properties"].items()}
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0])
    return [_sample(schema["items"])] if schema["type"] == "array" else WITHOUT_AN_EXAMPLE[schema["type"]]


@pytest.mark.parametrize("name", BODIES)
def test_what_is_prefilled_can_be_sent(name: str) -> None:
    [content] = BODIES[name]["requestBody"]["content"].values()
    hold_against(content["schema"], _sample(content["schema"]))


@pytest.mark.parametrize("name", LIFECYCLE)
def test_every_text_of_an_answer_has_an_example_and_they_make_an_answer(name: str) -> None:
    """One without would be shown as `string`."""
    for status, answer in LIFECYCLE[name]["responses"].items():
        for content in answer.get("content", {}).values() if status.startswith("2") else ():
            hold_against(content["schema"], _sample(content["schema"]))
