"""What is no API token, in every way: refused alike, and without the store where the text tells it."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from shared import secret_tokens
from shared.api_tokens import PREFIX
from tests.functions.api import Api

TOKENS = "/api/v1/auth/tokens"
PROJECTS = "/api/v1/projects"


def _create(api: Api) -> Any:  # noqa: ANN401 - any JSON value
    return api.post(TOKENS, {"name": "ci", "scopes": ["admin"]}).body


def _token(api: Api) -> str:
    return str(_create(api)["token"])


def _changed(token: str, at: int) -> str:
    return token[:at] + ("b" if token[at] == "a" else "a") + token[at + 1 :]


def _resealed(token: str, at: int) -> str:
    """Another token, whose checksum is right."""
    return secret_tokens.make_token(PREFIX, *_parts(_changed(token, at)))


def _parts(token: str) -> tuple[str, bytes]:
    secret = token[-59:-7].upper() + "===="
    return token[len(PREFIX) : -59], base64.b32decode(secret)


def _of_another_instance(token: str) -> str:
    return secret_tokens.new_token(PREFIX, _parts(token)[0])


FORGERIES: dict[str, tuple[Callable[[str], str], int]] = {
    "a letter of the checksum": (lambda token: _changed(token, len(token) - 1), 0),
    "a letter of the secret": (lambda token: _changed(token, len(token) - 20), 0),
    "a letter of the owner": (lambda token: _changed(token, 10), 0),
    "another secret, well made": (_of_another_instance, 1),
    "a letter of the secret, well made": (lambda token: _resealed(token, len(token) - 20), 1),
    "another owner, well made": (lambda token: _resealed(token, 10), 1),
    "another token's name, well made": (lambda token: _resealed(token, 60), 1),
    "no such token": (lambda _token: secret_tokens.new_token(PREFIX, "a" * 64), 1),
    "a name that is too short": (lambda _token: secret_tokens.new_token(PREFIX, "a" * 48), 0),
    "a name that is too long": (lambda _token: secret_tokens.new_token(PREFIX, "a" * 80), 0),
    "cut by one": (lambda token: token[:-1], 0),
    "cut by half": (lambda token: token[: len(token) // 2], 0),
    "the prefix": (lambda _token: PREFIX, 0),
    "a refresh token's prefix": (lambda token: token.replace("envctl_", "envctl_r_"), 0),
    "twice": (lambda token: token + token, 0),
    "one letter more": (lambda token: token + "a", 0),
    "capitals": (str.upper, 0),
    "capitals behind the prefix": (lambda token: PREFIX + token[7:].upper(), 0),
    "a space within": (lambda token: token[:50] + " " + token[50:], 0),
    "a tab within": (lambda token: token[:50] + "\t" + token[50:], 0),
    "a letter of another alphabet": (lambda token: token[:20] + "\xe4" + token[21:], 0),
    "a null": (lambda token: token[:20] + "\x00" + token[21:], 0),
    "as a JWT": (lambda token: f"{token}.{token}.{token}", 0),
    "a JWT behind the prefix": (lambda _token: PREFIX + "eyJhbGciOiJub25lIn0.e30.", 0),
    "its id": (lambda token: f"tok-{secret_tokens.name_in(PREFIX, token)}", 0),
    "its id behind the prefix": (lambda token: f"{PREFIX}{secret_tokens.name_in(PREFIX, token)}", 0),
    "its hash": (secret_tokens.hash_of, 0),
    "its hash behind the prefix": (lambda token: PREFIX + secret_tokens.hash_of(token), 0),
}


@pytest.mark.parametrize(("forge", "calls"), FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_refused_alike(shared_api: Api, forge: Callable[[str], str], calls: int) -> None:
    token = _token(shared_api)
    assert shared_api.get("/api/v1/auth/me", token=token).status == 200
    forged = forge(token)
    assert forged != token
    shared_api.store.calls.clear()
    with shared_api.nothing_changes():
        refused = shared_api.get("/api/v1/auth/me", token=forged)
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="envctl", error="invalid_token"'
    kind = "API" if forged.startswith(PREFIX) else "access"
    assert refused["detail"].startswith(f"The {kind} token is not valid. ")
    assert len(shared_api.store.calls) == calls, "what can't be one is refused without the store"


def test_deleted_and_unknown_ones_are_refused_alike(api: Api) -> None:
    made = _create(api)
    api.delete(f"{TOKENS}/{made['id']}")
    told = [
        {**api.get("/api/v1/auth/me", token=token).body, "request_id": None}
        for token in (
            made["token"],
            _of_another_instance(made["token"]),
            secret_tokens.new_token(PREFIX, "b" * 64),
        )
    ]
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", PROJECTS, {}),
        ("POST", PROJECTS, None),
        ("GET", f"{PROJECTS}?nothing=1", None),
        ("GET", f"{PROJECTS}?page_token=x", None),
        ("GET", f"{PROJECTS}/x", None),
        ("POST", "/api/v1/deployments/x/cancel", None),
        ("POST", "/api/v1/deployments/environments/x", {"version": "v"}),
    ],
)
def test_authentication_comes_before_whatever_else_is_wrong(
    api: Api,
    method: str,
    path: str,
    body: Any,  # noqa: ANN401 - any JSON value
) -> None:
    token = _token(api)
    assert api.call(method, path, body, token=token).status in {400, 404, 415, 422}
    forged = api.call(method, path, body, token=_of_another_instance(token))
    assert forged.status == 401


def test_the_log_names_a_token_by_its_id_and_whoever_is_proven(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _create(api)
    capsys.readouterr()
    forged = _of_another_instance(made["token"])
    for token in (made["token"], forged):
        api.get(PROJECTS, token=token)
    good, bad = map(json.loads, capsys.readouterr().err.splitlines())
    assert (good["api_token_id"], good["user_id"][4:]) == (made["id"], made["id"][4:52])
    assert "user_id" not in bad, "anybody can write somebody's id into a token"
    for token in (made["token"], forged):
        assert token[-59:] not in json.dumps([good, bad])
