"""Sessions: refresh tokens that are used once, and what ends them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from functions.auth import stored
from shared import account_documents, documents, ids, log, secret_tokens, tokens
from shared.access import Caller
from shared.account_errors import InvalidRefreshToken
from shared.auditing import unaudited
from shared.changing import create, until_committed
from shared.domain import session as sessions
from shared.domain.session import Lifetime, Session, Use
from shared.domain.user import User, end_sessions
from shared.errors import NotFound, Unauthenticated
from shared.ports import Cursor, Delete, Document, Filter, Order, Page, Query, Update
from shared.reading import fetch
from shared.runtime import Runtime

PREFIX = "envctl_r_"


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """What a login or a refresh gives. Its repr shows nothing of it."""

    access_token: str
    refresh_token: str
    session: Session
    now: datetime


def begin_session(runtime: Runtime, user: User, user_agent: str | None) -> Signed:
    """A new session of an account whose password was right."""
    session_id = ids.new_session_id(user.id)
    token = secret_tokens.new_token(PREFIX, session_id[4:])
    now = runtime.clock()
    token_hash = secret_tokens.hash_of(token)
    session = sessions.begin(
        session_id, user.id, user.generation, token_hash, user_agent, now, _lifetime(runtime)
    )
    create(runtime, documents.session_ref(session.id), stored.session_data(session), "This session")
    return _sign(runtime, session, token, now)


def refresh_session(runtime: Runtime, token: str) -> Signed:
    """The session's next tokens. Raises InvalidRefreshToken, and ends the session if the token is a copy.

    Of two that present one token at once both get the same successor: it is made of the token, and the
    one who loses the race finds that it was used a moment ago.
    """
    session_id = _session_of(token)
    successor = secret_tokens.make_token(PREFIX, session_id[4:], runtime.keys.refresh_secret(token))

    def attempt() -> Signed:
        document, session, now = _read_living(runtime, session_id)
        use = sessions.judge(session, secret_tokens.hash_of(token), now)
        if use is Use.COPIED:
            unaudited(runtime.store).commit(Delete(document.ref, document.version))
            log.write("WARNING", "a refresh token was used again; its session has ended", session=session.id)
            raise InvalidRefreshToken
        if use is Use.NEXT:
            session = sessions.rotate(session, secret_tokens.hash_of(successor), now, _lifetime(runtime))
            runtime.store.commit(Update(document.ref, stored.session_data(session), document.version))
        return _sign(runtime, session, successor, now)

    return until_committed("This session", attempt)


def end_session_of(runtime: Runtime, token: str) -> None:
    """End the session that a refresh token is of, also if it has been used. Any other text: nothing."""
    try:
        session_id = _session_of(token)
    except InvalidRefreshToken:
        return
    _end(runtime, session_id, lambda _: True)


def end_session(
    runtime: Runtime, caller: Caller, session_id: str, matching: Callable[[Session], None]
) -> None:
    """End one of the caller's sessions. Raises NotFound for anything else, PreconditionFailed."""

    def may(session: Session) -> bool:
        if session.user_id != caller.user_id:
            return False
        matching(session)
        return True

    if not ids.is_id("ses", session_id) or not _end(runtime, session_id, may):
        raise NotFound("session", session_id)


def end_all_sessions(runtime: Runtime, caller: Caller) -> None:
    """End all the caller's sessions at once: they are of a generation that is over."""

    def attempt() -> None:
        document, user = read_account(runtime, caller)
        runtime.store.commit(
            Update(document.ref, account_documents.user_data(end_sessions(user)), document.version)
        )

    until_committed("This account", attempt)


def list_sessions(runtime: Runtime, caller: Caller, limit: int, after: Cursor | None) -> Page:
    """A page of the caller's sessions, newest first; among them may be some that have expired."""
    _, user = read_account(runtime, caller)
    where = (Filter("user_id", "==", user.id), Filter("generation", "==", user.generation))
    return runtime.store.find(Query("sessions", where, Order("created_at", descending=True), limit, after))


def read_account(runtime: Runtime, caller: Caller) -> tuple[Document, User]:
    """The caller's account. Raises Unauthenticated when it is gone although the token has not expired."""
    ref = documents.user_ref(ids.email_key_of(caller.user_id))
    document = fetch(runtime, [ref], caller).documents.get(ref)
    if document is None or document.data["id"] != caller.user_id:
        raise Unauthenticated("The account of this access token does not exist any more.")
    return document, account_documents.user(document.data)


def _read_living(runtime: Runtime, session_id: str) -> tuple[Document, Session, datetime]:
    """A session that has not ended in any way, and the moment. Raises InvalidRefreshToken."""
    now = runtime.clock()
    refs = [documents.session_ref(session_id), documents.user_ref(ids.email_key_of(session_id))]
    document, account = runtime.store.get_many(refs)
    if document is None or account is None:
        raise InvalidRefreshToken
    session, user = stored.session(document.data), account_documents.user(account.data)
    if (session.user_id, session.generation) != (user.id, user.generation) or now >= session.expires_at:
        raise InvalidRefreshToken
    return document, session, now


def _end(runtime: Runtime, session_id: str, may: Callable[[Session], bool]) -> bool:
    """Whether there was such a session, and it may be ended. Now there is none."""

    def attempt() -> bool:
        document = runtime.store.get(documents.session_ref(session_id))
        if document is None or not may(stored.session(document.data)):
            return False
        runtime.store.commit(Delete(document.ref, document.version))
        return True

    return until_committed("This session", attempt)


def _sign(runtime: Runtime, session: Session, refresh_token: str, now: datetime) -> Signed:
    lifetime = timedelta(seconds=runtime.settings.access_token_seconds)
    access_token = tokens.issue(runtime.keys, session.user_id, ids.new_part(), now, lifetime)
    return Signed(access_token, refresh_token, session, now)


def _session_of(token: str) -> str:
    """The id in a refresh token."""
    name = secret_tokens.name_in(PREFIX, token)
    if name is None or not ids.is_id("ses", session_id := f"ses-{name}"):
        raise InvalidRefreshToken
    return session_id


def _lifetime(runtime: Runtime) -> Lifetime:
    settings = runtime.settings
    return Lifetime(timedelta(hours=settings.session_idle_hours), timedelta(hours=settings.session_hours))
