"""The rotation in docs/runbook.md: at every step, and while two serve side by side, good tokens pass."""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from shared import tokens
from shared.config import Google
from shared.errors import Unauthenticated
from shared.keys import Keys, given_keys
from tests.functions.started import ON_GOOGLE

RUNBOOK = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text(encoding="utf-8")
STEPS = [
    re.findall(r'"(\w+)"', row) for row in re.findall(r"^\| (?:before|\d) \| `(.*?)`", RUNBOOK, re.MULTILINE)
]
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _key(name: str) -> str:
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def _at(step: list[str]) -> Keys:
    """The keys of a function whose variables are as Terraform sets them for `signing_keys`."""
    given = {name.removeprefix("ENVCTL_").lower(): value for name, value in ON_GOOGLE.items()}
    given |= dict(zip(("signing_key", "previous_signing_key"), map(_key, step), strict=False))
    return given_keys(Google.model_validate(given))


def _passes(verifier: list[str], signer: list[str], at: datetime = NOW) -> bool:
    token = tokens.issue(_at(signer), "usr-1", "t", NOW, HOUR)
    try:
        return tokens.verify(_at(verifier), token, at) == "usr-1"
    except Unauthenticated:
        return False


def test_the_runbook_has_the_steps() -> None:
    assert STEPS == [["first"], ["first", "second"], ["second", "first"], ["second"]]


@pytest.mark.parametrize("number", range(len(STEPS) - 1))
def test_while_two_steps_serve_side_by_side_each_takes_the_others_tokens(number: int) -> None:
    pair = STEPS[number : number + 2]
    served_before_the_last = number < len(STEPS) - 2
    for verifier, signer in product(pair, pair):
        assert _passes(verifier, signer)
    if served_before_the_last:
        assert _passes(pair[1], STEPS[max(number - 1, 0)]), "tokens of a step before are good still"


def test_without_the_first_step_tokens_are_refused_while_both_serve() -> None:
    assert not _passes(STEPS[0], STEPS[2])


def test_without_the_wait_before_the_last_step_tokens_are_refused() -> None:
    assert not _passes(STEPS[3], STEPS[1])
    assert not _passes(STEPS[2], STEPS[1], NOW + HOUR), "after a lifetime there is none left to refuse"


def test_a_leaked_key_is_worth_nothing_at_once() -> None:
    assert not _passes(["second"], ["first"])


def test_a_token_says_which_key_signed_it() -> None:
    assert list(_at(["second", "first"]).signing) == [*_at(["first", "second"]).signing][::-1]


def test_the_identity_key_stays() -> None:
    assert {_at(step).email_key("a@example.com") for step in STEPS} == {
        _at(["third"]).email_key("a@example.com")
    }
