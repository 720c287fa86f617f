"""The one operation that every function has."""

from typing import Literal

from shared.http.routes import Answer, Call, Group
from shared.http.types import View
from shared.ports import Ref

PATIENCE_SECONDS = 2.0
"""How long the database may take to answer: whoever asks wants to know how it is now."""

group = Group("health", "Whether the API can do its work")


class HealthView(View):
    """All is well."""

    status: Literal["ok"]


@group.route("GET", "/health", {200: HealthView}, public=True)
def get_health(call: Call) -> Answer:
    """Ask the database and say whether it answers.

    Answers 503 when it doesn't within two seconds. Every function has this operation.
    """
    call.runtime.store.get(Ref("health", "probe"), PATIENCE_SECONDS)
    return Answer(200, HealthView(status="ok"), {"Cache-Control": "no-store"})
