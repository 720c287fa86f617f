"""That secrets in the log would be found: the watch itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared import log, passwords, secret_tokens
from tests import logged

ROOT = Path(__file__).parents[2]


def test_a_secret_that_is_logged_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged, "secrets", set[str]())
    monkeypatch.setattr(logged, "words", set[str]())
    monkeypatch.setattr(logged, "phrases", set[str]())
    token = secret_tokens.new_token("envctl_", "abcd")
    log.write("ERROR", "a line", name="abcd")
    assert logged.leaked() == []
    log.write("ERROR", "a line", fault=f"the token {token} is not known")
    assert logged.leaked() == [f"{token[:12]}…"]


def test_a_password_of_several_words_is_found_and_the_words_alone_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("secrets", "words", "phrases"):
        monkeypatch.setattr(logged, name, set[str]())
    passwords.hash_password("correct horse staple")
    log.write("INFO", "staple", name="the correct horse")
    assert logged.leaked() == []
    log.write("INFO", "request", body={"password": "correct horse staple"})
    assert logged.leaked() == ["correct hors…"]


LEAK = """
from shared import log, secret_tokens


def test_that_leaks() -> None:
    log.write("ERROR", "a line", fault=secret_tokens.new_token("envctl_", "abcd"))


def test_that_does_not() -> None:
    log.write("ERROR", "a line", fault=secret_tokens.new_token("envctl_", "abcd")[:20])
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_suite_whose_tests_pass_fails_for_a_secret_in_its_log(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_leak.py").write_text(LEAK, encoding="utf-8")

    def run(*only: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider"]
        given = [*command, "-n", workers, "--rootdir", str(tmp_path), str(tmp_path), *only]
        return subprocess.run(given, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    leaky = run()
    assert leaky.returncode == pytest.ExitCode.TESTS_FAILED, leaky.stdout
    assert "SECRETS IN THE LOG: envctl_" in leaky.stdout
    clean = run("-k", "does_not")
    assert clean.returncode == pytest.ExitCode.OK, clean.stdout


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl",
        secret_tokens.make_token("envctl_", "abcd", bytes(32)),
        secret_tokens.make_token("envctl_r_", "abcd", bytes(32)),
        "$argon2id$v=19$m=19456,t=2,p=1$GUMoBcCYcy7lfM$FQBFHXbPxENhK1P0m3xmTHU",
        "secret123",
        "Authorization: Bearer the-callback-secret-of-these-tests",
    ],
)
def test_what_has_the_form_of_a_secret_is_found_in_what_a_server_writes(secret: str) -> None:
    logged.refuse_secrets('{"severity": "INFO", "message": "request"}')
    logged.refuse_secrets('curl -H "Authorization: Bearer $TOKEN"')
    with pytest.raises(AssertionError, match="a secret in the log"):
        logged.refuse_secrets(f'{{"message": "x", "fault": "{secret}"}}')
