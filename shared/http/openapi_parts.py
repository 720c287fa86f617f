"""What the OpenAPI document says in many places: the problem, and headers."""

from typing import Any

from shared.http import problems

Schema = dict[str, Any]

PROBLEM: Schema = {
    "title": "Problem",
    "description": "Every error (RFC 9457). `type` is `urn:envctl:problem:<code>`.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {
            "enum": sorted({f"urn:envctl:problem:{kind.code}" for kind in problems.KINDS.values()}),
            "examples": ["urn:envctl:problem:invalid_input"],
        },
        "title": {"type": "string", "examples": ["Invalid input"]},
        "status": {"type": "integer", "examples": [422]},
        "detail": {"type": "string", "description": "A sentence about this occurrence."},
        "instance": {"type": "string"},
        "request_id": {"type": "string", "description": "Equal to the X-Request-Id header."},
        "errors": {
            "type": "array",
            "description": "What is wrong with the input, at which JSON pointer or parameter.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "parameter": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
SECURITY_SCHEMES: Schema = {
    "password": {
        "type": "oauth2",
        "flows": {"password": {"tokenUrl": "/api/v1/auth/login", "scopes": {}}},
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token, from a login.",
    },
    "api_token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "envctl_…",
        "description": "An API token, within its scopes.",
    },
}
HEADERS: Schema = {
    "ETag": {"description": "Equal to the body's `etag`.", "schema": {"type": "string"}},
    "Link": {"description": 'The next page, `rel="next"`, if there is one.', "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
    "RateLimit": {
        "description": "What is left of the caller's requests (`r`), and in how many seconds all are there "
        "again (`t`), by the process that answers.",
        "schema": {"type": "string", "examples": ['"requests";r=599;t=1']},
    },
    "RateLimit-Policy": {
        "description": "How many requests (`q`) a caller may make in so many seconds (`w`).",
        "schema": {"type": "string", "examples": ['"requests";q=600;w=60']},
    },
    "WWW-Authenticate": {"description": "How to authenticate (RFC 6750).", "schema": {"type": "string"}},
    "X-Request-Id": {
        "description": "The request's own, if it is 1 to 128 of A-Z a-z 0-9 . _ -, else a random one.",
        "schema": {"type": "string"},
    },
    "Location": {"description": "Where the new object is, path-absolute.", "schema": {"type": "string"}},
    "Idempotent-Replayed": {
        "description": "`true` when an earlier request with this Idempotency-Key made the object, which is "
        "shown as it is now.",
        "schema": {"type": "string"},
    },
}
REQUEST_HEADERS: Schema = {
    "Idempotency-Key": {
        "description": "Chosen by the client: the same request with the same key makes one object, however "
        "often it is sent. It holds for as long as the object is there.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$"},
    },
    "If-Match": {
        "description": "Entity tags: only if the object is as one of them says, else 412.",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "description": "Entity tags: 304 without a body if the object is as one of them says.",
        "schema": {"type": "string"},
    },
}

PROBLEM_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}

LINES = (
    "2026-01-31T12:00:00.500000Z INFO    validate  Validating version sha-1234567\n"
    "2026-01-31T12:00:00.750000Z INFO    validate  Version sha-1234567 is well-formed\n"
)
"""Of a log, which is what is answered as text."""
EVENTS = """:

id: 1
data: {"seq":1,"time":"2026-01-31T12:00:00.500000Z","level":"info","step":"validate",\
"message":"Validating version sha-1234567"}

event: end
data: {"status":"succeeded"}

"""
"""Likewise, followed."""
