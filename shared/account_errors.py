"""What can be wrong with accounts and members. As `shared.errors`, by its rules."""

from collections.abc import Sequence
from datetime import timedelta

from shared.errors import EnvctlError


class WrongCredentials(EnvctlError):
    """E-mail and password don't belong together. It doesn't say which is wrong."""

    def __init__(self, user_id: str | None = None) -> None:
        self.user_id = user_id
        """Whose account it is, if there is one: for the audit, never for the answer."""
        super().__init__("The e-mail address or the password is wrong.")


class WrongPassword(EnvctlError):
    """The password that an account's owner must give once more is not the account's."""

    def __init__(self) -> None:
        super().__init__("The password is wrong.")


class TooManyAttempts(EnvctlError):
    """So many wrong passwords came that the next one isn't looked at. Unknown accounts' count too."""

    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__("Too many wrong passwords. Wait as long as Retry-After says, and try again.")


class TooManyLogins(EnvctlError):
    """So many requests are at a password at once that one more would keep others from being served."""

    def __init__(self) -> None:
        self.retry_after = timedelta(seconds=1)
        super().__init__("Too many are logging in at the moment. Try again shortly.")


class InvalidRefreshToken(EnvctlError):
    """A refresh token that is none, or whose session has ended: which of them, it doesn't say."""

    def __init__(self) -> None:
        super().__init__(
            "The refresh token is not valid, or not any more. Log in again at /api/v1/auth/login."
        )


class OwnsProjects(EnvctlError):
    """An account can't be deleted while projects have no other owner. `more` are not named."""

    def __init__(self, project_ids: Sequence[str], more: int) -> None:
        named = ", ".join(project_ids) + (f" and {more} more" if more else "")
        super().__init__(f"Only this account owns {named}. Delete them, or give them another owner, first.")


class TooManyApiTokens(EnvctlError):
    """An account has as many API tokens as it may, and none of them has expired."""

    def __init__(self, most: int) -> None:
        super().__init__(f"This account has {most} API tokens, the most it may have. Delete one first.")


class EmailTaken(EnvctlError):
    """Somebody has registered with this address."""

    def __init__(self) -> None:
        super().__init__("This e-mail address is registered already. Log in instead.")


class AlreadyMember(EnvctlError):
    """Somebody is to be added to a project that they belong to."""

    def __init__(self, email: str, project_id: str, role: str) -> None:
        super().__init__(f"{email} is a member of project {project_id} already, as {role}.")


class LastOwner(EnvctlError):
    """A project would be left without an owner."""

    def __init__(self, project_id: str) -> None:
        super().__init__(f"Project {project_id} has no other owner. Make somebody else an owner first.")


class TooManyMembers(EnvctlError):
    """A project has as many members as it may."""

    def __init__(self, project_id: str, most: int) -> None:
        super().__init__(f"Project {project_id} has {most} members, the most it may have.")
