"""Routes of the tasks function. Only the platform may call them."""

from functions.tasks.schemas import SettleTask, SettleView, SweepTask, SweepView
from functions.tasks.sweeping import sweep
from shared.domain.aggregate import replan
from shared.domain.operations import repair
from shared.http.routes import Answer, Call, Group
from shared.ports import Ref
from shared.settling import settle
from shared.times import from_text

group = Group("tasks", "The platform's own callbacks", keys=[])


@group.route("POST", "/tasks/settle", {200: SettleView}, internal=True)
def settle_document(call: Call, body: SettleTask) -> Answer:
    """Carry out what has come due on one document."""
    ref = Ref(body.collection, body.id)
    decide = repair if body.repair else replan
    outcome = settle(call.runtime, ref, from_text(body.due_at), body.deployments, decide)
    call.noted.update(collection=body.collection, id=body.id, due_at=body.due_at, outcome=outcome)
    return Answer(200, SettleView(outcome=outcome.value))


@group.route("POST", "/tasks/sweep", {200: SweepView}, internal=True)
def sweep_overdue(call: Call, body: SweepTask) -> Answer:
    """Enqueue tasks for documents that are overdue: the cure for tasks that got lost."""
    swept = sweep(call.runtime, body)
    call.noted.update(woken=swept.woken, reached=swept.reached, complete=swept.complete)
    return Answer(200, SweepView(woken=swept.woken, reached=swept.reached, complete=swept.complete))
