"""What callers may do, by status: the table that operations ask and objects show as `allowed_actions`."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from shared.domain.environment import EXPIRED, FAILED, PROVISIONING, RUNNING, Environment
from shared.errors import NotPossible


class EnvironmentAction(StrEnum):
    """What may be done with an environment."""

    DEPLOY = "deploy"
    EDIT = "edit"
    EXTEND = "extend"
    RESTORE = "restore"
    DELETE = "delete"


DEPLOY, EDIT, EXTEND, RESTORE, DELETE = EnvironmentAction

ENVIRONMENT_ACTIONS: Mapping[EnvironmentAction, tuple[str, ...]] = {
    DEPLOY: (RUNNING,),
    EDIT: (PROVISIONING, RUNNING, FAILED, EXPIRED),
    EXTEND: (PROVISIONING, RUNNING, FAILED),
    RESTORE: (EXPIRED,),
    DELETE: (PROVISIONING, RUNNING, FAILED, EXPIRED),
}
"""Each action with the statuses in which it is possible."""


def require(action: EnvironmentAction, environment: Environment, now: datetime) -> None:
    """Raise NotPossible in a status that the action is not for."""
    status = environment.status_at(now)
    if status not in ENVIRONMENT_ACTIONS[action]:
        raise NotPossible("environment", environment.id, status, action, ENVIRONMENT_ACTIONS[action])
