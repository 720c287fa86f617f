"""Shapes of the auth function's requests and answers."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.http.types import Input, Parameters, Time, View

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


class Registration(Input):
    """A new account."""

    email: Email = Field(examples=["test@example.com"])
    password: Password = Field(examples=["secret123"])


class LoginForm(Parameters):
    """OAuth2's password form (RFC 6749, 4.3.2). Its other fields are taken and not used."""

    username: Annotated[str, StringConstraints(max_length=254)] = Field(examples=["test@example.com"])
    password: Annotated[str, StringConstraints(max_length=1_024)] = Field(examples=["secret123"])
    grant_type: Literal["password"] = "password"
    scope: str = ""
    client_id: str = ""
    client_secret: str = ""


class UserView(View):
    """An account."""

    id: str
    email: str = Field(description="Lower-cased whole.")
    created_at: Time


class TokenView(View):
    """An access token: send it as `Authorization: Bearer <access_token>`."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds.")
