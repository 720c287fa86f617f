"""An instance with virtual time."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from shared import virtual_clock
from shared.config import Settings
from shared.errors import Unavailable
from shared.ports import Write
from shared.times import from_text, to_text
from tests.functions.api import SECRET, Api, Reply
from tests.functions.doubles import START

CLOCK = "/api/v1/simulation/clock"
ADVANCE = f"{CLOCK}/advance"


class VirtualApi(Api):
    """What clients see of it. `clock` is the real one, and stands still too."""

    def __init__(self, home: Path) -> None:
        given = {"home": home, "callback_secret": SECRET, "clock": "virtual"}
        super().__init__(home, Settings.model_validate(given))
        virtual_clock.ensure(self.store.inner, START, str(home))

    def now(self) -> datetime:
        return from_text(self.get(CLOCK)["now"])

    def live(self, seconds: float) -> list[str]:
        """Advance; what the events were."""
        return [f"{event['object']} {event['status']}" for event in self.events({"by": f"PT{seconds:.6f}S"})]

    def events(self, body: Any) -> list[Any]:  # noqa: ANN401 - any JSON value
        return list(self.advanced(body)["settled"])

    def advanced(self, body: Any) -> Reply:  # noqa: ANN401 - likewise
        reply = self.post(ADVANCE, body)
        assert reply.status == 200, reply.body
        return reply


def content(api: Api, made: Sequence[str]) -> list[str]:
    """What the projects' part of the store holds, with numbers for the ids of what was made."""
    rows = api.database.fetch(
        "SELECT body FROM documents WHERE collection IN ('projects', 'environments', 'deployments')"
    )
    numbers = {name: str(number) for number, name in enumerate(made)}
    named = [
        re.sub(r"\w+-[a-z2-7]{16,}", lambda match: numbers.get(match[0], "user"), body) for (body,) in rows
    ]
    return sorted(named)


def at(seconds: float) -> str:
    """A moment after the clock's start, as text."""
    return to_text(START + timedelta(seconds=seconds))


def fail(_writes: Sequence[Write]) -> None:
    """The store's hook for a commit that is not carried out."""
    raise Unavailable("database")
