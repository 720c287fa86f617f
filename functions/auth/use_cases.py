"""What the auth function does."""

from dataclasses import replace
from datetime import timedelta

from shared import documents, ids, passwords, tokens
from shared.access import Caller
from shared.changing import create
from shared.domain.user import User, normalise_email
from shared.errors import Conflict, EmailTaken, Unauthenticated, WrongCredentials
from shared.ports import Document, Update
from shared.reading import fetch
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
        password_hash=passwords.hash_password(password),
        created_at=runtime.clock(),
    )
    if create(runtime, ref, documents.user_data(user), "This account").data["id"] != user.id:
        raise EmailTaken
    return user


def log_in(runtime: Runtime, email: str, password: str) -> str:
    """An access token. Raises WrongCredentials, after the same work, for an unknown address too."""
    document = runtime.store.get(documents.user_ref(runtime.keys.email_key(normalise_email(email))))
    user = None if document is None else documents.user(document.data)
    if not passwords.check_password(password, None if user is None else user.password_hash):
        raise WrongCredentials
    assert user is not None  # noqa: S101 - no password matches without one
    assert document is not None  # noqa: S101 - likewise
    if passwords.needs_rehash(user.password_hash):
        _rehash(runtime, document, user, password)
    lifetime = timedelta(seconds=runtime.settings.access_token_seconds)
    return tokens.issue(runtime.keys, user.id, ids.new_part(), runtime.clock(), lifetime)


def _rehash(runtime: Runtime, document: Document, user: User, password: str) -> None:
    """Store a hash with today's parameters. Whoever wins a race stores the same password."""
    changed = replace(user, password_hash=passwords.hash_password(password))
    try:
        runtime.store.commit(Update(document.ref, documents.user_data(changed), document.version))
    except Conflict:
        return


def get_user(runtime: Runtime, caller: Caller) -> User:
    """The caller's account. Raises Unauthenticated when it is gone although the token has not expired."""
    ref = documents.user_ref(ids.email_key_of(caller.user_id))
    document = fetch(runtime, [ref], caller).documents.get(ref)
    if document is None or document.data["id"] != caller.user_id:
        raise Unauthenticated("The account of this access token does not exist any more.")
    return documents.user(document.data)
