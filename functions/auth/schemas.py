"""Shapes of the auth function's requests and answers."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.domain.roles import Permission
from shared.http.types import Input, Name, Parameters, ProjectId, Resource, Time, UserId, View

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
EMAIL = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")
"""What HTML's `<input type=email>` accepts (WHATWG), so that a form and the API agree."""


def _email(text: str) -> str:
    if not EMAIL.fullmatch(text):
        raise PydanticCustomError("email", "must be an e-mail address")
    return text


Email = Annotated[
    str,
    StringConstraints(max_length=254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]
_BELOW_ACCOUNT = "nyvgepnhsxc73e6y5uadkfddrjunjkevmb4vsbexz5kxoqy4tchv5mwhzrj2wq6e"
TokenId = Annotated[str, Field(examples=[f"tok-{_BELOW_ACCOUNT}"])]


class Registration(Input):
    """A new account."""

    email: Email = Field(examples=["test@example.com"])
    password: Password = Field(examples=["secret123"])


class LoginForm(Parameters):
    """OAuth2's password form (RFC 6749, 4.3.2). Its other fields are taken and not used."""

    username: Annotated[str, StringConstraints(max_length=254)] = Field(examples=["test@example.com"])
    password: Annotated[str, StringConstraints(max_length=1_024)] = Field(examples=["secret123"])
    grant_type: Literal["password"] = Field(default="password", examples=["password"])
    scope: str = Field(default="", examples=[""])
    client_id: str = Field(default="", examples=[""])
    client_secret: str = Field(default="", examples=[""])


class RefreshToken(Input):
    """The refresh token of a session."""

    refresh_token: Annotated[str, StringConstraints(max_length=1_024)] = Field(
        examples=["envctl_r_…"], description="From the login, or from the refresh before."
    )


class NewPassword(Input):
    """Another password, and the one until now."""

    current_password: Annotated[str, StringConstraints(max_length=1_024)] = Field(examples=["secret123"])
    new_password: Password = Field(examples=["another secret"])


class Confirmation(Input):
    """The account's password once more: an access token may be stolen."""

    password: Annotated[str, StringConstraints(max_length=1_024)] = Field(examples=["secret123"])


class UserView(View):
    """An account."""

    id: UserId
    email: str = Field(description="Lower-cased whole.", examples=["test@example.com"])
    created_at: Time


class TokenView(View):
    """An access token: send it as `Authorization: Bearer <access_token>`."""

    access_token: str = Field(examples=["eyJ…"])
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds.", examples=[900])
    refresh_token: str = Field(
        description="For the next access token, at /api/v1/auth/refresh. Used once.",
        examples=["envctl_r_…"],
    )
    refresh_expires_in: int = Field(
        description="Seconds until the session ends if nobody refreshes.", examples=[1_209_600]
    )


class SessionView(Resource):
    """A session: somebody who has logged in, and can go on without the password."""

    id: str = Field(examples=[f"ses-{_BELOW_ACCOUNT}"])
    user_agent: str | None = Field(
        description="What the program that logged in calls itself.", examples=["curl/8.5.0"]
    )
    created_at: Time
    last_used_at: Time = Field(description="When it was refreshed last.")
    expires_at: Time


def _a_set(scopes: tuple[Permission, ...]) -> tuple[Permission, ...]:
    if not scopes or len(set(scopes)) < len(scopes):
        raise PydanticCustomError("scopes", "must name at least one scope, and none twice")
    return scopes


Scopes = Annotated[
    tuple[Annotated[Permission, Field(strict=False)], ...],
    Field(strict=False, json_schema_extra={"minItems": 1, "uniqueItems": True}),
    AfterValidator(_a_set),
]


class NewApiToken(Input):
    """An API token to create."""

    name: Name = Field(examples=["deploy from CI"])
    scopes: Scopes = Field(
        description="What it may do: `read`; `deploy`, which includes it: environments and deployments; "
        "`admin`, which includes both: projects themselves and their members.",
        examples=[["deploy"]],
    )
    project_id: str | None = Field(
        default=None, description="The only project that it sees; all of yours if left out.", examples=[None]
    )
    expires_in_days: Annotated[float, Field(gt=0, le=365, allow_inf_nan=False)] = Field(
        default=90, examples=[30]
    )


class ApiTokenView(Resource):
    """An API token, without what was shown once."""

    id: TokenId
    name: str = Field(examples=["deploy from CI"])
    scopes: list[Permission]
    project_id: ProjectId | None
    created_at: Time
    expires_at: Time
    last_used_at: Time | None = Field(description="To the hour.", examples=[None])


class NewApiTokenView(View):
    """A new API token: send `token` as `Authorization: Bearer <token>`. It is not shown again."""

    id: TokenId
    token: str = Field(examples=["envctl_…"])
    name: str = Field(examples=["deploy from CI"])
    scopes: list[Permission]
    project_id: ProjectId | None
    created_at: Time
    expires_at: Time
    last_used_at: Time | None = Field(examples=[None])
