"""Every error as `application/problem+json` (RFC 9457), from one table of classes."""

import json
from math import ceil
from typing import Any, NamedTuple

from shared import account_errors, errors, request_errors
from shared.errors import EnvctlError


class Kind(NamedTuple):
    """What a class of errors looks like to clients. `code` is part of the public contract."""

    status: int
    code: str
    title: str


KINDS: dict[type[EnvctlError], Kind] = {
    request_errors.MalformedBody: Kind(400, "malformed_body", "Malformed request body"),
    errors.BadPageToken: Kind(400, "bad_page_token", "Bad page token"),
    errors.Unauthenticated: Kind(401, "unauthenticated", "Not authenticated"),
    account_errors.WrongCredentials: Kind(401, "wrong_credentials", "Wrong credentials"),
    account_errors.InvalidRefreshToken: Kind(401, "invalid_refresh_token", "Invalid refresh token"),
    errors.Forbidden: Kind(403, "forbidden", "Not permitted"),
    account_errors.WrongPassword: Kind(403, "wrong_password", "Wrong password"),
    errors.NotFound: Kind(404, "not_found", "Not found"),
    request_errors.UnknownPath: Kind(404, "unknown_path", "Unknown path"),
    request_errors.MethodNotAllowed: Kind(405, "method_not_allowed", "Method not allowed"),
    account_errors.EmailTaken: Kind(409, "email_taken", "E-mail address taken"),
    account_errors.AlreadyMember: Kind(409, "already_member", "Member already"),
    account_errors.LastOwner: Kind(409, "last_owner", "Last owner"),
    account_errors.TooManyMembers: Kind(409, "too_many_members", "Too many members"),
    account_errors.TooManyApiTokens: Kind(409, "too_many_api_tokens", "Too many API tokens"),
    account_errors.OwnsProjects: Kind(409, "owns_projects", "Account owns projects"),
    errors.ProjectInUse: Kind(409, "project_in_use", "Project has live environments"),
    errors.EnvironmentNotRunning: Kind(409, "environment_not_running", "Environment is not running"),
    errors.EnvironmentEnding: Kind(409, "environment_ending", "Environment is being deleted"),
    errors.NotPossible: Kind(409, "not_possible", "Not possible in this status"),
    errors.NoLease: Kind(409, "no_lease", "Environment is persistent"),
    errors.FailedBefore: Kind(409, "failed_before", "Environment had failed"),
    errors.Busy: Kind(409, "deployment_unfinished", "Another deployment is unfinished"),
    errors.NothingToRollBackTo: Kind(409, "nothing_to_roll_back_to", "Nothing to roll back to"),
    errors.QuotaExceeded: Kind(409, "quota_exceeded", "Quota exceeded"),
    errors.TimelineFull: Kind(409, "timeline_full", "Too many steps"),
    errors.ClockIsReal: Kind(409, "clock_is_real", "The clock is real"),
    errors.ClockAdvancing: Kind(409, "clock_advancing", "The clock is being advanced"),
    errors.PreconditionFailed: Kind(412, "precondition_failed", "Changed in the meantime"),
    request_errors.BodyTooLarge: Kind(413, "body_too_large", "Request body too large"),
    request_errors.UnsupportedMediaType: Kind(415, "unsupported_media_type", "Unsupported media type"),
    errors.InvalidInput: Kind(422, "invalid_input", "Invalid input"),
    errors.KeyReused: Kind(422, "idempotency_key_reused", "Idempotency key reused"),
    errors.TooManyRequests: Kind(429, "too_many_requests", "Too many requests"),
    errors.TooManyUnfinished: Kind(429, "too_many_unfinished", "Too many unfinished deployments"),
    request_errors.HeadersTooLarge: Kind(431, "headers_too_large", "Request header fields too large"),
    account_errors.TooManyAttempts: Kind(429, "too_many_attempts", "Too many wrong passwords"),
    errors.Internal: Kind(500, "internal_error", "Internal error"),
    errors.NoAnswer: Kind(502, "no_answer", "No answer"),
    errors.Unavailable: Kind(503, "unavailable", "Temporarily unavailable"),
    account_errors.TooManyLogins: Kind(503, "too_many_logins", "Too many logins at once"),
    errors.Contended: Kind(503, "contended", "Too many changes at once"),
}

_RETRYABLE = (
    errors.Unavailable
    | errors.Contended
    | errors.TooManyUnfinished
    | errors.TooManyRequests
    | account_errors.TooManyAttempts
    | account_errors.TooManyLogins
)
"""Errors that know when to try again."""

CONTENT_TYPE = "application/problem+json"


def kind_of(error: EnvctlError) -> Kind:
    """The error's kind; one that no client should ever see is an internal error."""
    return KINDS.get(type(error), KINDS[errors.Internal])


def body(error: EnvctlError, instance: str, request_id: str) -> bytes:
    """The problem document of an error."""
    kind = kind_of(error)
    problem: dict[str, Any] = {
        "type": f"urn:envctl:problem:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": str(error if type(error) in KINDS else errors.Internal()),
        "instance": instance,
        "request_id": request_id,
    }
    if isinstance(error, errors.InvalidInput):
        problem["errors"] = [
            {"pointer" if fault.in_body else "parameter": fault.where, "detail": fault.detail}
            for fault in error.faults
        ]
    return json.dumps(problem).encode()


def headers(error: EnvctlError) -> dict[str, str]:
    """What else an error's answer carries: how to authenticate, when to try again, what is allowed."""
    given = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
    if kind_of(error).status == 401:
        # RFC 6750, 3.1: who sent no token is told of no error in it.
        refused = isinstance(error, errors.Unauthenticated) and error.presented
        fault = ', error="invalid_token"' if refused else ""
        given["WWW-Authenticate"] = f'Bearer realm="envctl"{fault}'
    if isinstance(error, _RETRYABLE):
        given["Retry-After"] = str(max(1, ceil(error.retry_after.total_seconds())))
    if isinstance(error, request_errors.MethodNotAllowed):
        given["Allow"] = ", ".join(error.allowed)
    return given
