"""What callers may do, by status: the table that operations ask and objects show as `allowed_actions`."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from shared.domain import deployment as deployments
from shared.domain.deployment import Deployment
from shared.domain.environment import EXPIRED, FAILED, PROVISIONING, RUNNING, Environment
from shared.errors import NotPossible


class EnvironmentAction(StrEnum):
    """What may be done with an environment."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    EDIT = "edit"
    EXTEND = "extend"
    RESTORE = "restore"
    RETRY = "retry"
    DELETE = "delete"


class DeploymentAction(StrEnum):
    """What may be done with a deployment."""

    CANCEL = "cancel"


DEPLOY, ROLLBACK, EDIT, EXTEND, RESTORE, RETRY, DELETE = EnvironmentAction
(CANCEL,) = DeploymentAction

ENVIRONMENT_ACTIONS: Mapping[EnvironmentAction, tuple[str, ...]] = {
    DEPLOY: (RUNNING,),
    ROLLBACK: (RUNNING,),
    EDIT: (PROVISIONING, RUNNING, FAILED, EXPIRED),
    EXTEND: (PROVISIONING, RUNNING, FAILED),
    RESTORE: (EXPIRED,),
    RETRY: (FAILED,),
    DELETE: (PROVISIONING, RUNNING, FAILED, EXPIRED),
}
"""Each action with the statuses in which it is possible."""

DEPLOYMENT_ACTIONS: Mapping[DeploymentAction, tuple[str, ...]] = {
    CANCEL: (deployments.PENDING, deployments.RUNNING),
}
"""Likewise."""


def require(action: EnvironmentAction, environment: Environment, now: datetime) -> None:
    """Raise NotPossible in a status that the action is not for."""
    status, possible = environment.status_at(now), ENVIRONMENT_ACTIONS[action]
    if status not in possible:
        raise NotPossible("environment", environment.id, status, action, possible)


def require_of_deployment(action: DeploymentAction, deployment: Deployment, now: datetime) -> None:
    """Likewise."""
    status, possible = deployment.status_at(now), DEPLOYMENT_ACTIONS[action]
    if status not in possible:
        raise NotPossible("deployment", deployment.id, status, action, possible)


def environment_actions(environment: Environment, now: datetime) -> list[EnvironmentAction]:
    """What may be done with an environment at a moment.

    A rollback is there if no target need be named; with one it may be possible all the same.
    """
    status = environment.status_at(now)
    possible = [action for action, statuses in ENVIRONMENT_ACTIONS.items() if status in statuses]
    return [action for action in possible if not _is_ruled_out(action, environment, now)]


def _is_ruled_out(action: EnvironmentAction, environment: Environment, now: datetime) -> bool:
    """Whether it is not for this one, in whatever status."""
    match action:
        case EnvironmentAction.EXTEND:
            return environment.expires_at is None
        case EnvironmentAction.RESTORE:
            return environment.has_failed(now)
        case EnvironmentAction.ROLLBACK:
            return environment.rollback_target_at(now) is None
    return False


def deployment_actions(deployment: Deployment, now: datetime) -> list[DeploymentAction]:
    """What may be done with a deployment at a moment."""
    status = deployment.status_at(now)
    return [action for action, statuses in DEPLOYMENT_ACTIONS.items() if status in statuses]
