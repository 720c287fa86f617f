"""In the place of calls over HTTP."""

import json
from collections.abc import Mapping
from typing import Any


class FakeSend:
    """Answers with a status or raises, and writes down the calls."""

    def __init__(self, outcome: int | Exception = 200) -> None:
        self.outcome = outcome
        self.calls: list[tuple[str, Mapping[str, Any], Mapping[str, str]]] = []

    def __call__(self, path: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> int:
        json.dumps(payload)  # what can't be sent must fail here too
        self.calls.append((path, payload, headers))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome
