"""Access tokens: what is issued is accepted, and every other thing that looks like one is refused."""

import hashlib
import hmac
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared import tokens
from shared.errors import Unauthenticated
from shared.keys import Keys
from tests.unit.forged_tokens import (
    BODY,
    BY_RULE,
    CLAIMS,
    GOOD,
    HEAD,
    HEADER,
    IDENTITY,
    KEY,
    NOW,
    SIGNATURE,
    part,
    signed,
)

HOUR = timedelta(hours=1)
KEYS = Keys({"k1": KEY}, IDENTITY)
FORGED = {f"{rule}: {name}": token for rule, forged in BY_RULE.items() for name, token in forged.items()}


def test_at_least_50_classes_are_forged_and_each_breaks_a_rule_of_its_own() -> None:
    for rule, forged in BY_RULE.items():
        sys.stdout.write(f"{len(forged):4}  {rule}\n")
    assert len(FORGED) == sum(map(len, BY_RULE.values())) >= 50
    assert len(set(FORGED.values())) == len(FORGED)
    assert len(BY_RULE) >= 15


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused_every_time(token: str) -> None:
    for _ in range(2):
        with pytest.raises(Unauthenticated) as refused:
            tokens.verify(KEYS, token, NOW)
    assert str(refused.value).startswith(("The access token is not valid.", "The access token has expired."))


def test_the_same_token_unspoilt_is_accepted() -> None:
    """Otherwise the test above would prove nothing."""
    assert tokens.verify(KEYS, GOOD, NOW) == "usr-1"


def test_what_is_issued_is_accepted_until_it_expires() -> None:
    token = tokens.issue(KEYS, "usr-1", "t", NOW, HOUR)
    assert tokens.verify(KEYS, token, NOW) == "usr-1"
    assert tokens.verify(KEYS, token, NOW + HOUR - timedelta(microseconds=1)) == "usr-1"
    for late in (HOUR, 2 * HOUR, timedelta(days=3_650)):
        with pytest.raises(Unauthenticated, match="has expired"):
            tokens.verify(KEYS, token, NOW + late)


def test_a_clock_may_be_a_minute_behind_the_issuers() -> None:
    token = tokens.issue(KEYS, "usr-1", "t", NOW, HOUR)
    assert tokens.verify(KEYS, token, NOW - timedelta(seconds=60)) == "usr-1"
    with pytest.raises(Unauthenticated):
        tokens.verify(KEYS, token, NOW - timedelta(seconds=61))


Make = Callable[[Keys], str]


def test_while_keys_rotate_both_are_valid_and_the_first_one_signs() -> None:
    before, after = b"b" * 32, b"a" * 32
    old, both, new = (
        Keys(signing, b"i" * 32)
        for signing in ({"old": before}, {"new": after, "old": before}, {"new": after})
    )
    make: Make = lambda keys: tokens.issue(keys, "usr-1", "t", NOW, HOUR)  # noqa: E731 - three times below
    assert [tokens.verify(both, make(keys), NOW) for keys in (old, both, new)] == ["usr-1"] * 3
    assert tokens.verify(new, make(both), NOW) == "usr-1"
    for keys, token in ((new, make(old)), (old, make(both)), (old, make(new))):
        with pytest.raises(Unauthenticated):
            tokens.verify(keys, token, NOW)


def test_two_keys_with_each_others_names_are_not_exchanged() -> None:
    keys = Keys({"k1": KEY, "k2": b"2" * 32}, b"i" * 32)
    with pytest.raises(Unauthenticated):
        tokens.verify(keys, signed({**HEADER, "kid": "k2"}, CLAIMS), NOW)
    assert tokens.verify(keys, signed({**HEADER, "kid": "k2"}, CLAIMS, b"2" * 32), NOW) == "usr-1"


def test_the_algorithm_is_what_it_says() -> None:
    assert hmac.compare_digest(
        part(hmac.new(KEY, f"{HEAD}.{BODY}".encode(), hashlib.sha256).digest()), SIGNATURE
    )
