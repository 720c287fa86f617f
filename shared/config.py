"""The settings of an instance: read from the environment once, validated, frozen.

This is the only module that reads the environment. No secret has a default: on one machine keys
lie in the data folder (`shared.keys`), on Google Cloud Secret Manager puts them into variables.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from shared.startup import BadSetting
from shared.wording import in_words

Seconds = Annotated[float, Field(gt=0, le=31_536_000, allow_inf_nan=False)]
Hours = Annotated[float, Field(gt=0, le=8_760, allow_inf_nan=False)]
M = TypeVar("M", bound=BaseModel)
MOST_ACCESS_TOKEN_SECONDS = 86_400

_PROJECT = r"^[a-z0-9][a-z0-9:.-]*$"
_DATABASE = r"^(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$"
_QUEUE = r"^projects/[^/]+/locations/[^/]+/queues/[^/]+$"
_ORIGIN = r"^https?://[^/?#\s]+$"
_URL = r"^https?://\S+$"
_ACCOUNT = r"^[^@\s]+@[^@\s]+$"
_ENDPOINT = r"^[^/:\s]+:[0-9]{1,5}$"
_DOMAIN = r"^[a-z0-9-]+(\.[a-z0-9-]+)*$"
_FORMS = {
    _PROJECT: "must be a project's id: lower-case letters, digits, `-`, `.` and `:`",
    _DATABASE: "must be `(default)`, or 4 to 63 lower-case letters, digits and `-` that begin with a letter",
    _QUEUE: "must be a queue's full name: projects/…/locations/…/queues/…",
    _ORIGIN: "must be http:// or https:// and a host, without a path",
    _URL: "must be a URL that begins with http:// or https://",
    _ACCOUNT: "must be a service account's e-mail address",
    _ENDPOINT: "must be host:port",
    _DOMAIN: "must be a domain in lower-case letters, digits, `-` and `.`",
}
"""What a value that doesn't match must be."""

Account = Annotated[str, Field(pattern=_ACCOUNT, max_length=254)]
"""A service account's e-mail address."""

_HOST_PORT = re.compile(r"([^][/:\s]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
KeyName = Literal["signing", "identity"]
"""The keys of an instance: key `signing` is field `signing_key` of `Google`."""
KEY_BYTES = 32
"""The least that a key has."""


def key_bytes(key: SecretStr) -> bytes:
    """The bytes that a key setting stands for. Raises ValueError when it is no base64 of 32 bytes or more."""
    try:
        value = base64.b64decode(key.get_secret_value().translate(_URL_SAFE), validate=True)
    except binascii.Error:
        value = b""
    if len(value) < KEY_BYTES:
        raise ValueError(f"must be base64 of {KEY_BYTES} bytes or more")
    return value


def _is_key(key: SecretStr) -> SecretStr:
    key_bytes(key)
    return key


_URL_SAFE = str.maketrans("-_", "+/")
Key = Annotated[SecretStr, AfterValidator(_is_key)]


class Google(BaseModel):
    """Where an instance on Firestore and Cloud Tasks finds its parts. Variables as with `Settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: Annotated[str, Field(pattern=_PROJECT, max_length=80)]
    """The Google Cloud project."""
    database: Annotated[str, Field(pattern=_DATABASE)]
    """The Firestore database. `(default)` must be asked for in so many words."""
    queue: Annotated[str, Field(pattern=_QUEUE)]
    """The Cloud Tasks queue, its full name."""
    tasks_url: Annotated[str, Field(pattern=_ORIGIN, max_length=500)]
    """The tasks function, without a path: where callbacks go, and the audience of their tokens."""
    tasks_account: Account
    """The service account that callbacks are made as."""
    scheduler_account: Account | None = None
    """The service account that the sweep is called as, where that is another one."""
    signing_key: Key | None = None
    """What access tokens are signed with. Keys are given to those functions only that work with them."""
    previous_signing_key: Key | None = None
    """What they were signed with until the last rotation: it still verifies."""
    identity_key: Key | None = None
    """What e-mail keys and ids are made with. It never rotates."""
    tasks_endpoint: Annotated[str, Field(pattern=_ENDPOINT)] | None = None
    """host:port of a stand-in for Cloud Tasks, spoken to without TLS."""
    proxies: Annotated[int, Field(ge=1, le=9)] = 2
    """How many proxies write into X-Forwarded-For before a function reads it: Google's front end in front of
    API Gateway, and the one in front of the function."""
    certificates_url: Annotated[str, Field(pattern=_URL, max_length=500)] = (
        "https://www.googleapis.com/oauth2/v1/certs"
    )
    """Where the certificates are that tokens of service accounts are verified with."""


class Settings(BaseModel):
    """An instance's settings. Field `provisioning_seconds` is variable `ENVCTL_PROVISIONING_SECONDS`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    google: Google | None = None
    """Set by `ENVCTL_PROJECT` and its companions; without it the platform runs on this machine alone."""
    home: Path = Path("~/.envctl")
    """The data folder on one machine: database and keys."""
    pending_seconds: Seconds = 0.5
    """How long a deployment waits at least before it runs."""
    running_seconds: Seconds = 2.5
    """How long a rollout takes."""
    provisioning_seconds: Seconds = 2
    canceling_seconds: Seconds = 1
    deleting_seconds: Seconds = 2
    default_ttl_hours: Hours = 24
    """The TTL of an ephemeral environment that names none."""
    maximum_ttl_hours: Hours = 720
    """The longest lifetime of an ephemeral environment, counted from its creation."""
    grace_seconds: Seconds = 3_600
    """From expiry to deletion."""
    tombstone_seconds: Seconds = 604_800
    """How long a deleted environment stays readable with `show_deleted`."""
    deadline_seconds: Seconds = 60
    """After how long provisioning or a rollout that hangs fails, and the longest that may be asked for."""
    scenarios: bool = True
    """Whether requests may ask for outcomes (`simulation`)."""
    speed: Annotated[float, Field(ge=0.01, le=100_000, allow_inf_nan=False)] = 1
    """What all planned durations are divided by, these and those that requests ask for."""
    requests_per_minute: Annotated[int, Field(ge=1, le=10_000_000)] = 600_000
    """How many requests a process takes from one caller."""
    quota_projects: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """How many projects the instance may have; 0: as many as anybody likes."""
    quota_environments: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """How many environments may be provisioning, running or failed in it at a time; 0 likewise."""
    audit_days: Annotated[int, Field(ge=0, le=3_650)] = 90
    """How long the audit keeps an event; 0: there is no audit."""
    access_token_seconds: Annotated[int, Field(ge=60, le=MOST_ACCESS_TOKEN_SECONDS)] = 900
    """How long an access token lasts. Nothing ends one before that."""
    session_idle_hours: Hours = 336
    """How long a session lasts in which nobody refreshes: 14 days."""
    session_hours: Hours = 2_160
    """How long a session lasts at most, from its login: 90 days."""
    failed_logins_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """How many wrong passwords a process takes from one address, whatever the accounts."""
    environment_domain: Annotated[str, Field(pattern=_DOMAIN, max_length=190)] = "preview.example.com"
    """Where environments' base URLs lie: `https://<id>.<domain>`."""
    callback_secret: Annotated[SecretStr, Field(min_length=32)] | None = None
    """What callbacks must present on one machine; without it every callback is refused."""
    clock: Literal["real", "virtual"] = "real"
    """What lifecycles run on. A virtual clock stands still until it is advanced; on one machine only."""
    workers: Annotated[int, Field(ge=1, le=16)] = Field(default_factory=lambda: min(2, os.cpu_count() or 1))
    """How many processes serve HTTP on one machine."""
    logins_at_once: Annotated[int, Field(ge=1, le=64)] = 6
    """How many requests of a process may be at a password, those included that wait for their turn; further
    ones are 503. Three quarters of its threads, so that many logins keep nobody else waiting."""
    held_requests: Annotated[int, Field(ge=0, le=32)] = 4
    """How many requests a process holds, waits and streams, until there is something new; further ones
    are answered at once. Half of its threads at most: a function has eight. 0 holds none."""
    log_level: Literal["INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe lines that are written. With INFO it is a line per request."""

    @property
    def is_time_virtual(self) -> bool:
        """Whether lifecycles run on a virtual clock."""
        return self.clock == "virtual"


def load(environ: Mapping[str, str] | None = None, keys: Iterable[KeyName] = ()) -> Settings:
    """The settings that the environment gives; on Google Cloud these keys must be among them.

    Raises BadSetting with the variable's name.
    """
    given = os.environ if environ is None else environ
    known = {_variable(name) for name in (*Settings.model_fields, *Google.model_fields) if name != "google"}
    for variable in sorted(given.keys() - known):
        if variable.startswith("ENVCTL_"):
            raise BadSetting(variable, "is no setting of envctl")
    settings = _validated(Settings, given)
    if settings.default_ttl_hours > settings.maximum_ttl_hours:
        raise BadSetting("ENVCTL_DEFAULT_TTL_HOURS", "must not be above ENVCTL_MAXIMUM_TTL_HOURS")
    home, google = _home(given.get("ENVCTL_HOME"), settings.home), _google(given, keys)
    if google is not None:
        refuse_virtual_time(settings)
    return settings.model_copy(update={"home": home, "google": google})


def refuse_virtual_time(settings: Settings) -> None:
    """On Google's parts, time is real. Raises BadSetting."""
    if settings.is_time_virtual:
        raise BadSetting("ENVCTL_CLOCK", "can be virtual with `make run` only, not on Google's parts")


def _variable(name: str) -> str:
    return f"ENVCTL_{name.upper()}"


def _validated(model: type[M], given: Mapping[str, str]) -> M:
    variables = {name: _variable(name) for name in model.model_fields}
    try:
        return model.model_validate({name: given[of] for name, of in variables.items() if of in given})
    except ValidationError as fault:
        first = fault.errors(include_input=False, include_url=False)[0]
        form = _FORMS.get(first.get("ctx", {}).get("pattern", ""))
        raise BadSetting(_variable(str(first["loc"][0])), form or in_words(first)) from fault


def _google(given: Mapping[str, str], keys: Iterable[KeyName]) -> Google | None:
    """The parts on Google Cloud: all that is needed, or nothing at all."""
    if "ENVCTL_PROJECT" in given:
        google = _validated(Google, given)
        for name in (f"{key}_key" for key in keys):
            if getattr(google, name) is None:
                raise BadSetting(_variable(name), "is needed: this function works with it")
        return google
    for variable in map(_variable, Google.model_fields):
        if variable in given:
            raise BadSetting(variable, "is for Google Cloud: it needs ENVCTL_PROJECT")
    if "K_SERVICE" in given:  # Cloud Run's, which Cloud Functions run on: the disk there is memory
        raise BadSetting("ENVCTL_PROJECT", "is needed on Cloud Functions")
    return None


def refuse_google(environ: Mapping[str, str] | None = None) -> None:
    """Raise BadSetting where the parts on Google Cloud are named: a server on one machine has its own."""
    given = os.environ if environ is None else environ
    named = [variable for variable in map(_variable, Google.model_fields) if variable in given]
    if named:
        raise BadSetting(
            ", ".join(named),
            "says where an instance in the cloud is; unset it, a server on this machine has its own",
        )


def _home(given: str | None, home: Path) -> Path:
    if given == "":
        raise BadSetting("ENVCTL_HOME", "must not be empty")
    try:
        return home.expanduser()
    except RuntimeError as fault:
        raise BadSetting("ENVCTL_HOME", "names a user that there is not") from fault


def port(environ: Mapping[str, str] | None = None) -> int:
    """The port that a local server listens on: `PORT`, 8000 by default."""
    given = (os.environ if environ is None else environ).get("PORT", "8000")
    if not re.fullmatch("[0-9]{1,5}", given, re.ASCII) or not 1 <= int(given) <= 65_535:
        raise BadSetting("PORT", f"{given[:20]!r} is no port number (1 to 65535)")
    return int(given)


def firestore_emulator(environ: Mapping[str, str] | None = None) -> str | None:
    """host:port of what stands in for Firestore: `FIRESTORE_EMULATOR_HOST`, which Google's tools know too."""
    given = (os.environ if environ is None else environ).get("FIRESTORE_EMULATOR_HOST") or None
    if given is not None and not _HOST_PORT.fullmatch(given):
        raise BadSetting("FIRESTORE_EMULATOR_HOST", f"{given[:80]!r} is no host:port")
    return given


def java_home(environ: Mapping[str, str] | None = None) -> Path | None:
    """Where the user's Java is: `JAVA_HOME`, which every tool of Java's knows."""
    given = (os.environ if environ is None else environ).get("JAVA_HOME")
    return Path(given) if given else None


def for_child(**variables: str) -> dict[str, str]:
    """The environment of a process that this one starts: its own with other variables.

    Without gunicorn's variables: a user's settings for other servers are none for this one.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GUNICORN_")}
    return {**own, **variables}
