"""What schemathesis calls while it runs: who sends a request, what is counted, and what is no failure."""
# ruff: noqa: ANN401 - schemathesis's own types are not there when types are checked

from collections import Counter
from functools import partial
from itertools import cycle
from typing import Any

import schemathesis  # type: ignore[import-not-found,unused-ignore]
from schemathesis.cli import EventHandler, handler  # type: ignore[import-not-found,unused-ignore]
from schemathesis.engine import observations  # type: ignore[import-not-found,unused-ignore]

from tests.fuzz.exempt import exempt
from tests.fuzz.instance import Callers
from tests.fuzz.tally import Tally

ENDS_ITS_CALLER = {"delete_me", "change_password", "logout_everywhere"}
LONGEST_WAIT = 0.2


class Watch:
    """Sees every request of a round."""

    def __init__(self, tally: Tally, callers: Callers) -> None:
        self._tally = tally
        self._callers = callers
        self._ready = {
            "restore_environment": cycle(callers.opened_with("ttl_hours")),  # they have expired
            "retry_environment": cycle(callers.opened_with("simulation")),  # they have failed
        }
        self._turn: Counter[str] = Counter()

    def before_call(self, context: Any, case: Any, kwargs: Any) -> None:
        """Send what ends its caller as somebody who may end, and have no wait last.

        Every other time ask for what is hardly ever possible where it is.
        """
        del context, kwargs
        name = case.operation.definition.raw["operationId"]
        token = str(case.headers.get("Authorization", "")).removeprefix("Bearer ")
        if name in ENDS_ITS_CALLER and token in self._callers.tokens.values():
            case.headers["Authorization"] = f"Bearer {self._callers.one_that_may_end()}"
        self._turn[name] += 1
        if self._turn[name] % 2 and name in self._ready:
            case.path_parameters["environment_id"] = next(self._ready[name])
        if self._turn[name] % 2 and name == "cancel_deployment" and (made := self._callers.just_deployed()):
            case.path_parameters["deployment_id"] = made
        if case.query and "wait_for" in case.query and _is_long(case.query.get("timeout", 20)):
            case.query["timeout"] = LONGEST_WAIT

    def after_call(self, context: Any, case: Any, response: Any) -> None:
        """Count the answer."""
        del context
        method = response.request.method
        known = method == case.operation.method.upper()
        self._tally.answers[case.operation.label if known else method, response.status_code] += 1

    def after_network_error(self, context: Any, case: Any, request: Any) -> None:
        """Count a request that was not answered."""
        del context, case, request
        self._tally.unanswered += 1

    def filter_failure(self, context: Any, failure: Any, case: Any, response: Any) -> bool:
        """Whether it is one."""
        del context, case
        try:
            problem = response.json()
        except ValueError:
            problem = None
        empty = [name for name, value in response.request.headers.items() if not value]
        message = f"{failure.message}; sent empty: {', '.join(empty)}" if empty else failure.message
        found = exempt(type(failure).__name__, message, problem)
        self._tally.exempt.update(found)
        return not found


def _is_long(timeout: Any) -> bool:
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    return is_number and LONGEST_WAIT < timeout <= 50


def find_no_link_in_what_is_none() -> None:
    """Have schemathesis go on where it would end.

    It takes a text of an answer that begins with a slash for a link. Of one like `/<tab>/[` Python's
    `urlsplit` says ValueError, which is not caught (4.32.5).
    """
    path_of = observations._same_origin_path  # noqa: SLF001 - it offers no other place

    def path_if_any(value: str, origin: tuple[str, str]) -> str | None:
        try:
            found: str | None = path_of(value, origin)
        except ValueError:
            return None
        return found

    observations._same_origin_path = path_if_any  # noqa: SLF001 - likewise


def watch(tally: Tally, callers: Callers) -> None:
    """From now on what schemathesis does in this process is counted, and sent by these."""
    find_no_link_in_what_is_none()
    made = Watch(tally, callers)
    for hook in (made.before_call, made.after_call, made.after_network_error, made.filter_failure):
        schemathesis.hook(hook.__name__)(partial(hook))  # it sets attributes, which methods don't take

    class Checks(EventHandler):  # type: ignore[misc,unused-ignore]
        """Counts the checks of what has ended."""

        def __init__(self, *args: Any, **params: Any) -> None:
            del args, params

        def handle_event(self, ctx: Any, event: Any) -> None:
            del ctx
            recorder = getattr(event, "recorder", None)
            for nodes in recorder.checks.values() if recorder is not None else ():
                tally.checks.update((node.name, str(node.status.value)) for node in nodes)

    handler()(Checks)
