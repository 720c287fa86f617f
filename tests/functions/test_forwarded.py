"""Behind API Gateway a caller's token comes in another header. That opens nothing."""

from collections.abc import Iterator

import pytest

from shared import groups
from shared.config import Google, Settings
from shared.http.routes import Route
from tests.functions.api import SECRET, Api
from tests.functions.started import ON_GOOGLE

GATEWAYS = "Bearer eyJhbGciOiJSUzI1NiJ9.eyJlbWFpbCI6ImdhdGUifQ.c2lnbmVk"
"""What the gateway calls with: Cloud Run looks at it, envctl need not."""
FORGED = ["", "Bearer", "Bearer ", "Bearer x", "Basic dTpw", "Bearer {0},Bearer {0}", "{0}", "Bearer {0}x"]
ROUTES = [route for name in groups.names() for route in groups.load(name).routes if not route.public]
PARTS = Google.model_validate(
    {name.removeprefix("ENVCTL_").lower(): value for name, value in ON_GOOGLE.items()}
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An instance that knows itself on Google Cloud; its documents lie here."""
    home = tmp_path_factory.mktemp("home")
    made = Api(home, Settings.model_validate({"home": home, "google": PARTS, "callback_secret": SECRET}))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An instance on one machine."""
    made = Api(tmp_path_factory.mktemp("alone"))
    yield made
    made.database.close()


def _me(api: Api, **headers: str | None) -> int | str:
    """Who the API takes the caller for, or the status of its refusal."""
    sent = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    reply = api.get("/api/v1/auth/me", token=None, headers=sent)
    return str(reply["email"]) if reply.status == 200 else reply.status


def test_the_caller_is_who_the_forwarded_token_names(api: Api) -> None:
    token = f"Bearer {api.join('forwarded@example.com')}"
    assert _me(api, Authorization=GATEWAYS, X_Forwarded_Authorization=token) == "forwarded@example.com"
    assert _me(api, X_Forwarded_Authorization=token) == "forwarded@example.com"
    assert _me(api, Authorization=token) == "forwarded@example.com", "called without a gateway"


def test_of_two_callers_it_is_the_forwarded_one(api: Api) -> None:
    one, other = (f"Bearer {api.join(f'{name}@example.com')}" for name in ("one", "other"))
    assert _me(api, Authorization=one, X_Forwarded_Authorization=other) == "other@example.com"


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_one_gives_what_it_gives_in_authorization_and_hides_a_good_one(
    api: Api, forged: str
) -> None:
    good = api.join()
    sent = forged.format(good)
    assert _me(api, Authorization=sent) == 401
    assert _me(api, X_Forwarded_Authorization=sent) == 401
    assert _me(api, Authorization=GATEWAYS, X_Forwarded_Authorization=sent) == 401
    assert _me(api, Authorization=f"Bearer {good}", X_Forwarded_Authorization=sent) == 401


def test_the_gateways_own_token_is_nobodys(api: Api) -> None:
    assert _me(api, Authorization=GATEWAYS) == 401
    assert _me(api, Authorization=GATEWAYS, X_Forwarded_Authorization=GATEWAYS) == 401


def test_on_one_machine_it_is_not_looked_at(alone: Api) -> None:
    one, other = (f"Bearer {alone.join(f'{name}@example.com')}" for name in ("one", "other"))
    assert _me(alone, X_Forwarded_Authorization=one) == 401
    assert _me(alone, Authorization=one, X_Forwarded_Authorization=other) == "one@example.com"


@pytest.mark.parametrize("path", [route.full_path for route in ROUTES if route.internal])
@pytest.mark.parametrize("where", ["api", "alone"])
def test_callbacks_never_look_at_it(request: pytest.FixtureRequest, where: str, path: str) -> None:
    instance: Api = request.getfixturevalue(where)
    forwarded = {"X-Forwarded-Authorization": f"Bearer {SECRET}"}
    assert instance.post(path, {}, token=None, headers=forwarded).status == 401
    assert instance.post(path, {}, token=instance.token, headers=forwarded).status == 401
    forwarded = {"X-Forwarded-Authorization": f"Bearer {instance.token}"}
    assert instance.post(path, {}, token=SECRET, headers=forwarded).status == 200


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if not route.internal],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_no_route_answers_a_forged_one(api: Api, route: Route) -> None:
    headers = {"Authorization": GATEWAYS, "X-Forwarded-Authorization": f"Bearer {SECRET}"}
    assert api.call(route.method, route.full_path, {}, token=None, headers=headers).status == 401
