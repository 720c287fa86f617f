"""The one place that decides what a caller may see and do.

A request says what it needs (its route does). A member has what the role in the project gives; whoever
comes with an API token has of that what the token's scopes give, in the project that it is bound to.
"""

from dataclasses import dataclass

from shared.api_tokens import Credential
from shared.domain.api_token import ApiToken
from shared.domain.project import Project
from shared.domain.roles import ROLES, Permission, given_by
from shared.errors import Forbidden, NotFound, Unauthenticated


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, and what it needs."""

    user_id: str
    needs: Permission = Permission.READ
    credential: Credential | None = None
    """The API token that the request came with; None when it came with a login's access token."""

    @property
    def is_proven(self) -> bool:
        """Whether it is certain that this is the caller."""
        return self.credential is None or self.credential.proven is not None

    @property
    def bound_to(self) -> str | None:
        """The one project that the caller's API token is for."""
        return None if self.credential is None else _proven(self.credential).project_id


def visible_project(project: Project | None, caller: Caller, kind: str, object_id: str) -> Project:
    """The project, if the caller is a member of it, it has not ended, and the request is permitted there.

    What the caller may not see is NotFound in the name of what was asked for: it doesn't exist. Forbidden
    is what may be seen only.
    """
    if project is None or project.ended_at is not None or caller.user_id not in project.roles:
        raise NotFound(kind, object_id)
    if caller.bound_to not in {None, project.id}:
        raise NotFound(kind, object_id)
    role = project.roles[caller.user_id]
    if caller.needs not in ROLES[role]:
        enough = " or ".join(name for name, given in ROLES.items() if caller.needs in given)
        raise Forbidden(f"the role {enough}", f"the role {role}")
    _permit_by_scopes(caller)
    return project


def permit_beyond_projects(caller: Caller) -> None:
    """Raise Forbidden for an API token that is for one project, or whose scopes don't give what is needed."""
    if caller.bound_to is not None:
        raise Forbidden("an API token for all projects", "one for a single project")
    _permit_by_scopes(caller)


def _permit_by_scopes(caller: Caller) -> None:
    if caller.credential is None:
        return
    scopes = _proven(caller.credential).scopes
    if caller.needs not in given_by(scopes):
        raise Forbidden(f"the permission {caller.needs}", f"an API token for {', '.join(scopes)}")


def _proven(credential: Credential) -> ApiToken:
    """What is known of an API token. One that nobody has looked up may nothing."""
    if credential.proven is None:
        raise Unauthenticated("The API token was not looked at.")
    return credential.proven
