"""The settings of an instance: read from the environment once, validated, frozen.

This is the only module that reads the environment. No secret has a default: on one machine keys
lie in the data folder (`shared.keys`).
"""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from shared.errors import BadSetting

Seconds = Annotated[float, Field(gt=0, le=31_536_000, allow_inf_nan=False)]
Hours = Annotated[float, Field(gt=0, le=8_760, allow_inf_nan=False)]


class Settings(BaseModel):
    """An instance's settings. Field `provisioning_seconds` is variable `ENVCTL_PROVISIONING_SECONDS`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    access_token_seconds: Annotated[int, Field(ge=60, le=86_400)] = 3_600
    environment_domain: Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$", max_length=190)] = (
        "preview.example.com"
    )
    """Where environments' base URLs lie: `https://<id>.<domain>`."""
    callback_secret: Annotated[SecretStr, Field(min_length=32)] | None = None
    """What callbacks must present on one machine; without it every callback is refused."""
    workers: Annotated[int, Field(ge=1, le=16)] = Field(default_factory=lambda: min(2, os.cpu_count() or 1))
    """How many processes serve HTTP on one machine."""
    log_level: Literal["INFO", "WARNING", "ERROR"] = "INFO"
    """The least severe lines that are written. With INFO it is a line per request."""

    @property
    def tombstone(self) -> timedelta:
        """How long a deleted environment stays readable."""
        return timedelta(seconds=self.tombstone_seconds)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment gives. Raises BadSetting with the variable's name."""
    given = os.environ if environ is None else environ
    known = {f"ENVCTL_{name.upper()}" for name in Settings.model_fields}
    for variable in sorted(given.keys() - known):
        if variable.startswith("ENVCTL_"):
            raise BadSetting(variable, "is no setting of envctl")
    values = {
        name: given[variable]
        for name in Settings.model_fields
        if (variable := f"ENVCTL_{name.upper()}") in given
    }
    try:
        settings = Settings.model_validate(values)
    except ValidationError as fault:
        first = fault.errors(include_input=False, include_url=False)[0]
        raise BadSetting(f"ENVCTL_{str(first['loc'][0]).upper()}", first["msg"]) from fault
    if settings.default_ttl_hours > settings.maximum_ttl_hours:
        raise BadSetting("ENVCTL_DEFAULT_TTL_HOURS", "must not be above ENVCTL_MAXIMUM_TTL_HOURS")
    return settings.model_copy(update={"home": _home(values.get("home"), settings.home)})


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


def for_child(**variables: str) -> dict[str, str]:
    """The environment of a process that this one starts: its own with other variables.

    Without gunicorn's variables: a user's settings for other servers are none for this one.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("GUNICORN_")}
    return {**own, **variables}
