"""Opaque secret tokens: refresh tokens and API tokens.

    <prefix><name><secret><checksum>      envctl_r_ abcd…      52 characters      7 characters

The prefix lets scanners of secrets find one that leaked, the name says which document knows it, the
secret is 256 bits. The checksum spares the store whatever is cut, mistyped or made up: it proves nothing.
A document holds the token's hash only. A plain one will do, because nobody can try 256 bits.
"""

import base64
import hashlib
import hmac
import re
import secrets
import zlib

SECRET_BYTES = 32
_SECRET = 52
_CHECKSUM = 7
_TEXT = re.compile(rf"([a-z2-7]+)[a-z2-7]{{{_SECRET + _CHECKSUM}}}", re.ASCII)


def new_token(prefix: str, name: str) -> str:
    """A token with a random secret. The name is of [a-z2-7]."""
    return make_token(prefix, name, secrets.token_bytes(SECRET_BYTES))


def make_token(prefix: str, name: str, secret: bytes) -> str:
    """The token with this secret of 32 bytes."""
    signed = prefix + name + _base32(secret)
    return signed + _checksum(signed)


def name_in(prefix: str, text: str) -> str | None:
    """The name in a token with this prefix; None for anything that is none."""
    match = _TEXT.fullmatch(text.removeprefix(prefix)) if text.startswith(prefix) else None
    if match is None or _checksum(text[:-_CHECKSUM]) != text[-_CHECKSUM:]:
        return None
    return match[1]


def hash_of(token: str) -> str:
    """What a document holds of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_hash_of(token_hash: str, token: str) -> bool:
    """Whether the hash is this token's, in the same time wherever they differ."""
    return hmac.compare_digest(token_hash, hash_of(token))


def _checksum(text: str) -> str:
    return _base32(zlib.crc32(text.encode()).to_bytes(4))


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode().lower().rstrip("=")
