"""Guessing passwords over HTTP: refused soon, for a minute at most, and alike for addresses unknown."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import pytest

from shared import documents, passwords
from shared.config import Settings
from shared.domain.user import User
from shared.locks import Places
from tests.functions.accounts import account, login, register
from tests.functions.api import KEYS, PASSWORD, SECRET, Api, Reply

GUESS = "not the password"
THROTTLED = (429, "urn:envctl:problem:too_many_attempts")


@pytest.fixture
def user(api: Api) -> User:
    return account(api, "known@example.com")


@pytest.fixture(autouse=True)
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What passwords are checked against from now on; the checks are quick, so that there can be many."""
    seen: list[str] = []

    def check(password: str, password_hash: str | None) -> bool:
        seen.append(password)
        return password == PASSWORD and password_hash is not None

    monkeypatch.setattr(passwords, "check_password", check)
    return seen


def _guess_until_refused(api: Api, email: str, address: str = "") -> tuple[int, Reply]:
    """How many guesses were taken, and what the next one was answered."""
    for taken in range(100):
        reply = login(api, email, GUESS, address=address)
        if reply.status != 401:
            return taken, reply
    raise AssertionError("a hundred guesses were taken")


def test_the_sixth_guess_is_refused_and_the_password_a_second_later_is_right(
    api: Api, user: User, hashed: list[str]
) -> None:
    taken, refused = _guess_until_refused(api, user.email)
    assert (taken, len(hashed)) == (5, 5), "what is refused is not looked at"
    assert ((refused.status, refused["type"]), refused.headers["Retry-After"]) == (THROTTLED, "1")
    with api.nothing_changes():
        assert login(api, user.email).status == 429, "not even the right one"
    api.advance(1)
    assert login(api, user.email).status == 200


def test_nobody_waits_for_more_than_a_minute(api: Api, user: User, hashed: list[str]) -> None:
    waits = []
    for _ in range(12):
        refused = _guess_until_refused(api, user.email)[1]
        waits.append(int(refused.headers["Retry-After"]))
        api.advance(waits[-1] - 1)
        assert login(api, user.email).status == 429
        api.advance(1)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]
    assert len(hashed) == 16
    assert login(api, user.email).status == 200


def test_the_owner_elsewhere_is_not_locked_out(api: Api, user: User) -> None:
    for _ in range(10):
        refused = _guess_until_refused(api, user.email, address="198.51.100.7")[1]
        api.advance(int(refused.headers["Retry-After"]))
    _guess_until_refused(api, user.email, address="198.51.100.7")
    assert login(api, user.email, address="203.0.113.5").status == 200


def test_who_is_logged_in_stays_so(api: Api, user: User) -> None:
    token = login(api, user.email)["refresh_token"]
    _guess_until_refused(api, user.email)
    body = {"refresh_token": token}
    assert api.post("/api/v1/auth/refresh", body, token=None).status == 200


def test_many_addresses_are_refused_within_ten_guesses(api: Api, user: User) -> None:
    statuses = [login(api, user.email, GUESS, address=f"198.51.100.{number}").status for number in range(12)]
    assert statuses == [*[401] * 8, *[429] * 4]


def test_of_an_ipv6_network_it_is_the_network(api: Api, user: User) -> None:
    statuses = [login(api, user.email, GUESS, address=f"2001:db8::{number}").status for number in range(7)]
    assert statuses == [*[401] * 5, *[429] * 2]


def test_guesses_at_once_are_refused_as_those_one_after_the_other(
    api: Api, user: User, hashed: list[str]
) -> None:
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: login(api, user.email, GUESS).status, range(40)))
    assert sorted(statuses) == [*[401] * 5, *[429] * 35]
    assert len(hashed) == 5


def test_guesses_at_once_at_several_processes_are_counted_or_not_answered(api: Api, user: User) -> None:
    """Another process gets its failures in first: this one's guess was looked at, but tells nothing."""

    def elsewhere(_: object) -> None:
        with api.elsewhere():
            assert _guess_until_refused(api, user.email)[0] == 5

    api.store.before_commit.append(elsewhere)
    assert login(api, user.email, GUESS).status == 429
    throttle = api.stored(documents.throttle_ref(KEYS.email_key(user.email)))
    assert throttle.data["failures"] == 5


def test_an_unknown_address_is_throttled_as_a_known_one_and_no_byte_differs(
    api: Api, user: User, hashed: list[str]
) -> None:
    seen = []
    for email in (user.email, "nobody@example.com"):
        replies = []
        for _ in range(8):
            reply = login(api, email, GUESS)
            body = {name: value for name, value in reply.body.items() if name != "request_id"}
            kept = {name: value for name, value in reply.headers.items() if name != "X-Request-Id"}
            replies.append((reply.status, body, kept))
            if reply.status == 429:
                api.advance(int(reply.headers["Retry-After"]))
        seen.append((replies, len(hashed), list(api.store.calls)))
        hashed.clear()
        api.store.calls.clear()
    assert [status for status, *_ in seen[0][0]] == [401] * 5 + [429, 401, 429]
    assert seen[0] == seen[1]


def test_spellings_of_an_address_are_one_account(api: Api, user: User) -> None:
    statuses = [login(api, email, GUESS).status for email in [user.email, user.email.upper()] * 4]
    assert statuses == [*[401] * 5, *[429] * 3]


def test_registering_an_address_forgets_no_guess(api: Api) -> None:
    _guess_until_refused(api, "later@example.com")
    account(api, "later@example.com")
    assert login(api, "later@example.com").status == 429


def test_after_an_hour_all_is_forgotten_and_the_document_may_go(api: Api, user: User) -> None:
    _guess_until_refused(api, user.email)
    stored = api.stored(documents.throttle_ref(KEYS.email_key(user.email)))
    assert stored.data["ttl_at"] == "2026-01-31T13:00:00.000000Z"
    api.advance(3_600)
    assert _guess_until_refused(api, user.email)[0] == 5


def test_a_throttle_names_neither_address(api: Api, user: User) -> None:
    _guess_until_refused(api, user.email, address="198.51.100.7")
    stored = api.stored(documents.throttle_ref(KEYS.email_key(user.email)))
    assert len(stored.data["waiting"]) == 1
    assert "198.51" not in str(stored)
    assert user.email not in str(stored)


# By address, coarsely -----------------------------------------------------------------------------


@pytest.fixture
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An instance that takes six wrong passwords a minute from an address."""
    home = tmp_path_factory.mktemp("few")
    given = {"home": home, "callback_secret": SECRET, "failed_logins_per_minute": 6}
    made = Api(home, Settings.model_validate(given))
    yield made
    made.database.close()


def test_an_address_may_fail_so_often_a_minute_whatever_the_accounts(few: Api) -> None:
    account(few, "owner@example.com")
    replies = [login(few, f"{number}@example.com", GUESS, address="198.51.100.7") for number in range(8)]
    assert [reply.status for reply in replies] == [*[401] * 6, *[429] * 2]
    assert replies[-1].headers["Retry-After"] == "10"
    assert login(few, "owner@example.com", address="198.51.100.7").status == 429
    assert login(few, "owner@example.com", address="203.0.113.5").status == 200
    few.advance(10)
    assert login(few, "owner@example.com", address="198.51.100.7").status == 200


def test_what_succeeds_does_not_count(few: Api) -> None:
    account(few, "busy@example.com")
    assert {login(few, "busy@example.com").status for _ in range(20)} == {200}


def test_by_default_ten_failures_a_second_are_no_trouble(api: Api) -> None:
    assert api.settings.failed_logins_per_minute == 600


# Many at once -------------------------------------------------------------------------------------


def test_of_two_hundred_logins_at_once_as_many_get_in_as_may_and_reads_are_served(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `make run`, whose processes have 64 threads: at most 48 are at a password."""
    object.__setattr__(api.runtime, "logins", Places(48))
    emails = [account(api, f"{number}@example.com").email for number in range(200)]
    go_on = threading.Event()

    def check(_password: str, _hash: str | None) -> bool:
        return go_on.wait(60)

    monkeypatch.setattr(passwords, "check_password", check)
    with ThreadPoolExecutor(200) as pool:
        logins = [pool.submit(login, api, email) for email in emails]
        turned_away = [done.result() for done in islice(as_completed(logins, timeout=60), 152)]
        assert api.get("/api/v1/auth/me").status == 200
        assert api.project()
        go_on.set()
        assert Counter(each.result().status for each in logins) == {200: 48, 503: 152}
    assert {reply["type"] for reply in turned_away} == {"urn:envctl:problem:too_many_logins"}


def test_many_logins_at_once_leave_threads_for_others(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two may be at a password here. While they are, others are turned away, and reads are served."""
    object.__setattr__(api.runtime, "logins", Places(2))
    emails = [account(api, f"{number}@example.com").email for number in range(3)]
    inside, go_on = threading.Semaphore(0), threading.Event()

    def check(_password: str, _hash: str | None) -> bool:
        inside.release()
        assert go_on.wait(10)
        return True

    monkeypatch.setattr(passwords, "check_password", check)
    with ThreadPoolExecutor(2) as pool:
        logins = [pool.submit(login, api, email) for email in emails[:2]]
        assert inside.acquire(timeout=10)
        assert inside.acquire(timeout=10)
        refused = login(api, emails[2])
        registered = register(api, "another@example.com")
        assert api.get("/api/v1/auth/me").status == 200
        go_on.set()
        assert [each.result().status for each in logins] == [200, 200]
    assert (refused.status, refused["type"]) == (503, "urn:envctl:problem:too_many_logins")
    assert refused.headers["Retry-After"] == "1"
    assert (registered.status, registered["type"]) == (503, "urn:envctl:problem:too_many_logins")
    assert login(api, emails[2]).status == 200, "a place is free again"
