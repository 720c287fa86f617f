"""Opaque tokens: what is made is known again, and nothing else is."""

import hashlib

import pytest

from shared import secret_tokens

PREFIX = "envctl_r_"
NAME = "abcdefgh234567ab"
TOKEN = secret_tokens.make_token(PREFIX, NAME, bytes(range(32)))


def test_a_token_is_prefix_name_secret_and_checksum_and_stays_what_it_is() -> None:
    assert TOKEN == "envctl_r_abcdefgh234567abaaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypqp3iasza"


def test_the_name_is_found_again_under_its_prefix_only() -> None:
    assert secret_tokens.name_in(PREFIX, TOKEN) == NAME
    for prefix in ("envctl_", "envctl_x_", TOKEN, "ENVCTL_R_"):
        assert secret_tokens.name_in(prefix, TOKEN) is None


def test_new_tokens_differ_and_keep_their_name() -> None:
    made = [secret_tokens.new_token(PREFIX, NAME) for _ in range(100)]
    assert len({token[len(PREFIX + NAME) :] for token in made}) == 100
    assert {secret_tokens.name_in(PREFIX, token) for token in made} == {NAME}


@pytest.mark.parametrize("at", range(len(PREFIX), len(TOKEN)))
def test_one_other_character_anywhere_is_no_token(at: int) -> None:
    other = "b" if TOKEN[at] == "a" else "a"
    assert secret_tokens.name_in(PREFIX, TOKEN[:at] + other + TOKEN[at + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    ["", "x", PREFIX, TOKEN[:-1], TOKEN + "a", TOKEN.upper(), TOKEN + "\n", f" {TOKEN}", TOKEN[1:],
     TOKEN + "é", PREFIX + TOKEN, "\ud800", PREFIX + "\ud800" * 80,
     PREFIX + "a" * 1_000_000, PREFIX + "a" * 59],
)  # fmt: skip
def test_anything_else_is_no_token(text: str) -> None:
    assert secret_tokens.name_in(PREFIX, text) is None


def test_the_hash_is_sha_256_and_belongs_to_one_token() -> None:
    stored = secret_tokens.hash_of(TOKEN)
    assert stored == hashlib.sha256(TOKEN.encode()).hexdigest()
    assert secret_tokens.is_hash_of(stored, TOKEN)
    assert not secret_tokens.is_hash_of(stored, secret_tokens.new_token(PREFIX, NAME))
