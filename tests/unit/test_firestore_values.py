"""What Firestore holds of a document: JSON as it is, and the moment of the TTL policy as a moment."""

import json
from pathlib import Path

import pytest

from shared.adapters.firestore_values import EXPIRING, from_value, to_document_fields

INDEXES = Path(__file__).parents[2] / "shared" / "indexes.json"


@pytest.mark.parametrize("moment", ["2026-11-24T12:00:00.000000Z", "2026-11-24T12:00:00.123456Z"])
def test_the_moment_of_the_ttl_policy_is_a_moment_there_and_text_here(moment: str) -> None:
    fields = to_document_fields({EXPIRING: moment, "due_at": moment, "nested": {EXPIRING: moment}})
    assert fields[EXPIRING].WhichOneof("value_type") == "timestamp_value"
    assert fields["due_at"].WhichOneof("value_type") == "string_value", "queries compare it as text"
    assert {name: from_value(value) for name, value in fields.items()} == {
        EXPIRING: moment,
        "due_at": moment,
        "nested": {EXPIRING: moment},
    }


def test_a_document_that_is_not_to_be_purged_says_so() -> None:
    assert from_value(to_document_fields({EXPIRING: None})[EXPIRING]) is None


def test_it_is_the_field_that_the_declaration_has_a_policy_for() -> None:
    overrides = json.loads(INDEXES.read_text(encoding="utf-8"))["fieldOverrides"]
    assert {field["fieldPath"] for field in overrides if field.get("ttl")} == {EXPIRING}
