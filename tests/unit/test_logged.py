"""That secrets in the log would be found: the watch itself."""

import pytest

from shared import log, secret_tokens
from tests import logged


def test_a_secret_that_is_logged_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged, "secrets", set[str]())
    monkeypatch.setattr(logged, "words", set[str]())
    token = secret_tokens.new_token("envctl_", "abcd")
    log.write("ERROR", "a line", name="abcd")
    assert logged.leaked() == []
    log.write("ERROR", "a line", fault=f"the token {token} is not known")
    assert logged.leaked() == [f"{token[:12]}…"]


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl",
        secret_tokens.make_token("envctl_", "abcd", bytes(32)),
        secret_tokens.make_token("envctl_r_", "abcd", bytes(32)),
        "$argon2id$v=19$m=19456,t=2,p=1$GUMoBcCYcy7lfM$FQBFHXbPxENhK1P0m3xmTHU",
        "secret123",
    ],
)
def test_what_has_the_form_of_a_secret_is_found_in_what_a_server_writes(secret: str) -> None:
    logged.refuse_secrets('{"severity": "INFO", "message": "request"}')
    with pytest.raises(AssertionError, match="a secret in the log"):
        logged.refuse_secrets(f'{{"message": "x", "fault": "{secret}"}}')
