"""The audit as its readers see it."""

from dataclasses import replace
from typing import Annotated

from pydantic import ConfigDict, Field

from shared import auditing
from shared.access import Caller
from shared.domain.event import Event, Outcome
from shared.domain.roles import Permission
from shared.http.types import PageParameters, ProjectId, Time, UserId, View
from shared.ports import Cursor, Filter, Order, Query
from shared.reading import prove, read_project
from shared.runtime import Runtime


class AuditFilters(PageParameters):
    """Which events to list."""

    project_id: Annotated[str, Field(max_length=100)] | None = Field(
        default=None,
        description="What anybody did in this project, which the caller must own. If left out: what the "
        "caller did anywhere.",
    )
    outcome: Outcome | None = Field(default=None, description="Only this outcome.")


class EventView(View):
    """Something that somebody did, or tried."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["evt-afrghknpxiof7xtq"])
    at: Time
    actor_id: UserId | None = Field(description="The user; null if it is not certain who it was.")
    api_token_id: str | None = Field(description="The API token that it was done with.", examples=[None])
    action: str = Field(
        description="The operation, by its `operationId` in this document.", examples=["edit_project"]
    )
    outcome: Outcome = Field(
        description="`denied`: not known who, not permitted, or not visible. `failed`: not possible."
    )
    code: str | None = Field(description="Of the problem that it was answered with.", examples=[None])
    project_id: ProjectId | None
    object_id: str | None = Field(description="What was made or changed.", examples=["prj-5ven5eaicuhzhih2"])
    request_id: str = Field(examples=["7a7228cbe0574b54830a3ced603db40f"])
    address: str | None = Field(
        description="Where the request came from, as far as it can be believed.", examples=["198.51.100.7"]
    )


def list_events(
    runtime: Runtime, caller: Caller, filters: AuditFilters, after: Cursor | None
) -> tuple[list[Event], Cursor | None]:
    """A page of events, newest first, and where the next one starts."""
    if filters.project_id is None:
        prove(runtime, caller)
        mine = Filter("actor_id", "==", caller.user_id)
    else:
        read_project(runtime, replace(caller, needs=Permission.ADMIN), filters.project_id)
        mine = Filter("project_id", "==", filters.project_id)
    page = runtime.store.find(
        Query("events", (mine,), Order("at", descending=True), filters.page_size, after)
    )
    found = [auditing.event(document.data) for document in page.documents]
    return [one for one in found if _is_shown(one, caller, filters)], page.next


def _is_shown(event: Event, caller: Caller, filters: AuditFilters) -> bool:
    """Whether it passes the filter, and is of the project that the caller's API token is for."""
    return filters.outcome in {None, event.outcome} and caller.bound_to in {None, event.project_id}
