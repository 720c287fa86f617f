"""Which requests the audit tells of, and what of them."""

from dataclasses import replace

from flask import Request, g

from shared import ids
from shared.access import Caller
from shared.account_errors import WrongCredentials, WrongPassword
from shared.auditing import Audit, AuditedStore, note_refusal, project_in
from shared.domain.event import Event, Outcome
from shared.errors import EnvctlError
from shared.http import problems
from shared.http.origins import origin_of
from shared.http.routes import Route
from shared.runtime import Runtime

_DENIED = {401, 403, 404}


def begin(route: Route, request: Request, runtime: Runtime) -> None:
    """From now on this request has a line in the audit, if it is to change something."""
    if route.method == "GET" or route.internal or not runtime.settings.audit_days:
        return
    named = [one for one in (request.view_args or {}).values() if ids.is_any(one)]
    event = Event(
        id=ids.new_event_id(),
        at=runtime.clock(),
        actor_id=None,
        api_token_id=None,
        action=route.handler.__name__,
        outcome=Outcome.SUCCEEDED,
        code=None,
        project_id=next(filter(None, map(project_in, named)), None),
        object_id=named[-1] if named else None,
        request_id=g.request_id,
        address=origin_of(request, runtime.settings.google).address or None,
    )
    g.audit, g.runtime = Audit(event), runtime


def audited(runtime: Runtime, caller: Caller | None) -> Runtime:
    """The runtime with a store that writes the line with what the request changes."""
    audit: Audit | None = g.get("audit")
    if audit is None:
        return runtime
    if caller is not None:  # nothing is committed before an API token has been looked at
        token = caller.credential
        audit.event = replace(
            audit.event, actor_id=caller.user_id, api_token_id=None if token is None else token.ref.id
        )
    return replace(runtime, store=AuditedStore(runtime.store, audit, runtime.settings.audit_days))


def refuse(fault: EnvctlError) -> None:
    """Write the line of a request that is refused."""
    audit: Audit | None = g.get("audit")
    if audit is None or audit.is_written:
        return
    kind = problems.kind_of(fault)
    denied = kind.status in _DENIED and not isinstance(fault, WrongCredentials | WrongPassword)
    caller: Caller | None = g.get("caller")
    event = audit.event
    if caller is not None and not caller.is_proven:
        event = replace(event, actor_id=None, api_token_id=None)
    if isinstance(fault, WrongCredentials):
        event = replace(event, actor_id=fault.user_id)
    audit.is_written = True
    outcome = Outcome.DENIED if denied else Outcome.FAILED
    note_refusal(g.runtime, replace(event, outcome=outcome, code=kind.code))
