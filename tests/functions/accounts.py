"""Accounts with a password, their logins and sessions."""

from collections.abc import Callable

from functions.auth.sessions import Signed, begin_session
from shared import account_documents, documents
from shared.domain.user import User
from shared.ports import Create
from tests.functions.api import KEYS, PASSWORD, PASSWORD_HASH, Api, Reply
from tests.functions.doubles import START


def account(api: Api, email: str) -> User:
    """A new account with the password."""
    key = KEYS.email_key(email)
    user = User(f"usr-{key}{'a' * 16}", email, PASSWORD_HASH, START)
    api.store.inner.commit(Create(documents.user_ref(key), account_documents.user_data(user)))
    return user


def register(api: Api, email: str, password: str = PASSWORD) -> Reply:
    return api.post("/api/v1/auth/register", {"email": email, "password": password}, token=None)


def login(api: Api, username: str, password: str = PASSWORD, *, address: str = "", **more: str) -> Reply:
    """Log in from an address of the network."""
    form = {"username": username, "password": password, **more}
    where = {"environ_base": {"REMOTE_ADDR": address}} if address else {}
    return api.post("/api/v1/auth/login", token=None, data=form, **where)


def session(api: Api, user: User) -> Signed:
    """A new session, without the work of checking a password."""
    return begin_session(api.runtime, user, None)


def refresh(api: Api, token: str) -> Reply:
    return api.post("/api/v1/auth/refresh", {"refresh_token": token}, token=None)


def logout(api: Api, token: str) -> Reply:
    return api.post("/api/v1/auth/logout", {"refresh_token": token}, token=None)


def is_refused(reply: Reply) -> bool:
    return (reply.status, reply.body.get("type")) == (401, "urn:envctl:problem:invalid_refresh_token")


def stored_sessions(api: Api) -> list[str]:
    return [key for key, *_ in api.content() if key.startswith("sessions/")]


def meanwhile(api: Api, act: Callable[[], Reply]) -> None:
    """Have somebody else do something just before the next commit."""

    def hook(_: object) -> None:
        assert act().status < 300

    api.store.before_commit.append(hook)
