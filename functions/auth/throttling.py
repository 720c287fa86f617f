"""Checking a password, throttled: by account in the store, by address coarsely in this process.

    one get_many: account, throttle ── must wait? ──> 429, nothing is hashed
                    └── hash ── right ──> the account's document; nothing is written
                                wrong ──> the failure is committed, then the refusal

An address that nobody has registered with is throttled as any other.
"""

import base64
from datetime import timedelta
from typing import NamedTuple

from functions.auth import stored
from shared import account_documents, documents, passwords
from shared.account_errors import TooManyAttempts, TooManyLogins
from shared.auditing import unaudited
from shared.changing import until_committed
from shared.domain import throttle as throttles
from shared.ports import Create, Document, Update
from shared.runtime import Runtime


class Checked(NamedTuple):
    """The account with an e-mail key, if there is one, and whether the password is that account's."""

    account: Document | None
    is_right: bool


def check_password(runtime: Runtime, email_key: str, password: str, address: str) -> Checked:
    """Whether that is the password of the account with this e-mail key.

    Raises TooManyAttempts, and TooManyLogins when this process has its hands full.

    Guesses at one account take turns within a process, so that many at once are not one attempt.
    """
    key = base64.b32encode(runtime.keys.seal("address", address.encode())).decode().rstrip("=").lower()
    with runtime.logins.take(TooManyLogins), runtime.locks.hold(f"password {email_key}"):
        _refuse(_wait_of_address(runtime, key))
        refs = [documents.user_ref(email_key), documents.throttle_ref(email_key)]
        account, found = runtime.store.get_many(refs)
        _refuse(throttles.wait(_throttle(found), key, runtime.clock()))
        password_hash = None if account is None else account_documents.user(account.data).password_hash
        if passwords.check_password(password, password_hash):
            return Checked(account, is_right=True)
        _note_failure(runtime, email_key, key, found)
        return Checked(account, is_right=False)


def _note_failure(runtime: Runtime, email_key: str, address: str, found: Document | None) -> None:
    """Commit a failure. One that lost a race against so many others that it must wait is not counted."""
    runtime.buckets.add(("password", address), runtime.settings.failed_logins_per_minute, runtime.clock())
    ref = documents.throttle_ref(email_key)
    known = [found]

    def attempt() -> None:
        before = known.pop() if known else runtime.store.get(ref)
        now = runtime.clock()
        _refuse(throttles.wait(_throttle(before), address, now))
        data = stored.throttle_data(throttles.fail(_throttle(before), address, now))
        unaudited(runtime.store).commit(
            Create(ref, data) if before is None else Update(ref, data, before.version)
        )

    until_committed("The number of failed logins", attempt)


def _wait_of_address(runtime: Runtime, address: str) -> timedelta:
    per_minute = runtime.settings.failed_logins_per_minute
    return runtime.buckets.wait(("password", address), per_minute, runtime.clock())


def _throttle(document: Document | None) -> throttles.Throttle:
    return throttles.Throttle() if document is None else stored.throttle(document.data)


def _refuse(wait: timedelta) -> None:
    if wait > timedelta(0):
        raise TooManyAttempts(wait)
