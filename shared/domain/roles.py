"""What members of a project and API tokens may do: two tables over one ladder of permissions."""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Permission(StrEnum):
    """What may be done, the least first. They are an API token's scopes too."""

    READ = "read"
    DEPLOY = "deploy"
    ADMIN = "admin"


class Role(StrEnum):
    """What somebody is in a project."""

    VIEWER = "viewer"
    DEPLOYER = "deployer"
    OWNER = "owner"


Permissions = frozenset[Permission]

SCOPES: Mapping[Permission, Permissions] = {
    Permission.READ: frozenset({Permission.READ}),
    Permission.DEPLOY: frozenset({Permission.READ, Permission.DEPLOY}),
    Permission.ADMIN: frozenset({Permission.READ, Permission.DEPLOY, Permission.ADMIN}),
}
"""What a scope gives: itself and the lesser ones."""

ROLES: Mapping[Role, Permissions] = {
    Role.VIEWER: SCOPES[Permission.READ],
    Role.DEPLOYER: SCOPES[Permission.DEPLOY],
    Role.OWNER: SCOPES[Permission.ADMIN],
}
"""What a role gives."""


def given_by(scopes: Iterable[Permission]) -> Permissions:
    """What several scopes give together."""
    return frozenset().union(*(SCOPES[scope] for scope in scopes))
