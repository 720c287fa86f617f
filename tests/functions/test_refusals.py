"""What is no request that the API can take: paths, methods, bodies and their types."""

from io import BytesIO

import pytest

from tests.functions.api import SECRET, Api

NEVER = "a" * 16
MOST = 65_536


@pytest.fixture(scope="module")
def api(shared_api: Api) -> Api:
    """Nothing in this module changes anything."""
    return shared_api


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v2/projects",
        "/api/v1/projects/x/y",
        "/api/v1/projects//",
        "/api/v1/environments/projects",
        "/api/v1/deployments/x/nothing",
        "/api/v1/auth",
        "/api/v1/tasks/nothing",
        "/assets/nothing.js",
        "/assets/..%2f..%2fopenapi.json",
        "/api/v1/nothing/%00",
        "/api/v1/nothing/%ff",
        "/api/v1/nothing/%ED%A0%80",
        "/api/v1/nothing/ünlich",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_404_without_a_token_too(api: Api, method: str, path: str) -> None:
    reply = api.call(method, path, token=None)
    if path in {"/api/v1/environments/projects", "/api/v1/auth"} or path.startswith("/assets"):
        assert reply.status in {401, 404, 405}  # another operation's path in form
    else:
        assert (reply.status, reply["type"]) == (404, "urn:envctl:problem:unknown_path")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/projects", {"GET", "POST"}),
        ("DELETE", "/api/v1/projects/", {"GET", "POST"}),
        ("POST", f"/api/v1/projects/prj-{NEVER}", {"GET", "PATCH", "DELETE"}),
        ("GET", "/api/v1/auth/register", {"POST"}),
        ("GET", "/api/v1/auth/login/", {"POST"}),
        ("PATCH", f"/api/v1/deployments/dep-{NEVER * 3}", {"GET"}),
        ("GET", "/api/v1/tasks/settle", {"POST"}),
        ("POST", "/health", {"GET"}),
        ("POST", "/docs", {"GET"}),
        ("DELETE", "/openapi.json", {"GET"}),
    ],
)
def test_another_method_is_405_and_says_which_are_allowed(
    api: Api, method: str, path: str, allowed: set[str]
) -> None:
    reply = api.call(method, path, {})
    assert (reply.status, reply["type"]) == (405, "urn:envctl:problem:method_not_allowed")
    assert set(reply.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"} == allowed


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/api/v1/projects", "application/json"),
        ("/api/v1/auth/login", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_of_more_than_64_kib_is_413(api: Api, path: str, media_type: str, *, is_chunked: bool) -> None:
    for size, expected in ((MOST, {400, 401, 422}), (MOST + 1, {413})):
        content = b"a" * size
        sent = {"data": content} if not is_chunked else _chunked(content)
        with api.nothing_changes():
            reply = api.post(path, content_type=media_type, **sent)
        assert reply.status in expected, size


def _chunked(content: bytes) -> dict[str, object]:
    """A body without a length, as gunicorn hands it over."""
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return {"input_stream": BytesIO(content), "environ_overrides": environ}


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "nonsense",
        "application/xml; charset=utf-8",
    ],
)
def test_a_body_with_another_or_no_content_type_is_415(api: Api, media_type: str | None) -> None:
    with api.nothing_changes():
        reply = api.post("/api/v1/projects", data=b'{"name": "x"}', content_type=media_type)
    assert (reply.status, reply["type"]) == (415, "urn:envctl:problem:unsupported_media_type")


@pytest.mark.parametrize("media_type", [None, "application/json", "text/plain"])
def test_a_login_that_is_no_form_is_415(api: Api, media_type: str | None) -> None:
    reply = api.post("/api/v1/auth/login", data=b"username=a&password=b", content_type=media_type)
    assert reply.status == 415


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"]
)
def test_the_json_type_may_have_parameters_and_any_case(api: Api, media_type: str) -> None:
    assert api.post("/api/v1/projects", data=b'{"name": "x"}', content_type=media_type).status == 201


UNPARSABLE = {
    "nothing": b"",
    "no JSON": b"{",
    "a trailing comma": b'{"name": "x",}',
    "single quotes": b"{'name': 'x'}",
    "two values": b'{"name": "x"} {}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "a number beyond all floats": b'{"name": 1e999}',
    "a negative one": b'{"name": -1e999}',
    "10,000 nested lists": b"[" * 10_000 + b"]" * 10_000,
    "10,000 nested objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "10,000 that never close": b"[" * 10_000,
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a surrogate as UTF-8": b'{"name": "\xed\xa0\x80"}',
    "a number of 5,000 digits": b'{"name": ' + b"1" * 5_000 + b"}",
    "a raw control character": b'{"name": "a\x01"}',
    "NUL": b"\x00",
}


@pytest.mark.parametrize("body", UNPARSABLE.values(), ids=UNPARSABLE.keys())
@pytest.mark.parametrize("path", ["/api/v1/projects", "/api/v1/auth/register"])
def test_a_body_that_is_no_json_is_400(api: Api, path: str, body: bytes) -> None:
    with api.nothing_changes():
        reply = api.post(path, data=body, content_type="application/json")
    assert (reply.status, reply["type"]) == (400, "urn:envctl:problem:malformed_body")


@pytest.mark.parametrize("form", [b"username=%ff&password=x", b"username=\xff", b"&".join([b"a=b"] * 30)])
def test_a_body_that_is_no_form_is_400(api: Api, form: bytes) -> None:
    reply = api.post("/api/v1/auth/login", data=form, content_type="application/x-www-form-urlencoded")
    assert (reply.status, reply["type"]) == (400, "urn:envctl:problem:malformed_body")


def test_an_unbelievable_request_id_is_replaced_and_a_good_one_kept(api: Api) -> None:
    assert api.get("/health", headers={"X-Request-Id": "abc-1.2_3"}).headers["X-Request-Id"] == "abc-1.2_3"
    for given in ("", "a b", 'x"', "é", "a" * 129):
        assert api.get("/nothing", headers={"X-Request-Id": given})["request_id"] not in {given, ""}


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_head_and_options_are_answered_without_a_body(api: Api, method: str) -> None:
    reply = api.call(method, "/health")
    assert (reply.status, reply.body) == (200, "")


def test_what_is_not_authenticated_is_not_validated(api: Api) -> None:
    for path, body in (("/api/v1/projects?nonsense=1", b"{"), ("/api/v1/tasks/settle", b"\xff")):
        for media_type in (None, "application/json", "text/plain"):
            reply = api.post(path, data=body, content_type=media_type, token=None)
            assert reply.status == 401
            assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="envctl"')
    assert api.get("/api/v1/projects?page_size=0", token=None).status == 401
    assert api.post("/api/v1/projects", data=b"{", token=SECRET).status == 401


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("project", "/api/v1/projects/{}"),
        ("project", "/api/v1/environments/projects/{}"),
        ("environment", "/api/v1/environments/{}"),
        ("environment", "/api/v1/deployments/environments/{}"),
        ("deployment", "/api/v1/deployments/{}"),
        ("deployment", "/api/v1/deployments/{}/logs"),
    ],
)
def test_what_is_not_visible_looks_like_what_never_existed(api: Api, kind: str, path: str) -> None:
    project_id = api.project()
    environment_id = api.running(project_id=project_id)
    theirs = {
        "project": project_id,
        "environment": environment_id,
        "deployment": api.deploy(environment_id),
    }[kind]
    never = theirs[:4] + NEVER * (len(theirs) // 16)
    stranger = api.join()
    hidden, missing = (
        api.get(path.format(object_id), token=stranger, headers={"X-Request-Id": "same"})
        for object_id in (theirs, never)
    )
    assert (hidden.status, hidden["type"]) == (404, "urn:envctl:problem:not_found")
    assert str(hidden.body).replace(theirs, never) == str(missing.body)
    same = {"Content-Length", "Date", "RateLimit"}
    assert [item for item in hidden.headers if item[0] not in same] == [
        item for item in missing.headers if item[0] not in same
    ]
    for malformed in (
        "x",
        theirs.upper(),
        theirs + "a",
        theirs[:-1] + "%00",
        "%F0%9F%98%80",
        theirs[:-1] + "1",
    ):
        assert api.get(path.format(malformed)).status == 404


def test_who_sends_no_token_is_told_of_no_error_in_it(api: Api) -> None:
    path = "/api/v1/auth/me"
    assert api.get(path, token=None).headers["WWW-Authenticate"] == 'Bearer realm="envctl"'
    refused = api.get(path, token="x").headers["WWW-Authenticate"]
    assert refused == 'Bearer realm="envctl", error="invalid_token"'


@pytest.mark.parametrize(
    "body", ['{"name":"a","name":"b"}', '{"name":"a","description":null,"x":{"y":1,"y":2}}']
)
def test_an_object_with_a_key_twice_is_malformed(api: Api, body: str) -> None:
    with api.nothing_changes():
        reply = api.call("POST", "/api/v1/projects", data=body, content_type="application/json")
    assert (reply.status, reply["type"]) == (400, "urn:envctl:problem:malformed_body")


@pytest.mark.parametrize("length", ["15", "100", "65536"])
def test_a_body_that_ends_before_its_length_is_malformed(api: Api, length: str) -> None:
    with api.nothing_changes():
        reply = api.call(
            "POST",
            "/api/v1/projects",
            data='{"name":"cut"}',
            content_type="application/json",
            environ_overrides={"CONTENT_LENGTH": length, "wsgi.input_terminated": True},
        )
    assert (reply.status, reply["type"]) == (400, "urn:envctl:problem:malformed_body")


class _BrokenFrame(BytesIO):
    """What a server's stream does at a chunk that is none: each server has its own exception."""

    def read(self, _size: int | None = -1) -> bytes:
        raise ZeroDivisionError

    readline = read


def test_a_body_whose_frame_is_broken_is_malformed(api: Api) -> None:
    reply = api.call(
        "POST",
        "/api/v1/projects",
        content_type="application/json",
        input_stream=_BrokenFrame(),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert (reply.status, reply["type"]) == (400, "urn:envctl:problem:malformed_body")


def test_too_many_parameters_are_named_as_such(api: Api) -> None:
    reply = api.get("/api/v1/projects?" + "&".join(f"p{n}=1" for n in range(22)))
    assert (reply.status, reply["errors"][0]["detail"]) == (422, "has more than 20 parameters")
