"""Sessions over HTTP: refresh, logout, who is logged in."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from functions.auth.sessions import PREFIX
from shared import documents, secret_tokens
from shared.domain.user import User
from shared.errors import Unavailable
from shared.times import from_text
from tests.functions.accounts import (
    account,
    is_refused,
    login,
    logout,
    meanwhile,
    refresh,
    session,
    stored_sessions,
)
from tests.functions.api import KEYS, PASSWORD, Api, Reply

DAY = 86_400


@pytest.fixture
def user(api: Api) -> User:
    return account(api, "user@example.com")


def _session_id(token: str) -> str:
    return f"ses-{secret_tokens.name_in(PREFIX, token)}"


# Refreshing ---------------------------------------------------------------------------------------


def test_a_login_gives_a_token_that_leads_to_the_next(api: Api, user: User) -> None:
    token = login(api, user.email)["refresh_token"]
    for _ in range(5):
        api.advance(DAY)
        reply = refresh(api, token)
        assert (reply.status, reply["token_type"], reply["expires_in"]) == (200, "bearer", 900)
        assert reply["refresh_expires_in"] == 14 * DAY
        assert reply.headers["Cache-Control"] == "no-store"
        assert api.get("/api/v1/auth/me", token=reply["access_token"])["id"] == user.id
        assert reply["refresh_token"] != token
        token = reply["refresh_token"]
    assert len(stored_sessions(api)) == 1


def test_a_lost_answer_is_given_again_for_30_seconds(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    successor = refresh(api, token)["refresh_token"]
    api.advance(30 - 1e-6)
    with api.nothing_changes():
        assert refresh(api, token)["refresh_token"] == successor
    assert refresh(api, successor).status == 200


def test_a_token_used_again_later_ends_the_session(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    successor = refresh(api, token)["refresh_token"]
    api.advance(30)
    assert is_refused(refresh(api, token))
    assert is_refused(refresh(api, successor)), "whoever of the two is the thief has nothing"
    assert stored_sessions(api) == []


def test_a_token_used_again_after_its_successor_ends_the_session(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    last = refresh(api, refresh(api, token)["refresh_token"])["refresh_token"]
    assert is_refused(refresh(api, token))
    assert is_refused(refresh(api, last))


def test_of_many_who_refresh_with_one_token_at_once_all_get_the_same_successor(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: refresh(api, token), range(16)))
    assert {reply.status for reply in replies} == {200}
    [successor] = {reply["refresh_token"] for reply in replies}
    stored = api.stored(documents.session_ref(_session_id(token))).data
    assert stored["token_hash"] == hashlib.sha256(successor.encode()).hexdigest()
    assert refresh(api, successor).status == 200


def test_who_loses_the_race_reads_again_and_gets_what_the_winner_got(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    won: list[Reply] = []
    api.store.before_commit.append(lambda _: won.append(refresh(api, token)))
    lost = refresh(api, token)
    assert (lost.status, lost["refresh_token"]) == (200, won[0]["refresh_token"])


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_commit_that_nobody_knows_of_the_same_request_goes_on(
    api: Api, user: User, when: str
) -> None:
    def fail(_: object) -> None:
        raise Unavailable("database")

    token = session(api, user).refresh_token
    (api.store.before_commit if when == "before" else api.store.after_commit).append(fail)
    assert refresh(api, token).status == 503
    successor = refresh(api, token)["refresh_token"]
    assert refresh(api, successor).status == 200


def test_the_successor_stays_what_it_is_while_signing_keys_rotate(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    successor = refresh(api, token)["refresh_token"]
    rotated = type(KEYS)({"k2": b"n" * 32}, KEYS.identity)
    object.__setattr__(api.runtime, "keys", rotated)
    assert refresh(api, token)["refresh_token"] == successor
    assert refresh(api, successor).status == 200, "sessions outlast signing keys"


def test_no_token_is_in_the_store_or_in_a_log(
    api: Api, user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    token = login(api, user.email)["refresh_token"]
    successor = refresh(api, token)["refresh_token"]
    refresh(api, refresh(api, successor)["refresh_token"])
    refresh(api, token)
    logout(api, token)
    seen = json.dumps(api.content()) + capsys.readouterr().err
    for text in (token, successor):
        name = secret_tokens.name_in(PREFIX, text)
        assert name is not None
        assert text.removeprefix(PREFIX + name) not in seen
        assert text.removeprefix(PREFIX + name)[:52] not in seen
    assert "used again; its session has ended" in seen


FORGED = {
    "nothing": "",
    "no token": "x",
    "a prefix": PREFIX,
    "of no session": secret_tokens.new_token(PREFIX, "a" * 64),
    "a short name": secret_tokens.new_token(PREFIX, "a" * 16),
    "a long name": secret_tokens.new_token(PREFIX, "a" * 80),
    "another kind": secret_tokens.new_token("envctl_", "a" * 64),
    "an access token": "eyJhbGciOiJIUzI1NiJ9.e30.x",
    "not ASCII": PREFIX + "é" * 80,
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_what_is_no_token_is_refused_and_logged_out_alike(shared_api: Api, token: str) -> None:
    with shared_api.nothing_changes():
        assert is_refused(refresh(shared_api, token))
        assert logout(shared_api, token).status == 204


@pytest.mark.parametrize("length", [*range(0, 132, 11), 131])
def test_a_token_that_differs_in_one_character_is_refused(api: Api, user: User, length: int) -> None:
    token = session(api, user).refresh_token
    other = "b" if token[length] == "a" else "a"
    with api.nothing_changes():
        assert is_refused(refresh(api, token[:length] + other + token[length + 1 :]))
    assert refresh(api, token).status == 200


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(api: Api, user: User) -> None:
    signed = session(api, user)
    assert is_refused(refresh(api, signed.access_token))
    assert api.get("/api/v1/auth/me", token=signed.refresh_token).status == 401


# How long it lasts --------------------------------------------------------------------------------


def test_a_session_ends_after_14_idle_days(api: Api, user: User) -> None:
    tokens = [session(api, user).refresh_token for _ in range(2)]
    api.advance(14 * DAY - 1e-6)
    assert refresh(api, tokens[0]).status == 200
    api.advance(1e-6)
    assert is_refused(refresh(api, tokens[1]))


def test_a_session_ends_90_days_after_its_login_however_often_it_is_used(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    for _ in range(8):
        api.advance(10 * DAY)
        token = refresh(api, token)["refresh_token"]
    api.advance(8 * DAY)
    reply = refresh(api, token)
    assert reply["refresh_expires_in"] == 2 * DAY
    api.advance(2 * DAY)
    assert is_refused(refresh(api, reply["refresh_token"]))


def test_the_database_may_remove_it_when_it_has_ended(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    stored = api.stored(documents.session_ref(_session_id(token))).data
    assert stored["ttl_at"] == stored["expires_at"]
    assert from_text(stored["ttl_at"]) == api.clock.now + timedelta(days=14)


# Logging out --------------------------------------------------------------------------------------


def test_a_logout_ends_its_session_and_no_other(api: Api, user: User) -> None:
    one, other = (session(api, user) for _ in range(2))
    for _ in range(2):
        assert logout(api, one.refresh_token).status == 204
    assert is_refused(refresh(api, one.refresh_token))
    assert refresh(api, other.refresh_token).status == 200
    assert api.get("/api/v1/auth/me", token=one.access_token).status == 200, "until it expires"
    api.advance(900)
    assert api.get("/api/v1/auth/me", token=one.access_token).status == 401


def test_a_token_that_has_been_used_logs_out_too(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    successor = refresh(api, token)["refresh_token"]
    assert logout(api, token).status == 204
    assert is_refused(refresh(api, successor))


def test_a_logout_while_somebody_refreshes_wins(api: Api, user: User) -> None:
    token = session(api, user).refresh_token
    meanwhile(api, lambda: logout(api, token))
    assert is_refused(refresh(api, token))


def test_everywhere_is_every_session_at_once_and_only_ones_own(api: Api, user: User) -> None:
    mine = [session(api, user).refresh_token for _ in range(3)]
    other = session(api, account(api, "other@example.com")).refresh_token
    token = session(api, user).access_token
    assert api.post("/api/v1/auth/logout-everywhere", token=token).status == 204
    assert all(is_refused(refresh(api, each)) for each in mine)
    assert refresh(api, other).status == 200
    assert api.get("/api/v1/auth/sessions", token=token).body == []
    assert refresh(api, login(api, user.email)["refresh_token"]).status == 200, "the next login is good"


def test_a_login_that_passes_a_logout_everywhere_gets_a_session_that_is_over(api: Api, user: User) -> None:
    """It has seen the account as it was before."""
    token = session(api, user).access_token
    meanwhile(api, lambda: api.post("/api/v1/auth/logout-everywhere", token=token))
    assert is_refused(refresh(api, login(api, user.email)["refresh_token"]))


# Who is logged in ---------------------------------------------------------------------------------


def test_the_list_shows_who_is_logged_in_newest_first(api: Api, user: User) -> None:
    headers = {"User-Agent": "curl/8.1"}
    form = {"username": user.email, "password": PASSWORD}
    first = api.post("/api/v1/auth/login", token=None, data=form, headers=headers)
    api.advance(60)
    second = session(api, user)
    refreshed = refresh(api, first["refresh_token"])
    shown = api.get("/api/v1/auth/sessions", token=second.access_token).body
    assert [each["user_agent"] for each in shown] == [None, "curl/8.1"]
    assert shown[1] == {
        "id": _session_id(refreshed["refresh_token"]),
        "user_agent": "curl/8.1",
        "created_at": "2026-01-31T12:00:00.000000Z",
        "last_used_at": "2026-01-31T12:01:00.000000Z",
        "expires_at": "2026-02-14T12:01:00.000000Z",
        "etag": shown[1]["etag"],
    }


def test_the_list_has_pages_and_leaves_out_what_has_expired(api: Api, user: User) -> None:
    for _ in range(3):
        old = session(api, user)
    api.advance(13 * DAY)
    for _ in range(4):
        token = session(api, user).access_token
        api.advance(1)
    refresh(api, old.refresh_token)
    pages = [*api.walk("/api/v1/auth/sessions?page_size=2", token=token)]
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    api.advance(DAY)
    token = session(api, user).access_token
    shown = api.all("/api/v1/auth/sessions?page_size=2", token=token)
    assert len(shown) == 6
    assert shown == sorted(shown, key=lambda each: str(each["created_at"]), reverse=True)


def test_one_session_is_ended_by_its_id_by_its_owner_only(api: Api, user: User) -> None:
    signed, kept = session(api, user), session(api, user)
    target = f"/api/v1/auth/sessions/{_session_id(signed.refresh_token)}"
    with api.nothing_changes():
        assert api.delete(target, token=api.token).status == 404
        for unknown in ("x", "ses-", "ses-" + "a" * 64, "ses-" + "A" * 64, target.rpartition("-")[2]):
            assert api.delete(f"/api/v1/auth/sessions/{unknown}", token=kept.access_token).status == 404
    assert api.delete(target, token=kept.access_token).status == 204
    assert api.delete(target, token=kept.access_token).status == 404
    assert is_refused(refresh(api, signed.refresh_token))
    assert refresh(api, kept.refresh_token).status == 200
