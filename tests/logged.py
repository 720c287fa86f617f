"""Every line that the whole suite logs, and every secret that it uses: no line may hold one.

In this process both are collected as they come to be. What servers of their own write is looked through
for what has the form of a secret.
"""

import re
from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from shared import log, passwords, secret_tokens, tokens
from shared.callbacks import SecretCheck

_SHORTEST = 8
_WORD = re.compile(r"[\w.$+=~,-]{8,}", re.ASCII)
_FORMS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]+"  # an access token
    r"|envctl_(?:r_)?[a-z2-7]{60,}"  # a refresh token, an API token
    r"|\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$\S{16,}"  # a password's hash
    r"|secret123"  # the tour's password
    r"|(?i:bearer) [\w.~+/-]{20,}"  # whatever somebody shows, the callback's secret too
)

secrets: set[str] = set()
"""What has been made or presented in this process so far."""
words: set[str] = set()
"""What has been logged in this process so far, word by word."""
phrases: set[str] = set()
"""Those of the secrets that are no single word: each line is looked through for them."""


def watch() -> None:
    """From now on every line that this process logs is known, and every secret that it makes or checks."""
    original = log.write

    def write(severity: log.Severity, message: str, **fields: Any) -> None:  # noqa: ANN401 - any JSON value
        text = " ".join(map(str, (message, *fields.values())))
        words.update(_WORD.findall(text))
        words.update(phrase for phrase in phrases if phrase in text)
        original(severity, message, **fields)

    log.write = write
    _note_results(tokens, "issue")
    _note_results(secret_tokens, "make_token")
    _note_arguments(passwords, "hash_password")
    _note_arguments(passwords, "check_password")
    _note_callback_secrets()


def _note_results(module: Any, name: str) -> None:  # noqa: ANN401 - a module
    original: Callable[..., str] = getattr(module, name)

    def make(*given: Any, **more: Any) -> str:  # noqa: ANN401 - whatever it takes
        made = original(*given, **more)
        note(made)
        return made

    setattr(module, name, make)


def _note_arguments(module: Any, name: str) -> None:  # noqa: ANN401 - likewise
    original: Callable[..., Any] = getattr(module, name)

    def take(*given: Any) -> Any:  # noqa: ANN401 - whatever it gives
        for one in given:
            if one is not None:
                note(one)
        return original(*given)

    setattr(module, name, take)


def _note_callback_secrets() -> None:
    original = SecretCheck.__init__

    def make(check: SecretCheck, secret: SecretStr | None) -> None:
        if secret is not None:
            note(secret.get_secret_value())
        original(check, secret)

    SecretCheck.__init__ = make  # type: ignore[method-assign, assignment]


def note(secret: str) -> None:
    """From now on this is one."""
    secrets.add(secret)
    if len(secret) >= _SHORTEST and not _WORD.fullmatch(secret):
        phrases.add(secret)


def leaked() -> list[str]:
    """The secrets that stand in a line of this process, as their first characters."""
    # A password of letters alone may be an ordinary word.
    found = {one for one in secrets & words if not one.isalpha()}
    return sorted(f"{one[:12]}…" for one in found)


def refuse_secrets(text: str) -> None:
    """Fail where what a server has written holds something that has the form of a secret."""
    found = _FORMS.search(text)
    assert found is None, f"a secret in the log: {found[0][:12]}… in {text[:2_000]}"
