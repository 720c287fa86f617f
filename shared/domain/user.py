"""A user: somebody, or some CI job, with an e-mail address and a password."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class User:
    """A user's document."""

    id: str
    email: str
    """Lower-cased whole."""
    password_hash: str
    created_at: datetime
    generation: int = 0
    """How often all sessions have been ended at once: those of another generation are over."""
    api_tokens_made: int = 0
    """How many API tokens it has made. Each changes the document, so that the account's end, which is
    fenced by it, overlooks none."""
    times_added: int = 0
    """How often it has been made a member of a project by others; likewise."""


def change_password(user: User, password_hash: str) -> User:
    """The user with another password. Whoever is logged in must log in again."""
    return replace(end_sessions(user), password_hash=password_hash)


def end_sessions(user: User) -> User:
    """The user, logged out everywhere."""
    return replace(user, generation=user.generation + 1)


def make_api_token(user: User) -> User:
    """The user with an API token more."""
    return replace(user, api_tokens_made=user.api_tokens_made + 1)


def add_to_project(user: User) -> User:
    """The user, a member of a project more."""
    return replace(user, times_added=user.times_added + 1)


def normalise_email(email: str) -> str:
    """The one spelling of an address under which an account exists.

    Addresses are ASCII. Other letters stay: some, like the Kelvin sign, have an ASCII lower case.
    """
    return email.lower() if email.isascii() else email
