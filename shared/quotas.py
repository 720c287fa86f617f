"""How many of a thing an instance may have. Soft: of several at once that see room for one, all get it."""

from dataclasses import dataclass

from shared.domain.environment import LIVE
from shared.errors import QuotaExceeded
from shared.ports import Filter, Order, Query
from shared.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit, and what has been used of it."""

    limit: int | None
    """None: there is none."""
    used: int


def projects(runtime: Runtime) -> Quota:
    """Projects that have not been deleted."""
    there = Query("projects", (Filter("ended", "==", False),), Order("ended"))
    return Quota(runtime.settings.quota_projects or None, runtime.store.count(there))


def environments(runtime: Runtime) -> Quota:
    """Environments that are live by what is stored: one that has just expired may still count."""
    live = Query("environments", (Filter("status", "in", tuple(sorted(LIVE))),), Order("status"))
    return Quota(runtime.settings.quota_environments or None, runtime.store.count(live))


def refuse_another_project(runtime: Runtime) -> None:
    """Raise QuotaExceeded when the instance has all the projects that it may have."""
    if runtime.settings.quota_projects:  # without one nothing is counted
        _refuse_another(projects(runtime), "projects")


def refuse_another_environment(runtime: Runtime) -> None:
    """Likewise for environments."""
    if runtime.settings.quota_environments:
        _refuse_another(environments(runtime), "live environments")


def _refuse_another(quota: Quota, what: str) -> None:
    if quota.limit is not None and quota.used >= quota.limit:
        raise QuotaExceeded(what, quota.limit, quota.used)
