"""Leases as requests ask for them."""

from datetime import datetime

from functions.environments.schemas import NewEnvironment, NewLease
from shared.domain.environment import EnvironmentType
from shared.domain.lease import Lease
from shared.errors import Fault, InvalidInput
from shared.runtime import Runtime


def first(runtime: Runtime, new: NewEnvironment) -> Lease | None:
    """The lease of a new environment; None for a persistent one. Raises InvalidInput."""
    wishes = {"ttl_hours": new.ttl_hours, "expires_at": new.expires_at}
    given = {name: wish for name, wish in wishes.items() if wish is not None}
    if new.type == EnvironmentType.PERSISTENT:
        if given:
            detail = "must be left out: a persistent environment does not expire"
            raise InvalidInput([Fault(f"/{name}", detail) for name in given])
        return None
    if len(given) > 1:
        raise InvalidInput([Fault("/expires_at", "must be left out where ttl_hours is given")])
    default = ("ttl_hours", runtime.settings.default_ttl_hours)
    return _lease(runtime, *next(iter(given.items()), default))


def another(runtime: Runtime, new: NewLease) -> Lease:
    """The lease of an environment that has had one. Raises InvalidInput."""
    if new.hours is not None and new.until is not None:
        raise InvalidInput([Fault("/until", "must be left out where hours is given")])
    if new.until is not None:
        return _lease(runtime, "until", new.until)
    if new.hours is None:
        raise InvalidInput([Fault("/hours", "is required, or until")])
    return _lease(runtime, "hours", new.hours)


def _lease(runtime: Runtime, field: str, wish: float | datetime) -> Lease:
    return Lease(field, wish, runtime.settings.maximum_ttl_hours, runtime.settings.speed)
