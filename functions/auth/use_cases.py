"""What the auth function does with accounts."""

from dataclasses import replace

from functions.auth import api_tokens
from functions.auth.sessions import Signed, begin_session
from functions.auth.throttling import check_password
from shared import account_documents, documents, ids, leaving, passwords
from shared.access import Caller
from shared.account_errors import EmailTaken, TooManyLogins, WrongCredentials, WrongPassword
from shared.auditing import unaudited
from shared.changing import create, until_committed
from shared.domain.user import User, normalise_email
from shared.domain.user import change_password as with_password
from shared.errors import Conflict, Unauthenticated
from shared.http.origins import Origin
from shared.ports import Delete, Document, Update
from shared.runtime import Runtime


def register_user(runtime: Runtime, email: str, password: str) -> User:
    """A new account. Raises EmailTaken; the document's id decides the race."""
    address = normalise_email(email)
    key = runtime.keys.email_key(address)
    ref = documents.user_ref(key)
    if runtime.store.get(ref) is not None:  # spares the hash; the create below decides
        raise EmailTaken
    user = User(
        # The key first: the account's document is found by its id. The rest tells an account from
        # one that had the same address before.
        id=f"usr-{key}{ids.new_part()}",
        email=address,
        password_hash=_hash(runtime, password),
        created_at=runtime.clock(),
    )
    if create(runtime, ref, account_documents.user_data(user), "This account").data["id"] != user.id:
        raise EmailTaken
    return user


def _hash(runtime: Runtime, password: str) -> str:
    """A hash to store. Raises TooManyLogins when this process has its hands full."""
    with runtime.logins.take(TooManyLogins):
        return passwords.hash_password(password)


def log_in(runtime: Runtime, email: str, password: str, origin: Origin) -> Signed:
    """A new session. Raises WrongCredentials, after the same work, for an unknown address too."""
    key = runtime.keys.email_key(normalise_email(email))
    document, is_right = check_password(runtime, key, password, origin.address)
    if document is None or not is_right:
        raise WrongCredentials(None if document is None else document.data["id"])
    user = account_documents.user(document.data)
    if passwords.needs_rehash(user.password_hash):
        _rehash(runtime, document, user, password)
    return begin_session(runtime, user, origin.user_agent)


def _rehash(runtime: Runtime, document: Document, user: User, password: str) -> None:
    """Store a hash with today's parameters, now or at another login.

    Whoever wins a race stores the same password.
    """
    try:
        changed = replace(user, password_hash=_hash(runtime, password))
        unaudited(runtime.store).commit(
            Update(document.ref, account_documents.user_data(changed), document.version)
        )
    except (Conflict, TooManyLogins):
        return


def change_password(runtime: Runtime, caller: Caller, current: str, new: str, origin: Origin) -> None:
    """Another password for the caller's account, and the end of all its sessions. Raises WrongPassword."""

    def attempt() -> None:
        document, user = _confirm(runtime, caller, current, origin)
        changed = with_password(user, _hash(runtime, new))
        runtime.store.commit(Update(document.ref, account_documents.user_data(changed), document.version))

    until_committed("This account", attempt)


def delete_account(runtime: Runtime, caller: Caller, password: str, origin: Origin) -> None:
    """End the caller's account, its sessions and API tokens. Raises WrongPassword, OwnsProjects."""
    closed = documents.closed_account_ref(caller.user_id)
    is_first = True

    def attempt() -> None:
        nonlocal is_first
        if not is_first and runtime.store.get(closed) is not None:
            return  # an attempt got through although it reported a conflict
        is_first = False
        document, user = _confirm(runtime, caller, password, origin)
        leaving.leave_projects(runtime, user.id)
        # One that is made meanwhile changes the account's document: then all of this is done again.
        api_tokens.delete_all_tokens(runtime, user.id)
        runtime.store.commit(leaving.close_account(runtime, user.id), Delete(document.ref, document.version))

    until_committed("This account", attempt)


def _confirm(runtime: Runtime, caller: Caller, password: str, origin: Origin) -> tuple[Document, User]:
    """The caller's account, its owner having given the password once more: a token may be stolen.

    Raises WrongPassword, or Unauthenticated when the account is gone, so that it shows in a repeat that an
    account's end whose answer was lost has been carried out.
    """
    key = ids.email_key_of(caller.user_id)
    document, is_right = check_password(runtime, key, password, origin.address)
    if document is None or document.data["id"] != caller.user_id:
        raise Unauthenticated("The account of this access token does not exist any more.")
    if not is_right:
        raise WrongPassword
    return document, account_documents.user(document.data)
