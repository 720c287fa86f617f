"""What a check of schemathesis's takes for a failure and is none: each with its reason, and nothing else."""
# ruff: noqa: ANN401 - any JSON value

import re
from typing import Any, NamedTuple


class Exempt(NamedTuple):
    """Failures of one check that are none."""

    failure: str
    """As what schemathesis raises it."""
    code: str
    """Of the problem that was answered; nothing where none was."""
    told: str
    """What is wrong, in the words of the problem, else of schemathesis."""
    reason: str


_REJECTED, _ACCEPTED = "RejectedPositiveData", "AcceptedNegativeData"
_DEPENDS = "depends on what there is, or on the time, which a document can't know"
_BETWEEN = "is a rule between parameters, which OpenAPI can't state"
_OTHER = "Idempotency-Key was sent with another request before: .*"
_HEADER = "Invalid component: in header - object with unexpected properties.*"
_NO_EVENT = "Invalid component: parameter `Last-Event-ID` in header - .*; sent empty: .*Last-Event-ID.*"

_ENDING = "The resource was deleted with `DELETE /api/v1/environments/[^/`]+`"

EXEMPT = (
    Exempt(_REJECTED, "bad_page_token", ".*", "is sealed: page tokens come from a Link"),
    Exempt(_REJECTED, "idempotency_key_reused", _OTHER, _DEPENDS),
    Exempt(_REJECTED, "invalid_input", "wait_for must be left out where at is given: .*", _BETWEEN),
    Exempt(_REJECTED, "invalid_input", "timeout is for waiting: it needs wait_for", _BETWEEN),
    Exempt(_REJECTED, "invalid_input", "at must not be later than now: .*", _DEPENDS),
    Exempt(_REJECTED, "invalid_input", "/email is an address that nobody has registered with", _DEPENDS),
    Exempt(_REJECTED, "invalid_input", "/project_id names no project that you are a member of", _DEPENDS),
    Exempt(_REJECTED, "invalid_input", "/to must be a deployment of this environment", _DEPENDS),
    Exempt(_REJECTED, "invalid_input", "/(ttl_hours|hours) must (not )?go beyond .*", _DEPENDS),
    Exempt(_REJECTED, "invalid_input", "/(expires_at|until) must (not )?go beyond .*", _DEPENDS),
    Exempt(_REJECTED, "invalid_input", "/to is past: the clock shows .*", _DEPENDS),
    Exempt(_REJECTED, "invalid_input", "/(by|to) must be at most 366 days ahead", _DEPENDS),
    Exempt(_REJECTED, "invalid_input", "/by is longer than any", "is the sum of its parts"),
    Exempt(_REJECTED, "invalid_input", "/simulation/seconds must be at most 60, .*", "is a setting's bound"),
    Exempt("UseAfterFree", "", _ENDING, "was accepted with 202: it is there, `deleting`, until it is done"),
    Exempt(_ACCEPTED, "", _HEADER, "is no fault: proxies add headers of their own"),
    Exempt(_ACCEPTED, "", _NO_EVENT, "is as none: who has seen no event may say so (HTML, 9.2.4)"),
)


def exempt(failure: str, message: str, problem: Any) -> list[Exempt]:
    """Which exceptions explain a failure, all that is told being explained; none if it is one."""
    found = []
    code = ""
    told = [message.splitlines()[-1]] if message else []
    if isinstance(problem, dict) and "detail" in problem:
        code = str(problem.get("type")).rpartition(":")[2]
        told = [problem["detail"]]
        if faults := problem.get("errors"):
            told = [f"{one.get('pointer', one.get('parameter'))} {one['detail']}" for one in faults]
    for words in told:
        fitting = [one for one in EXEMPT if (one.failure, one.code) == (failure, code)]
        explaining = [one for one in fitting if re.fullmatch(one.told, words)]
        if not explaining:
            return []
        found += explaining
    return found
