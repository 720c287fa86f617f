"""The keys in the data folder: made once, readable by their owner only, never shown."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from shared import config, tokens
from shared.config import KEY_BYTES
from shared.errors import Unauthenticated
from shared.keys import Keys, given_keys, key_id, keys_in, open_home
from shared.startup import HomeUnusable

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
OLD, NEW, OTHER = (letter * 40 for letter in (b"o", b"n", b"x"))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_and_its_keys_are_their_owners_only(tmp_path: Path) -> None:
    home = tmp_path / "a" / "home"
    keys_in(home)
    assert _mode(home) == 0o700
    assert {file.name: _mode(file) for file in home.iterdir()} == {
        "signing.key": 0o600,
        "identity.key": 0o600,
    }


def test_keys_are_made_once_long_random_and_apart(tmp_path: Path) -> None:
    first, second, other = keys_in(tmp_path), keys_in(tmp_path), keys_in(tmp_path / "other")
    assert (first.signing, first.identity) == (second.signing, second.identity)
    every = [*first.signing.values(), first.identity, *other.signing.values(), other.identity]
    assert len(set(every)) == 4
    assert {len(key) for key in every} == {KEY_BYTES}
    assert list(first.signing) == [key_id(key) for key in first.signing.values()]


def test_of_many_that_start_at_once_one_makes_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: keys_in(tmp_path), range(32)))
    assert len({(*keys.signing.values(), keys.identity) for keys in made}) == 1
    assert len(list(tmp_path.iterdir())) == 2, "no drafts are left"


@pytest.mark.parametrize("name", ["signing.key", "identity.key"])
@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_short_key_refuses_to_start(tmp_path: Path, name: str, length: int) -> None:
    (tmp_path / name).write_bytes(b"x" * length)
    with pytest.raises(HomeUnusable, match=f"{name} holds {length} bytes"):
        keys_in(tmp_path)


def test_a_home_that_is_a_file_or_below_one_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for home, fault in ((file, "it is no folder"), (file / "home", "Not a directory")):
        with pytest.raises(HomeUnusable, match=rf"{fault}\. Set ENVCTL_HOME to another folder"):
            open_home(home)


def test_no_key_is_shown(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    for key in (*keys.signing.values(), keys.identity):
        assert repr(key) not in repr(keys)
        assert key.hex() not in f"{keys} {keys!r}"


def test_an_email_key_and_a_seal_depend_on_the_identity_alone() -> None:
    one, rotated, other = (
        Keys({"k": signing}, identity)
        for signing, identity in ((b"1" * 32, b"i" * 32), (b"2" * 32, b"i" * 32), (b"1" * 32, b"o" * 32))
    )
    assert one.email_key("a@b") == rotated.email_key("a@b") != other.email_key("a@b")
    assert one.seal("page", b"x") == rotated.seal("page", b"x") != other.seal("page", b"x")
    assert (
        len({one.seal("page", b"x"), one.seal("page", b"y"), one.seal("other", b"x"), one.seal("pag", b"ex")})
        == 4
    )


def test_beside_a_database_a_missing_identity_key_is_refused_not_replaced(tmp_path: Path) -> None:
    keys_in(tmp_path)
    (tmp_path / "identity.key").unlink()
    with pytest.raises(HomeUnusable, match=r"identity\.key is missing"):
        keys_in(tmp_path, is_new=False)
    assert not (tmp_path / "identity.key").exists()


def test_a_missing_signing_key_is_made_anew_beside_a_database_too(tmp_path: Path) -> None:
    before = keys_in(tmp_path)
    (tmp_path / "signing.key").unlink()
    after = keys_in(tmp_path, is_new=False)
    assert after.identity == before.identity
    assert after.signing != before.signing


def _on_google(**variables: str) -> Keys:
    """The keys of a function on Google Cloud with these variables besides."""
    google = config.load(
        {
            "ENVCTL_PROJECT": "a-project",
            "ENVCTL_DATABASE": "envctl-a",
            "ENVCTL_QUEUE": "projects/a-project/locations/europe-west1/queues/envctl",
            "ENVCTL_TASKS_URL": "https://tasks.example.com",
            "ENVCTL_TASKS_ACCOUNT": "tasks@a-project.iam.gserviceaccount.com",
            **variables,
        }
    ).google
    assert google is not None
    return given_keys(google)


def _given(signing: bytes, previous: bytes | None = None) -> Keys:
    """The keys of an instance on Google Cloud with these signing keys."""
    variables = {
        "ENVCTL_SIGNING_KEY": base64.b64encode(signing).decode(),
        "ENVCTL_IDENTITY_KEY": base64.urlsafe_b64encode(b"\xff" * 40).decode(),
    }
    if previous is not None:
        variables["ENVCTL_PREVIOUS_SIGNING_KEY"] = base64.b64encode(previous).decode()
    return _on_google(**variables)


def _token(keys: Keys) -> str:
    return tokens.issue(keys, "usr-1", "t", NOW, timedelta(hours=1))


def test_given_keys_are_the_bytes_of_the_settings() -> None:
    keys = _given(NEW)
    assert keys.signing == {key_id(NEW): NEW}
    assert keys.identity == b"\xff" * 40


def test_what_a_function_is_not_given_it_can_not_use() -> None:
    keys = _on_google()
    with pytest.raises(Unauthenticated):
        tokens.verify(keys, _token(_given(NEW)), NOW)
    with pytest.raises(AssertionError):
        keys.email_key("a@example.com")


def test_of_two_signing_keys_the_first_signs_and_both_verify() -> None:
    keys = _given(NEW, OLD)
    assert list(keys.signing) == [key_id(NEW), key_id(OLD)]
    token = _token(keys)
    assert jwt.get_unverified_header(token)["kid"] == key_id(NEW)
    for valid in (token, _token(_given(OLD)), _token(_given(NEW))):
        assert tokens.verify(keys, valid, NOW) == "usr-1"
    with pytest.raises(Unauthenticated):
        tokens.verify(keys, _token(_given(OTHER)), NOW)


def test_a_rotation_step_by_step_locks_nobody_out() -> None:
    before, during, after = _given(OLD), _given(NEW, OLD), _given(NEW)
    old, new = _token(before), _token(during)
    assert tokens.verify(during, old, NOW) == "usr-1"
    assert tokens.verify(after, new, NOW) == "usr-1"
    with pytest.raises(Unauthenticated):
        tokens.verify(after, old, NOW)
    assert before.email_key("a@b") == during.email_key("a@b") == after.email_key("a@b")


def test_the_same_key_twice_is_one() -> None:
    assert _given(NEW, NEW).signing == {key_id(NEW): NEW}


def test_no_given_key_is_shown() -> None:
    keys = _given(NEW, OLD)
    assert "nnnn" not in f"{keys} {keys!r}"
