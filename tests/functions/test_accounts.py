"""Accounts: register, log in, who am I; what is hashed, and what is told to whom."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared import passwords
from tests.functions.accounts import login, register
from tests.functions.api import KEYS, PASSWORD, SECRET, Api


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    """With one account, registered as people do."""
    assert register(shared_api, "Known@Example.COM").status == 201
    return shared_api


def test_an_address_is_lower_cased_whole_and_found_in_any_case(api: Api) -> None:
    for spelling in ("known@example.com", "KNOWN@EXAMPLE.COM", "Known@Example.COM"):
        token = login(api, spelling)["access_token"]
        assert api.get("/api/v1/auth/me", token=token)["email"] == "known@example.com"
        again = register(api, spelling)
        assert (again.status, again["type"]) == (409, "urn:envctl:problem:email_taken")


def test_a_login_takes_the_other_fields_of_the_password_form(api: Api) -> None:
    more = {"grant_type": "password", "scope": "", "client_id": "x", "client_secret": "y"}
    reply = login(api, "known@example.com", **more)
    assert (reply.status, reply["token_type"], reply["expires_in"]) == (200, "bearer", 900)
    assert reply.headers["Cache-Control"] == "no-store"


def test_a_token_lasts_15_minutes_to_the_second(api: Api) -> None:
    token = login(api, "known@example.com")["access_token"]
    api.advance(900 - 1e-6)
    assert api.get("/api/v1/auth/me", token=token).status == 200
    api.advance(1e-6)
    expired = api.get("/api/v1/auth/me", token=token)
    assert (expired.status, "expired" in expired["detail"]) == (401, True)
    api.advance(-900)


@pytest.mark.parametrize("length", [8, 128])
@pytest.mark.parametrize("letter", ["a", "😀", " ", "\u0000"])
def test_passwords_of_8_to_128_characters_of_any_kind_work(api: Api, length: int, letter: str) -> None:
    email = f"bounds-{length}-{ord(letter)}@example.com"
    password = letter * length
    registered = register(api, email, password)
    assert registered.status == 201
    assert login(api, email, password).status == 200
    assert login(api, email, password[:-1]).status == 401
    assert login(api, email, password + letter).status == 401


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("known@example.com", "wrong password"),
        ("known@example.com", ""),
        ("known@example.com", "\x00"),
        ("known@example.com", "p" * 1_024),
        ("known@example.com", PASSWORD + "\x00"),
        ("unknown@example.com", PASSWORD),
        ("unknown@example.com", ""),
        ("", ""),
        ("no address", PASSWORD),
        ("\x00", "\x00"),
        ("İ" * 254, "x"),
    ],
)
def test_an_unknown_address_and_a_wrong_password_cost_one_hash_and_look_the_same(
    api: Api, monkeypatch: pytest.MonkeyPatch, username: str, password: str
) -> None:
    hashed: list[str] = []
    verify = passwords._hasher().verify  # noqa: SLF001 - each call of it is one hash

    def counted(secret: str, digest: str) -> Any:  # noqa: ANN401 - as the library has it
        hashed.append(digest)
        return verify(secret, digest)

    monkeypatch.setattr(passwords._hasher(), "verify", counted)  # noqa: SLF001 - likewise
    reply = login(api, username, password)
    assert len(hashed) == 1
    assert "m=19456,t=2,p=1" in hashed[0]
    told = {name: value for name, value in reply.body.items() if name != "request_id"}
    assert told == {
        "type": "urn:envctl:problem:wrong_credentials",
        "title": "Wrong credentials",
        "status": 401,
        "detail": "The e-mail address or the password is wrong.",
        "instance": "/api/v1/auth/login",
    }


def test_of_twenty_who_register_one_address_at_once_one_gets_it(api: Api) -> None:
    with ThreadPoolExecutor(20) as pool:
        passwords_ = [f"password-{number}" for number in range(20)]
        replies = list(pool.map(lambda password: register(api, "race@example.com", password), passwords_))
    assert sorted(reply.status for reply in replies) == [201, *[409] * 19]
    winner = next(at for at, reply in enumerate(replies) if reply.status == 201)
    assert login(api, "race@example.com", f"password-{winner}").status == 200
    assert login(api, "race@example.com", f"password-{(winner + 1) % 20}").status == 401


def test_a_hash_with_other_parameters_is_replaced_at_the_next_login(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(api, "old@example.com")
    ref = ("users", KEYS.email_key("old@example.com"))
    before = api.content()
    monkeypatch.setattr(passwords, "needs_rehash", lambda _hash: True)
    assert login(api, "old@example.com").status == 200
    assert [key for key, *_ in _lost(before, api.content())] == ["/".join(ref)]
    monkeypatch.undo()
    before = api.content()
    assert login(api, "old@example.com").status == 200
    assert _lost(before, api.content()) == []


def _lost(before: list[Any], after: list[Any]) -> list[Any]:
    """What has been changed or removed."""
    return [document for document in before if document not in after]


def test_a_token_of_an_account_that_is_gone_is_401(api: Api) -> None:
    for user_id in ("usr-" + "a" * 48, "usr-", "x", "usr-" + KEYS.email_key("known@example.com") + "b" * 16):
        assert api.get("/api/v1/auth/me", token=api.token_of(user_id)).status == 401


def test_nothing_secret_is_logged(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    register(api, "secret@example.com", "my-own-password")
    token = str(login(api, "secret@example.com", "my-own-password")["access_token"])
    login(api, "secret@example.com", "not-my-password")
    api.token, kept = token, api.token
    api.deploy(api.running({"name": "x", "type": "persistent", "config": {"key": "config-value"}}))
    api.token = kept
    api.get("/api/v1/auth/me?token=in-the-query", token=token)
    api.post("/api/v1/tasks/settle", data=b'{"id": "in-the-body"', content_type="text/plain", token=SECRET)
    api.post("/api/v1/auth/register", {"email": "a", "password": "short-1"})
    api.get("/api/v1/auth/me", token="forged-token")
    logged = capsys.readouterr().err
    assert len(logged.splitlines()) > 8
    assert all(json.loads(line)["message"] for line in logged.splitlines())
    for secret in (
        *("my-own-password", "not-my-password", token, token.rpartition(".")[2], "argon2", SECRET),
        *("config-value", "in-the-query", "in-the-body", "short-1", "forged-token", "secret@example.com"),
        *(KEYS.identity.decode(), KEYS.signing["k1"].decode(), KEYS.identity.hex(), "Bearer"),
    ):
        assert secret not in logged
    assert KEYS.identity.decode() not in repr(api.runtime)
    assert SECRET not in repr(api.runtime)
