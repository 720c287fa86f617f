"""Input that is well-formed and still not acceptable: 422, where it is wrong, and nothing has changed."""

from typing import Any

import pytest

from tests.functions.api import Api

LONE = "\ud800"
NO_TEXT: tuple[Any, ...] = (1, 1.5, True, None, [], {}, ["x"])
NO_LINE = ("a\x00", "a\nb", "\ta", "\x1b[31m", "\x7f", "\x85", f"a{LONE}", f"{LONE}\udc00b"[1:])
NO_HOURS: tuple[Any, ...] = (
    0,
    1e-10,
    5e-324,
    -1,
    -0.0,
    "24",
    "NaN",
    True,
    False,
    [24],
    {},
    1e308,
    720.001,
    10**400,
    -(10**400),
    "",
)
NO_MOMENTS: tuple[Any, ...] = (
    "",
    "2026-02-01",
    "2026-02-01T12:00:00",
    "2026-02-01 12:00:00Z",
    "2026-02-30T12:00:00Z",
    "2026-02-01T24:00:00Z",
    "2026-02-01T12:00:60Z",
    "2026-02-01T12:00:00.1234567Z",
    "2026-02-01T12:00:00+24:00",
    "2026-02-01T12:00:00+0100",
    "2026-02-01T12:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "2026-01-31T11:59:59.999999Z",
    "2026-01-31T12:00:00Z",
    "2026-03-02T12:00:02.000001Z",
    "9999-12-31T23:59:59Z",
    "\u0662026-02-01T12:00:00Z",
    "tomorrow",
    LONE,
    1769947200,
    True,
    ["2026-02-01T12:00:00Z"],
    {},
)
NO_TYPES: tuple[Any, ...] = ("", "Ephemeral", "other", LONE, 1, None, True, [], ["ephemeral"], {})
NO_POLICIES: tuple[Any, ...] = ("", "Latest", "fifo", LONE, 1, True, [], ["queue"], {})
FULL = {"name": "x", "type": "ephemeral"}
ACCOUNT = {"email": "new@example.com", "password": "secret123"}


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    return shared_api


@pytest.fixture(scope="module")
def targets(shared_api: Api) -> dict[str, str]:
    """Where each kind of input goes."""
    project_id = shared_api.project()
    expired_id = shared_api.environment(project_id, {**FULL, "ttl_hours": 1e-9})
    environment_id = shared_api.running(project_id=project_id)
    return {
        "register": "POST /api/v1/auth/register",
        "project": "POST /api/v1/projects",
        "edit project": f"PATCH /api/v1/projects/{project_id}",
        "environment": f"POST /api/v1/environments/projects/{project_id}",
        "edit environment": f"PATCH /api/v1/environments/{environment_id}",
        "deployment": f"POST /api/v1/deployments/environments/{environment_id}",
        "extend": f"POST /api/v1/environments/{environment_id}/extend",
        "restore": f"POST /api/v1/environments/{expired_id}/restore",
    }


def _line(target: str, field: str, most: int, others: dict[str, Any], *, nullable: bool = False) -> list[Any]:
    """Everything that is no line of text of at most so many characters."""
    bad = [*(value for value in NO_TEXT if not (nullable and value is None)), *NO_LINE, "é" * (most + 1)]
    return [(target, {**others, field: value}, f"/{field}") for value in bad]


def _deep(levels: int) -> list[Any]:
    value: list[Any] = [1]
    for _ in range(levels - 1):
        value = [value]
    return value


CASES: list[tuple[str, dict[str, Any], str]] = [
    *_line("project", "name", 100, {}),
    *_line("edit project", "name", 100, {}),
    *_line("environment", "name", 100, FULL),
    *_line("edit environment", "name", 100, {}),
    *_line("deployment", "version", 128, {}),
    *_line("project", "description", 1_000, {"name": "x"}, nullable=True),
    *_line("edit project", "description", 1_000, {}, nullable=True),
    *_line("project", "repo_url", 2_048, {"name": "x"}, nullable=True),
    *_line("register", "email", 254, ACCOUNT),
    *(("project", {"name": "x", "repo_url": url}, "/repo_url") for url in (
        "", "x", "ftp://a/b", "javascript:alert(1)", "https://", "https://u:p@h/x", "file:///etc",
        "https://a b",
    )),
    *((target, {field: blank}, f"/{field}") for blank in ("", " ", "\u2003", "\u00a0 ") for target, field in (
        ("project", "name"), ("edit project", "name"), ("deployment", "version"),
        ("edit environment", "name"),
    )),
    *(("environment", {**FULL, "ttl_hours": hours}, "/ttl_hours") for hours in NO_HOURS),
    ("environment", {"name": "x", "type": "persistent", "ttl_hours": 24}, "/ttl_hours"),
    ("environment", {"name": "x", "type": "persistent", "expires_at": "2026-02-01T12:00:00Z"}, "/expires_at"),
    ("environment", {**FULL, "ttl_hours": 1, "expires_at": "2026-02-01T12:00:00Z"}, "/expires_at"),
    *(("environment", {**FULL, "expires_at": moment}, "/expires_at") for moment in NO_MOMENTS),
    *((target, {"hours": hours}, "/hours") for target in ("extend", "restore") for hours in NO_HOURS),
    *((target, {"until": moment}, "/until") for target in ("extend", "restore") for moment in NO_MOMENTS),
    *((target, {"hours": 1, "until": "2026-02-01T12:00:00Z"}, "/until") for target in ("extend", "restore")),
    *((target, body, "/hours") for target in ("extend", "restore") for body in (
        {}, {"hours": None}, {"hours": None, "until": None},
    )),
    *(("environment", {"name": "x", "type": kind}, "/type") for kind in NO_TYPES),
    *(("environment", {**FULL, "on_conflict": policy}, "/on_conflict") for policy in NO_POLICIES),
    *(("deployment", {"version": "v", "on_conflict": policy}, "/on_conflict") for policy in NO_POLICIES),
    ("environment", {"name": "x"}, "/type"),
    ("environment", {"type": "ephemeral"}, "/name"),
    ("project", {}, "/name"),
    ("deployment", {}, "/version"),
    ("register", {"email": "a@example.com"}, "/password"),
    ("register", {"password": "secret123"}, "/email"),
    *(("register", {**ACCOUNT, "email": address}, "/email") for address in (
        "", "a", "a@", "@a", "a@b@c", "a b@c", "a@-b", "a@b..c", "ä@example.com", "a@exämple.com",
        "a" * 65 + "@example.com", "a@" + "b" * 64, f"a@{'b.' * 130}c", "a@b\n",
    )),
    *(("register", {**ACCOUNT, "password": value}, "/password") for value in (
        *NO_TEXT, "", "a" * 7, "a" * 129, "é" * 7, f"secret12{LONE}",
    )),
    *((target, {**FULL, "config": config} if target == "environment" else {"config": config}, "/config")
      for target in ("environment", "edit environment") for config in (
        LONE, [LONE], {"a": {LONE: 1}}, {LONE: 1}, "a" * 16_383, {"k": "é" * 8_190}, _deep(33), _deep(500),
    )),
    *((target, {"name": "x", "version": "v", "type": "ephemeral", **ACCOUNT, field: 1}, pointer)
      for target in ("register", "project", "environment", "edit project", "edit environment", "deployment")
      for field, pointer in (
        ("status", "/status"), ("", "/"), ("a/b~c", "/a~1b~0c"), (LONE, ""), ("é", "/é"),
    )),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "body", "pointer"),
    CASES,
    ids=[f"{number} {case[0]}{case[2]}" for number, case in enumerate(CASES)],
)
def test_unacceptable_input_is_422_with_a_pointer_and_changes_nothing(
    api: Api, targets: dict[str, str], target: str, body: dict[str, Any], pointer: str
) -> None:
    method, path = targets[target].split()
    with api.nothing_changes():
        reply = api.call(method, path, body)
    assert (reply.status, reply["type"]) == (422, "urn:envctl:problem:invalid_input")
    assert pointer in [fault.get("pointer") for fault in reply["errors"]], reply["errors"]
    assert not [fault for fault in reply["errors"] if not fault["detail"][0].islower()], "pydantic's words"


@pytest.mark.parametrize("body", ["x", 1, [], [{"name": "x"}], True])
def test_a_body_that_is_no_object_is_422_at_its_root(api: Api, body: object) -> None:
    reply = api.post("/api/v1/projects", body)
    assert (reply.status, reply["errors"]) == (422, [{"pointer": "", "detail": "must be an object"}])


def test_every_fault_of_a_body_is_named(api: Api) -> None:
    reply = api.post("/api/v1/projects", {"name": "", "description": 1, "x": 2})
    assert {fault["pointer"] for fault in reply["errors"]} == {"/name", "/description", "/x"}


def test_a_login_form_with_unknown_or_repeated_fields_is_422(api: Api) -> None:
    for form, pointer in (
        ("username=a&password=b&x=1", "/x"),
        ("username=a&username=b&password=c", "/username"),
        ("username=a", "/password"),
        ("username=a&password=b&grant_type=code", "/grant_type"),
        (f"username={'a' * 255}&password=b", "/username"),
        (f"username=a&password={'b' * 1025}", "/password"),
    ):
        sent = {"data": form, "content_type": "application/x-www-form-urlencoded"}
        reply = api.post("/api/v1/auth/login", **sent)
        assert (reply.status, [fault["pointer"] for fault in reply["errors"]]) == (422, [pointer])


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("project", {"name": "é" * 100}),
    ("project", {"name": "x", "description": "😀" * 1_000, "repo_url": None}),
    ("project", {"name": " x ", "description": ""}),
    ("project", {"name": "x", "repo_url": "git@example.com:a/b.git"}),
    ("project", {"name": "x", "repo_url": "https://git.example.com/" + "a" * 2_024}),
    ("edit project", {}),
    ("edit project", {"description": None, "repo_url": None}),
    ("environment", {**FULL, "ttl_hours": 720}),
    ("environment", {**FULL, "ttl_hours": 1e-3}),
    ("environment", {**FULL, "ttl_hours": 1e-9}),
    ("environment", {**FULL, "ttl_hours": None, "config": None}),
    ("environment", {**FULL, "ttl_hours": None, "expires_at": "2026-02-01T12:00:00.000000Z"}),
    ("environment", {**FULL, "expires_at": "2026-01-31T12:00:02.000001Z"}),
    ("environment", {**FULL, "expires_at": "2026-03-02T12:00:02.000000Z"}),
    ("environment", {**FULL, "config": _deep(32)}),
    ("environment", {**FULL, "config": "a" * 16_382}),
    ("environment", {**FULL, "config": 10**4_000}),
    ("environment", {**FULL, "config": {"": "\u0000", "😀": [True, 1.5, -0.0, 1e300, None]}}),
    ("edit environment", {"config": {"replicas": 3}}),
    ("edit environment", {}),
    *(("environment", {**FULL, "on_conflict": policy}) for policy in ("queue", "latest", "reject")),
    *(("deployment", {"version": "v", "on_conflict": policy}) for policy in ("latest", "queue", None)),
    ("deployment", {"version": "é" * 128}),
]


@pytest.mark.parametrize(("target", "body"), GOOD, ids=range(len(GOOD)))
def test_input_at_its_bounds_is_taken_and_shown_as_it_came(
    api: Api, targets: dict[str, str], target: str, body: dict[str, Any]
) -> None:
    method, path = targets[target].split()
    reply = api.call(method, path, body)
    assert reply.status in {200, 201}, reply.body
    hidden = {"ttl_hours"} if target == "environment" else {"on_conflict"}
    assert {name: reply[name] for name in body if name not in hidden} == {
        name: value for name, value in body.items() if name not in hidden
    }
    if method == "POST":
        assert api.get(reply.headers["Location"])["id"] == reply["id"]
