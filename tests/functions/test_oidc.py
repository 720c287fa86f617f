"""On Google Cloud callbacks carry a token that Google signed: a good one passes, nothing else does."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.adapters.oidc import LEEWAY, OidcCheck
from tests.functions.api import SECRET, Api
from tests.functions.oidc_tokens import ACCOUNT, AUDIENCE, SCHEDULER, CertificateServer, Google

CLOUD_TASKS = {
    "User-Agent": "Google-Cloud-Tasks",
    "X-CloudTasks-QueueName": "envctl",
    "X-CloudTasks-TaskName": "1234567890",
    "X-CloudTasks-TaskRetryCount": "0",
    "X-CloudTasks-TaskExecutionCount": "0",
    "X-CloudTasks-TaskETA": "1769860800.0",
}
HOUR = 3_600


class Instance(Api):
    """An instance that takes callbacks as one on Google Cloud does."""

    def __init__(self, home: Path, certificates_url: str) -> None:
        super().__init__(home)
        accounts = frozenset({ACCOUNT, SCHEDULER})
        check = OidcCheck(AUDIENCE, accounts, certificates_url, self.clock)
        self.runtime = replace(self.runtime, callbacks=check)
        self.google = Google(home, self.clock)
        self.other = Google(home / "other", self.clock)

    def now(self) -> int:
        return int(self.clock().timestamp())


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home = tmp_path_factory.mktemp("home")
    (home / "other").mkdir()
    server = CertificateServer()
    with server.serving() as url:
        made = Instance(home, url)
        server.certificates = made.google.identity.certificates
        yield made
        made.database.close()


def test_a_good_token_passes(api: Instance) -> None:
    for token in (
        api.google.token(),
        api.google.token(email=SCHEDULER),
        api.google.token(iss="accounts.google.com"),
        api.google.token(header={"typ": None}),
        api.google.token(nbf=api.now()),
    ):
        assert api.post("/api/v1/tasks/sweep", {}, token=token).status == 200


def test_a_clock_that_differs_a_little_is_no_matter(api: Instance) -> None:
    skew = int(LEEWAY.total_seconds())
    for token in (api.google.token(iat=api.now() + skew), api.google.token(exp=api.now() - skew + 1)):
        assert api.post("/api/v1/tasks/sweep", {}, token=token).status == 200


Forge = Callable[[Instance], str]
FORGED: dict[str, Forge] = {
    "another audience": lambda api: api.google.token(aud="https://other.a.run.app"),
    "our audience with a slash": lambda api: api.google.token(aud=f"{AUDIENCE}/"),
    "our audience with a path": lambda api: api.google.token(aud=f"{AUDIENCE}/api/v1/tasks/sweep"),
    "our audience in capitals": lambda api: api.google.token(aud=AUDIENCE.upper()),
    "no audience": lambda api: api.google.token(without="aud"),
    "an empty audience": lambda api: api.google.token(aud=""),
    "a list with our audience": lambda api: api.google.token(aud=[AUDIENCE]),
    "a list with ours and another": lambda api: api.google.token(aud=[AUDIENCE, "https://other"]),
    "another account": lambda api: api.google.token(email="other@a-project.iam.gserviceaccount.com"),
    "our account in capitals": lambda api: api.google.token(email=ACCOUNT.upper()),
    "our account with a suffix": lambda api: api.google.token(email=f"{ACCOUNT}.example.com"),
    "a list of our account": lambda api: api.google.token(email=[ACCOUNT]),
    "no e-mail": lambda api: api.google.token(without="email"),
    "a null e-mail": lambda api: api.google.token(email=None),
    "an e-mail that is not verified": lambda api: api.google.token(email_verified=False),
    "a verified that is a text": lambda api: api.google.token(email_verified="true"),
    "a verified that is a number": lambda api: api.google.token(email_verified=1),
    "no verified": lambda api: api.google.token(without="email_verified"),
    "expired": lambda api: api.google.token(iat=api.now() - 2 * HOUR, exp=api.now() - 11),
    "no expiry": lambda api: api.google.token(without="exp"),
    "an expiry that is a text": lambda api: api.google.token(exp=str(api.now() + HOUR)),
    "an endless expiry": lambda api: api.google.token(exp=float("inf")),
    "issued later": lambda api: api.google.token(iat=api.now() + 11),
    "valid later": lambda api: api.google.token(nbf=api.now() + 11),
    "no time of issue": lambda api: api.google.token(without="iat"),
    "a time of issue that is true": lambda api: api.google.token(iat=True),
    "another issuer": lambda api: api.google.token(iss="https://accounts.example.com"),
    "an issuer that begins like Google": lambda api: api.google.token(
        iss="https://accounts.google.com.evil.com"
    ),
    "another of Google's issuers": lambda api: api.google.token(
        iss="https://securetoken.google.com/a-project"
    ),
    "no issuer": lambda api: api.google.token(without="iss"),
    "unsigned": lambda api: api.google.unsigned(),
    "unsigned and saying otherwise": lambda api: api.google.unsigned("RS256"),
    "signed with the public certificate": lambda api: api.google.signed_with_the_certificate(),
    "another key under the same id": lambda api: api.other.token(header={"kid": api.google.identity.key_id}),
    "another key under its own id": lambda api: api.other.token(),
    "an unknown key id": lambda api: api.google.token(header={"kid": "0" * 40}),
    "an empty key id": lambda api: api.google.token(header={"kid": ""}),
    "no key id": lambda api: api.google.without_key_id(),
    "a header that must be understood": lambda api: api.google.token(header={"crit": ["x"], "x": 1}),
    "cut": lambda api: api.google.token()[:-1],
    "without its signature": lambda api: api.google.token().rpartition(".")[0],
    "with another's signature": lambda api: _spliced(api.google.token(), api.other.token()),
    "with other claims": lambda api: _spliced(api.google.token(aud="https://other"), api.google.token()),
    "longer than any": lambda api: api.google.token(more="x" * 4_000),
    "no token at all": lambda _: "x",
    "three dots": lambda _: "...",
    "a user's access token": lambda api: api.token,
    "the secret of one machine": lambda _: SECRET,
}


def _spliced(content: str, signature: str) -> str:
    return f"{content.rpartition('.')[0]}.{signature.rpartition('.')[2]}"


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused(api: Instance, forge: Forge) -> None:
    token = forge(api)
    for path in ("/api/v1/tasks/sweep", "/api/v1/tasks/settle"):
        with api.nothing_changes():
            reply = api.post(path, {}, token=token, headers=CLOUD_TASKS)
        assert (reply.status, reply["type"]) == (401, "urn:envctl:problem:unauthenticated")
        assert token not in str(reply.body)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        CLOUD_TASKS,
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
        {"X-Goog-Authenticated-User-Email": f"accounts.google.com:{ACCOUNT}"},
        {"X-Serverless-Authorization": "Bearer x"},
        {"X-CloudScheduler": "true"},
    ],
    ids=str,
)
def test_headers_alone_prove_nothing(api: Instance, headers: dict[str, str]) -> None:
    with api.nothing_changes():
        assert api.post("/api/v1/tasks/sweep", {}, token=None, headers=headers).status == 401


def test_a_good_token_in_another_scheme_or_place_is_none(api: Instance) -> None:
    token = api.google.token()
    for headers in ({"Authorization": f"Basic {token}"}, {"Authorization": token}, {"X-Token": token}):
        assert api.post("/api/v1/tasks/sweep", {}, token=None, headers=headers).status == 401
    refused = api.post(f"/api/v1/tasks/sweep?access_token={token}", {}, token=None)
    assert refused.status == 401


def test_a_callbacks_token_opens_nothing_else(api: Instance) -> None:
    assert api.get("/api/v1/auth/me", token=api.google.token()).status == 401
