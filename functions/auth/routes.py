"""Routes of the auth function."""

from functions.auth import sessions, stored, use_cases
from functions.auth.schemas import (
    Confirmation,
    LoginForm,
    NewPassword,
    RefreshToken,
    Registration,
    SessionView,
    TokenView,
    UserView,
)
from functions.auth.sessions import Signed
from shared.account_errors import (
    EmailTaken,
    InvalidRefreshToken,
    OwnsProjects,
    TooManyAttempts,
    TooManyLogins,
    WrongCredentials,
    WrongPassword,
)
from shared.domain.roles import Permission
from shared.domain.session import Session
from shared.domain.user import User
from shared.errors import BadPageToken, Contended
from shared.http import pages
from shared.http.answers import represent
from shared.http.routes import Answer, Call, Group, Representation
from shared.http.types import Nothing, PageParameters

group = Group("auth", "Accounts, sessions and access tokens")

_NEVER_STORED = {"Cache-Control": "no-store"}


def _view(user: User) -> UserView:
    return UserView(id=user.id, email=user.email, created_at=user.created_at)


def _answer(call: Call, signed: Signed) -> Answer:
    view = TokenView(
        access_token=signed.access_token,
        token_type="bearer",  # noqa: S106 - its type, not a secret
        expires_in=call.runtime.settings.access_token_seconds,
        refresh_token=signed.refresh_token,
        refresh_expires_in=int((signed.session.expires_at - signed.now).total_seconds()),
    )
    return Answer(200, view, _NEVER_STORED)


@group.route("POST", "/auth/register", {201: UserView}, refusals=(EmailTaken, TooManyLogins), public=True)
def register(call: Call, body: Registration) -> Answer:
    """Register an account.

    The address is lower-cased; one address has one account. Log in afterwards for a token.
    """
    user = use_cases.register_user(call.runtime, body.email, body.password)
    return Answer(201, _view(user), {"Location": "/api/v1/auth/me", **_NEVER_STORED})


@group.route(
    "POST",
    "/auth/login",
    {200: TokenView},
    refusals=(WrongCredentials, TooManyAttempts, TooManyLogins),
    public=True,
)
def login(call: Call, form: LoginForm) -> Answer:
    """Log in with e-mail and password.

    Takes OAuth2's password form; the e-mail address is its `username`. Begins a session. After some wrong
    passwords the next attempt must wait: a second, then longer, a minute at most.
    """
    return _answer(call, use_cases.log_in(call.runtime, form.username, form.password, call.origin))


@group.route(
    "POST", "/auth/refresh", {200: TokenView}, refusals=(InvalidRefreshToken, Contended), public=True
)
def refresh(call: Call, body: RefreshToken) -> Answer:
    """Go on with a session: a new access token, and the next refresh token.

    A refresh token is used once. Used again within 30 seconds it is answered with the same successor, in case
    the answer was lost; later than that it ends the session, because somebody has a copy.
    """
    return _answer(call, sessions.refresh_session(call.runtime, body.refresh_token))


@group.route("POST", "/auth/logout", {204: None}, refusals=(Contended,), public=True)
def logout(call: Call, body: RefreshToken) -> Answer:
    """End a session.

    Any refresh token of the session ends it. A token that is none, or of a session that has ended, is
    answered alike. Access tokens stay valid until they expire.
    """
    sessions.end_session_of(call.runtime, body.refresh_token)
    return Answer(204)


@group.route("POST", "/auth/logout-everywhere", {204: None}, refusals=(Contended,))
def logout_everywhere(call: Call, body: Nothing) -> Answer:  # noqa: ARG001 - that it is empty
    """End all sessions of the account.

    Access tokens stay valid until they expire.
    """
    sessions.end_all_sessions(call.runtime, call.caller)
    return Answer(204)


@group.route("GET", "/auth/sessions", {200: list[SessionView]}, refusals=(BadPageToken,))
def list_sessions(call: Call, query: PageParameters) -> Answer:
    """List the account's sessions, newest first.

    A page may be short.
    """
    after = pages.start(call, query)
    page = sessions.list_sessions(call.runtime, call.caller, query.page_size, after)
    now = call.runtime.clock()
    found = [stored.session(document.data) for document in page.documents]
    return pages.page(call, [_session(session) for session in found if now < session.expires_at], page.next)


def _session(session: Session) -> Representation:
    return represent(
        SessionView,
        id=session.id,
        user_agent=session.user_agent,
        created_at=session.created_at,
        last_used_at=session.last_used_at,
        expires_at=session.expires_at,
    )


@group.route("DELETE", "/auth/sessions/{session_id}", {204: None}, conditional=True)
def end_session(call: Call, session_id: str) -> Answer:
    """End one of the account's sessions.

    Its access token stays valid until it expires.
    """
    sessions.end_session(
        call.runtime, call.caller, session_id, lambda session: call.require_match(lambda: _session(session))
    )
    return Answer(204)


@group.route(
    "POST", "/auth/password", {204: None}, refusals=(WrongPassword, TooManyAttempts, TooManyLogins, Contended)
)
def change_password(call: Call, body: NewPassword) -> Answer:
    """Change the password.

    Ends all sessions: log in again. Wrong passwords are throttled as at the login.
    """
    use_cases.change_password(
        call.runtime, call.caller, body.current_password, body.new_password, call.origin
    )
    return Answer(204)


@group.route("GET", "/auth/me", {200: UserView}, needs=Permission.READ)
def get_me(call: Call) -> Answer:
    """Show the account that the token belongs to."""
    return Answer(200, _view(sessions.read_account(call.runtime, call.caller)[1]))


@group.route(
    "POST",
    "/auth/me/delete",
    {204: None},
    refusals=(WrongPassword, TooManyAttempts, TooManyLogins, OwnsProjects, Contended),
)
def delete_me(call: Call, body: Confirmation) -> Answer:
    """Delete the account.

    Its sessions and API tokens end, and it leaves the projects that others own too. Refused while it is the
    only owner of any: delete those, or give them another owner, first. The address may register again, as
    somebody else.
    """
    use_cases.delete_account(call.runtime, call.caller, body.password, call.origin)
    return Answer(204)
