"""Routes of the auth function."""

from functions.auth import use_cases
from functions.auth.schemas import LoginForm, Registration, TokenView, UserView
from shared.domain.roles import Permission
from shared.domain.user import User
from shared.errors import EmailTaken, WrongCredentials
from shared.http.routes import Answer, Call, Group

group = Group("auth", "Accounts and access tokens")


def _view(user: User) -> UserView:
    return UserView(id=user.id, email=user.email, created_at=user.created_at)


@group.route("POST", "/auth/register", {201: UserView}, refusals=(EmailTaken,), public=True)
def register(call: Call, body: Registration) -> Answer:
    """Register an account.

    The address is lower-cased; one address has one account. Log in afterwards for a token.
    """
    user = use_cases.register_user(call.runtime, body.email, body.password)
    return Answer(201, _view(user), {"Location": "/api/v1/auth/me", "Cache-Control": "no-store"})


@group.route("POST", "/auth/login", {200: TokenView}, refusals=(WrongCredentials,), public=True)
def login(call: Call, form: LoginForm) -> Answer:
    """Log in with e-mail and password.

    Takes OAuth2's password form; the e-mail address is its `username`.
    """
    token = use_cases.log_in(call.runtime, form.username, form.password)
    seconds = call.runtime.settings.access_token_seconds
    view = TokenView(access_token=token, token_type="bearer", expires_in=seconds)  # noqa: S106 - its type, not a secret
    return Answer(200, view, {"Cache-Control": "no-store"})


@group.route("GET", "/auth/me", {200: UserView}, needs=Permission.READ)
def get_me(call: Call) -> Answer:
    """Show the account that the token belongs to."""
    return Answer(200, _view(use_cases.get_user(call.runtime, call.caller)))
