"""The instance's secrets, and what is derived from them.

Two keys that must not be one: *signing* keys rotate, the *identity* key never does, because ids
and e-mail keys are made with it. On one machine both lie in the data folder, 0600, made at first start.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.config import KEY_BYTES, Google, key_bytes
from shared.startup import HomeUnusable


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Keys:
    """The secrets of an instance. Its repr shows none; it is equal to itself only."""

    signing: Mapping[str, bytes]
    """By key id (`kid`); the first one signs, all of them verify. Empty in a function that needs none."""
    identity: bytes
    """Likewise."""

    def email_key(self, email: str) -> str:
        """Under which a normalised address is unique: an HMAC, so that ids don't tell addresses."""
        digest = self._mac("email", email.encode())
        return base64.b32encode(digest[:20]).decode().lower()

    def id_part(self, *named: str) -> str:
        """A part of an id (`shared.ids`) that follows from names, and from nothing that others know."""
        digest = self._mac("id", json.dumps(named).encode())
        return base64.b32encode(digest[:10]).decode().lower()

    def refresh_secret(self, token: str) -> bytes:
        """The 32-byte secret of the refresh token that succeeds this one, the same whenever it is asked for.

        Made with the key that never rotates: a lost answer can be given again while signing keys change.
        """
        return self._mac("refresh", token.encode())

    def seal(self, purpose: str, message: bytes) -> bytes:
        """A 16-byte code that only this instance can make for the message."""
        return self._mac(purpose, message)[:16]

    def _mac(self, purpose: str, message: bytes) -> bytes:
        assert self.identity  # noqa: S101 - a function that works with it doesn't start without
        return hmac.digest(self.identity, purpose.encode() + b"\0" + message, "sha256")


def key_id(key: bytes) -> str:
    """A signing key's public name."""
    return hashlib.sha256(b"kid\0" + key).hexdigest()[:8]


def given_keys(google: Google) -> Keys:
    """The keys that the settings carry: the current signing key, and while it rotates the previous one."""
    given = (google.signing_key, google.previous_signing_key)
    signing = [key_bytes(key) for key in given if key is not None]
    identity = b"" if google.identity_key is None else key_bytes(google.identity_key)
    return Keys({key_id(key): key for key in signing}, identity)


def open_home(home: Path) -> None:
    """Make the data folder, 0700, where it is missing; raise HomeUnusable when it can't be written."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as fault:
        raise HomeUnusable(str(home), "it is no folder") from fault
    except OSError as fault:
        raise HomeUnusable(str(home), fault.strerror or str(fault)) from fault
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        raise HomeUnusable(str(home), "it can't be read and written")


def keys_in(home: Path, *, is_new: bool = True) -> Keys:
    """The keys in the data folder, made where they are missing.

    In a folder that is not new a missing identity key is refused: with another one nobody's account
    would be found again.
    """
    open_home(home)
    identity_file = home / "identity.key"
    if not is_new and not identity_file.exists():
        raise HomeUnusable(str(home), "identity.key is missing, and the accounts there need it: restore it")
    signing = _key_file(home / "signing.key")
    return Keys({key_id(signing): signing}, _key_file(identity_file))


def _key_file(file: Path) -> bytes:
    """The key in a file. Of several processes that start at once, one makes it: `link` has one winner."""
    try:
        if not file.exists():
            draft = file.with_suffix(f".{secrets.token_hex(8)}")
            draft.touch(mode=0o600)
            try:
                draft.write_bytes(secrets.token_bytes(KEY_BYTES))
                os.link(draft, file)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        key = file.read_bytes()
    except OSError as fault:
        raise HomeUnusable(str(file.parent), f"{file.name}: {fault.strerror or fault}") from fault
    if len(key) < KEY_BYTES:
        raise HomeUnusable(str(file.parent), f"{file.name} holds {len(key)} bytes, a key has {KEY_BYTES}")
    return key
