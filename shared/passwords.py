"""Passwords: argon2id with 19 MiB, two passes and one lane (OWASP's figures), through passlib's interface.

Only the auth function imports this module.
"""

import threading
from functools import cache
from typing import Any

_SLOTS = threading.BoundedSemaphore(2)
"""At most two hashes at once, so that many logins don't starve everything else."""

_LOADING = threading.Lock()
"""`passlib.hash` puts a proxy in its own place while it is imported: another thread would find half of it."""

_DUMMY = "$argon2id$v=19$m=19456,t=2,p=1$GUMoBcCYcy7lfM+Zk1LqnQ$FQBFHXbPxENhK1P0m3xmTHUwLg8R5fKvi2jd8eXUIAU"
"""A hash of nothing: checking against it takes as long as checking a real one."""


@cache
def _hasher() -> Any:  # noqa: ANN401 - the stubs leave its type open
    """Loaded at the first password: starting a function and asking who one is need none."""
    with _LOADING:
        from passlib.hash import argon2  # noqa: PLC0415

    return argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1)  # type: ignore[no-untyped-call]


def hash_password(password: str) -> str:
    """A salted hash to store."""
    with _SLOTS:
        return str(_hasher().hash(password))


def check_password(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one that was hashed. Without a hash: False, after the same work."""
    with _SLOTS:
        matches = bool(_hasher().verify(password, password_hash or _DUMMY))
    return matches and password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return bool(_hasher().needs_update(password_hash))
