"""What pydantic finds, in our words."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from shared import wording
from shared.wording import in_words


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    name: str


def _refuse(_: str) -> str:
    raise ValueError("must be another one")


def _refuse_aloud(_: str) -> str:
    raise PydanticCustomError("ours", "must be ours")


CASES: list[tuple[Any, Any, bool, str, str]] = [
    (Strict, {}, True, "missing", "is required"),
    (Strict, {"name": "a", "x": 1}, True, "extra_forbidden", "is not known here"),
    (Strict, 1, True, "model_type", "must be an object"),
    (dict[str, str], 1, True, "dict_type", "must be an object"),
    (list[str], "a", True, "list_type", "must be an array"),
    (Annotated[list[str], Field(min_length=1)], [], True, "too_short", "must not be empty"),
    (Annotated[list[str], Field(min_length=2)], [], True, "too_short", "must have at least 2 items"),
    (Annotated[list[str], Field(max_length=1)], ["", ""], True, "too_long", "must have at most 1 items"),
    (str, 1, True, "string_type", "must be a string"),
    (
        Annotated[str, Field(pattern="^a*$")],
        "\ud800",
        True,
        "string_unicode",
        "must not contain lone surrogates",
    ),
    (
        Annotated[str, Field(pattern="^[a-z]*$")],
        "\n",
        True,
        "string_pattern_mismatch",
        "must not contain control characters",
    ),
    (Annotated[str, Field(min_length=1)], "", True, "string_too_short", "must not be empty"),
    (Annotated[str, Field(min_length=8)], "a", True, "string_too_short", "must have at least 8 characters"),
    (Annotated[str, Field(max_length=2)], "abc", True, "string_too_long", "must have at most 2 characters"),
    (bool, 1, True, "bool_type", "must be true or false"),
    (bool, "maybe", False, "bool_parsing", "must be true or false"),
    (int, "1", True, "int_type", "must be a whole number"),
    (int, "1.5", False, "int_parsing", "must be a whole number"),
    (int, "1" * 5_000, False, "int_parsing_size", "must be a whole number of fewer digits"),
    (int, 1.5, False, "int_from_float", "must be a whole number"),
    (float, "1", True, "float_type", "must be a number"),
    (float, "one", False, "float_parsing", "must be a number"),
    (Annotated[float, Field(allow_inf_nan=False)], "inf", False, "finite_number", "must be a finite number"),
    (Annotated[float, Field(gt=0)], 0.0, True, "greater_than", "must be greater than 0"),
    (Annotated[float, Field(ge=0.01)], 0.0, True, "greater_than_equal", "must be at least 0.01"),
    (Annotated[float, Field(lt=2.5)], 3.0, True, "less_than", "must be less than 2.5"),
    (Annotated[int, Field(le=31_536_000)], 10**9, True, "less_than_equal", "must be at most 31536000"),
    (Color, "green", False, "enum", "must be 'red' or 'blue'"),
    (Literal["a", "b", "c"], "d", True, "literal_error", "must be 'a', 'b' or 'c'"),
    (Annotated[str, AfterValidator(_refuse)], "a", True, "value_error", "must be another one"),
]


def _findings(kind: Any, value: object, *, strict: bool) -> list[Any]:  # noqa: ANN401 - any type
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value, strict=strict)
    return refused.value.errors()


@pytest.mark.parametrize(("kind", "value", "strict", "found", "said"), CASES)
def test_what_is_found_is_said_in_our_words(
    kind: Any,  # noqa: ANN401 - any type
    value: object,
    found: str,
    said: str,
    *,
    strict: bool,
) -> None:
    (finding,) = _findings(kind, value, strict=strict)
    assert (finding["type"], in_words(finding)) == (found, said)


def test_each_of_our_sentences_has_its_case() -> None:
    assert {case[3] for case in CASES} == set(wording._WORDS)  # noqa: SLF001 - the table itself


def test_what_our_own_validators_find_they_say_themselves() -> None:
    (finding,) = _findings(Annotated[str, AfterValidator(_refuse_aloud)], "a", strict=True)
    assert in_words(finding) == "must be ours"
