"""The certificates that callbacks' tokens are verified with: fetched seldom, and not always to be had."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.adapters import certificates
from shared.adapters.oidc import OidcCheck
from tests.functions.api import Api, Reply
from tests.functions.oidc_tokens import ACCOUNT, AUDIENCE, CertificateServer, Google

PAUSE = certificates.PAUSE.total_seconds()
LIFETIME = 3_600
DAY = 86_400


class Instance(Api):
    def __init__(self, home: Path, server: CertificateServer, url: str) -> None:
        super().__init__(home)
        check = OidcCheck(AUDIENCE, frozenset({ACCOUNT}), url, self.clock)
        self.runtime = replace(self.runtime, callbacks=check)
        self.google = Google(home, self.clock)
        self.server = server
        server.certificates = self.google.identity.certificates

    def called(self, google: Google | None = None) -> Reply:
        """A callback with a good token."""
        return self.post("/api/v1/tasks/sweep", {}, token=(google or self.google).token())

    def rotated(self) -> Google:
        """Google with a new key, and the server with its certificate."""
        folder = self.settings.home / "new"
        folder.mkdir()
        new = Google(folder, self.clock)
        self.server.certificates = {**self.google.identity.certificates, **new.identity.certificates}
        return new


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Instance]:
    server = CertificateServer()
    with server.serving() as url:
        made = Instance(tmp_path, server, url)
        yield made
        made.database.close()


def test_they_are_fetched_once_and_again_when_their_time_is_over(api: Instance) -> None:
    assert api.server.asked == 0
    for seconds, asked in ((0, 1), (0, 1), (LIFETIME - 1, 1), (1, 2), (LIFETIME - 1, 2), (1, 3)):
        api.advance(seconds)
        assert api.called().status == 200
        assert api.server.asked == asked


@pytest.mark.parametrize(
    ("headers", "lifetime"),
    [
        ({"Cache-Control": "max-age=100"}, 100),
        ({"Cache-Control": "public,MAX-AGE=100,must-revalidate"}, 100),
        ({"Cache-Control": "max-age=100", "Age": "60"}, 40),
        ({"Cache-Control": "max-age=100", "Age": "200"}, PAUSE),
        ({"Cache-Control": "max-age=999999999"}, DAY),
        ({"Cache-Control": "s-max-age=100"}, PAUSE),
        ({"Cache-Control": "max-age=abc"}, PAUSE),
        ({"Cache-Control": "no-cache"}, PAUSE),
        ({}, PAUSE),
    ],
)
def test_their_time_is_what_the_answer_says(api: Instance, headers: dict[str, str], lifetime: float) -> None:
    api.server.headers = headers
    api.called()
    api.advance(lifetime - 1)
    assert (api.called().status, api.server.asked) == (200, 1)
    api.advance(1)
    assert (api.called().status, api.server.asked) == (200, 2)


def test_an_unknown_key_has_them_fetched_once_in_a_while(api: Instance) -> None:
    api.called()
    stranger = Google(api.settings.home, api.clock)
    token = stranger.token(header={"kid": "0" * 40})
    for seconds, asked in ((0, 1), (PAUSE - 1, 1), (1, 2), (0, 2), (1, 2), (PAUSE - 1, 3)):
        api.advance(seconds)
        for _ in range(3):
            assert api.post("/api/v1/tasks/sweep", {}, token=token).status == 401
        assert api.server.asked == asked
        assert api.called().status == 200


def test_a_new_key_is_known_at_its_first_token(api: Instance) -> None:
    api.called()
    api.advance(PAUSE)
    new = api.rotated()
    assert (api.called(new).status, api.server.asked) == (200, 2)
    assert (api.called().status, api.server.asked) == (200, 2)


def test_a_key_that_was_taken_back_is_refused_once_the_time_is_over(api: Instance) -> None:
    api.called()
    new = api.rotated()
    api.server.certificates = new.identity.certificates
    api.advance(LIFETIME)
    assert api.called().status == 401
    assert api.called(new).status == 200


BROKEN = {
    "an error": (503, None),
    "not there": (404, None),
    "a redirect": (302, None),
    "no JSON": (200, b"<html>"),
    "no object": (200, b"[]"),
    "no certificates": (200, b"{}"),
    "no certificate": (200, b'{"x": "y"}'),
    "keys of another form": (200, b'{"keys": [{"kid": "x", "kty": "RSA"}]}'),
    "nothing": (200, b""),
}


@pytest.mark.parametrize(("status", "content"), BROKEN.values(), ids=BROKEN.keys())
def test_without_any_a_callback_is_to_come_again(
    api: Instance, status: int, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    api.server.status, api.server.content = status, content
    for _ in range(3):
        reply = api.called()
        assert (reply.status, reply["type"]) == (503, "urn:envctl:problem:unavailable")
        assert int(reply.headers["Retry-After"]) >= 1
    assert api.server.asked == 1, "not more often than once in a while"
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["message"] for line in lines if line["severity"] == "ERROR"] == [
        "certificates could not be fetched"
    ]
    api.server.status, api.server.content = 200, None
    api.advance(PAUSE)
    assert api.called().status == 200


def test_without_any_a_token_that_cannot_be_googles_is_refused_all_the_same(api: Instance) -> None:
    api.server.status = 503
    for token in ("x", api.google.unsigned(), api.google.without_key_id(), api.token):
        assert api.post("/api/v1/tasks/sweep", {}, token=token).status == 401
    assert api.server.asked == 0


def test_old_ones_serve_while_there_are_no_new_ones_for_a_day(api: Instance) -> None:
    api.called()
    api.server.status = 503
    api.advance(LIFETIME)
    assert (api.called().status, api.server.asked) == (200, 2)
    assert (api.called().status, api.server.asked) == (200, 2)
    api.advance(DAY - 1)
    assert (api.called().status, api.server.asked) == (200, 3)
    api.advance(1)
    assert api.called().status == 503
    api.server.status = 200
    api.advance(PAUSE)
    assert api.called().status == 200


def test_while_none_can_be_fetched_an_unknown_key_may_be_a_new_one(api: Instance) -> None:
    api.called()
    new = api.rotated()
    api.server.status = 503
    api.advance(PAUSE)
    assert api.called(new).status == 503
    assert api.called().status == 200
    api.server.status = 200
    api.advance(PAUSE)
    assert api.called(new).status == 200


def test_a_server_that_does_not_answer_is_not_waited_for_long(
    api: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(seconds=2 * certificates.FETCH_SECONDS) < timedelta(seconds=25)
    monkeypatch.setattr(certificates, "FETCH_SECONDS", 0.1)
    api.server.silent.set()
    assert api.called().status == 503
    api.server.silent.clear()
    api.advance(PAUSE)
    assert api.called().status == 200


def test_many_at_once_fetch_them_once(api: Instance) -> None:
    token = api.google.token()
    check = api.runtime.callbacks
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(check.check, [token] * 64))
    assert api.server.asked == 1


def test_one_that_cannot_be_read_spoils_no_others(api: Instance) -> None:
    api.server.certificates = {"x": "-----BEGIN CERTIFICATE-----", **api.google.identity.certificates}
    assert api.called().status == 200
