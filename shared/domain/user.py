"""A user: somebody, or some CI job, with an e-mail address and a password."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class User:
    """A user's document."""

    id: str
    email: str
    """Lower-cased whole."""
    password_hash: str
    created_at: datetime


def normalise_email(email: str) -> str:
    """The one spelling of an address under which an account exists.

    Addresses are ASCII. Other letters stay: some, like the Kelvin sign, have an ASCII lower case.
    """
    return email.lower() if email.isascii() else email
