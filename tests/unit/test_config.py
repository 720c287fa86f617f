"""Settings: read from the environment once, bounded, and refused with the variable's name."""

import base64
from pathlib import Path

import pytest

from shared import config
from shared.config import Settings
from shared.startup import BadSetting

DEFAULTS = {
    "pending_seconds": 0.5,
    "running_seconds": 2.5,
    "provisioning_seconds": 2,
    "canceling_seconds": 1,
    "deleting_seconds": 2,
    "default_ttl_hours": 24,
    "maximum_ttl_hours": 720,
    "grace_seconds": 3_600,
    "tombstone_seconds": 604_800,
    "access_token_seconds": 900,
    "session_idle_hours": 336,
    "session_hours": 2_160,
    "failed_logins_per_minute": 600,
    "deadline_seconds": 60,
}


def test_without_any_variable_the_documented_defaults_hold() -> None:
    settings = config.load({})
    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS
    assert settings.home == Path("~/.envctl").expanduser()
    assert settings.callback_secret is None, "no secret has a default"
    assert (settings.speed, settings.scenarios) == (1, True)


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_setting_is_the_variable_of_its_name(name: str) -> None:
    settings = config.load({f"ENVCTL_{name.upper()}": "100", name: "5", f"envctl_{name}": "6", "OTHER": "x"})
    assert getattr(settings, name) == 100
    assert getattr(settings, next(other for other in DEFAULTS if other != name)) != 100


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize("value", ["", "x", "0", "-1", "nan", "inf", "1e999", "1,5", "31536001", "true"])
def test_a_value_that_can_not_be_is_refused_with_the_variables_name(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as refused:
        config.load({f"ENVCTL_{name.upper()}": value})
    assert str(refused.value).startswith(f"ENVCTL_{name.upper()}: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("text", "speed"), [("0.01", 0.01), ("60", 60), ("100000", 100_000)])
def test_an_instance_is_as_fast_as_it_is_told(text: str, speed: float) -> None:
    assert config.load({"ENVCTL_SPEED": text}).speed == speed


@pytest.mark.parametrize("value", ["", "0", "-1", "0.009", "100001", "nan", "inf", "fast", "true"])
def test_a_speed_that_can_not_be_is_refused(value: str) -> None:
    with pytest.raises(BadSetting, match=r"^ENVCTL_SPEED: "):
        config.load({"ENVCTL_SPEED": value})


@pytest.mark.parametrize(("text", "on"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_scenarios_are_on_or_off(text: str, *, on: bool) -> None:
    assert config.load({"ENVCTL_SCENARIOS": text}).scenarios is on


@pytest.mark.parametrize("value", ["", "2", "none", "flaky"])
def test_scenarios_are_nothing_else(value: str) -> None:
    with pytest.raises(BadSetting, match=r"^ENVCTL_SCENARIOS: "):
        config.load({"ENVCTL_SCENARIOS": value})


@pytest.mark.parametrize("domain", ["", "a b", "UPPER.example.com", "a..b", "https://x", "x/", "a" * 191])
def test_a_domain_that_is_none_is_refused(domain: str) -> None:
    with pytest.raises(BadSetting, match="ENVCTL_ENVIRONMENT_DOMAIN"):
        config.load({"ENVCTL_ENVIRONMENT_DOMAIN": domain})


def test_a_short_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(BadSetting, match="ENVCTL_CALLBACK_SECRET") as refused:
        config.load({"ENVCTL_CALLBACK_SECRET": "hunter2-hunter2"})
    assert "hunter2" not in str(refused.value)


def test_a_secret_does_not_show_in_the_settings() -> None:
    settings = config.load({"ENVCTL_CALLBACK_SECRET": "s" * 32})
    assert settings.callback_secret is not None
    assert settings.callback_secret.get_secret_value() == "s" * 32
    assert "s" * 32 not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().grace_seconds = 1


def test_a_home_may_begin_with_a_tilde() -> None:
    assert config.load({"ENVCTL_HOME": "~/other"}).home == Path.home() / "other"


@pytest.mark.parametrize("value", ["", "0", "65536", "-1", "8000.0", "+80", " 80", "x", "٨٠", "9" * 400])
def test_a_port_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(BadSetting, match="PORT"):
        config.port({"PORT": value})


def test_a_port_is_8000_unless_it_is_set() -> None:
    assert [config.port({}), config.port({"PORT": "1"}), config.port({"PORT": "65535"})] == [8_000, 1, 65_535]


@pytest.mark.parametrize(
    ("variable", "values"),
    [
        ("ENVCTL_HOME", {"ENVCTL_HOME": ""}),
        ("ENVCTL_HOME", {"ENVCTL_HOME": "~nobody-has-this-name/x"}),
        ("ENVCTL_DEFAULT_TTL_HOURS", {"ENVCTL_MAXIMUM_TTL_HOURS": "1"}),
        ("ENVCTL_DEFAULT_TTL_HOURS", {"ENVCTL_DEFAULT_TTL_HOURS": "721"}),
    ],
)
def test_values_that_can_not_stand_together_or_name_nothing_are_refused(
    variable: str, values: dict[str, str]
) -> None:
    with pytest.raises(BadSetting, match=variable):
        config.load(values)


# Google Cloud ----------------------------------------------------------------------------------

KEY = base64.b64encode(bytes(32)).decode()
KEYS = ["ENVCTL_SIGNING_KEY", "ENVCTL_PREVIOUS_SIGNING_KEY", "ENVCTL_IDENTITY_KEY"]
ON_GOOGLE = {
    "ENVCTL_PROJECT": "acme-platform",
    "ENVCTL_DATABASE": "team-a",
    "ENVCTL_QUEUE": "projects/acme-platform/locations/europe-west1/queues/team-a",
    "ENVCTL_TASKS_URL": "https://team-a-tasks.a.run.app",
    "ENVCTL_TASKS_ACCOUNT": "tasks@acme-platform.iam.gserviceaccount.com",
    "ENVCTL_SIGNING_KEY": KEY,
    "ENVCTL_IDENTITY_KEY": base64.urlsafe_b64encode(bytes([255] * 40)).decode(),
}


def test_on_google_cloud_every_part_is_named() -> None:
    google = config.load({**ON_GOOGLE, "K_SERVICE": "projects"}).google
    assert google is not None
    assert {f"ENVCTL_{name.upper()}": value for name, value in google if name in {"project", "database"}} == {
        "ENVCTL_PROJECT": "acme-platform",
        "ENVCTL_DATABASE": "team-a",
    }
    assert google.identity_key is not None
    assert config.key_bytes(google.identity_key) == bytes([255] * 40)
    assert google.previous_signing_key is None
    assert google.tasks_endpoint is None


@pytest.mark.parametrize("variable", [name for name in ON_GOOGLE if name != "ENVCTL_PROJECT"])
def test_a_part_that_is_not_named_is_asked_for(variable: str) -> None:
    given = {name: value for name, value in ON_GOOGLE.items() if name != variable}
    with pytest.raises(BadSetting, match=f"^{variable}: "):
        config.load(given, ["signing", "identity"])


def test_keys_are_asked_for_by_those_only_that_work_with_them() -> None:
    google = config.load({name: value for name, value in ON_GOOGLE.items() if "KEY" not in name}).google
    assert google is not None
    assert google.signing_key is google.identity_key is None
    with pytest.raises(BadSetting, match=r"^ENVCTL_IDENTITY_KEY: "):
        config.load({**ON_GOOGLE, "ENVCTL_IDENTITY_KEY": ""})


@pytest.mark.parametrize("name", [name for name in config.Google.model_fields if name != "project"])
def test_a_part_of_google_cloud_without_a_project_is_refused(name: str) -> None:
    with pytest.raises(BadSetting, match=f"^ENVCTL_{name.upper()}: .*ENVCTL_PROJECT"):
        config.load({f"ENVCTL_{name.upper()}": "x"})


def test_time_is_real_there() -> None:
    assert config.load({**ON_GOOGLE, "ENVCTL_CLOCK": "real"}).google
    with pytest.raises(BadSetting, match=r"^ENVCTL_CLOCK: .*make run"):
        config.load({**ON_GOOGLE, "ENVCTL_CLOCK": "virtual"})


def test_cloud_functions_without_a_project_are_refused_instead_of_writing_to_memory() -> None:
    with pytest.raises(BadSetting, match=r"^ENVCTL_PROJECT: "):
        config.load({"K_SERVICE": "projects"})


def test_the_default_database_must_be_asked_for_in_so_many_words() -> None:
    google = config.load({**ON_GOOGLE, "ENVCTL_DATABASE": "(default)"}).google
    assert google is not None
    assert google.database == "(default)"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ENVCTL_PROJECT", "Not A Project", "a project's id"),
        ("ENVCTL_DATABASE", "", "4 to 63 lower-case letters"),
        ("ENVCTL_DATABASE", "abc", "4 to 63 lower-case letters"),
        ("ENVCTL_DATABASE", "UPPER", "4 to 63 lower-case letters"),
        ("ENVCTL_QUEUE", "team-a", "projects/…/locations/…/queues/…"),
        ("ENVCTL_TASKS_URL", "https://tasks.example.com/path", "without a path"),
        ("ENVCTL_TASKS_URL", "tasks.example.com", "http:// or https://"),
        ("ENVCTL_TASKS_ACCOUNT", "nobody", "a service account's e-mail address"),
        ("ENVCTL_TASKS_ENDPOINT", "localhost", "host:port"),
        ("ENVCTL_CERTIFICATES_URL", "file:///etc/passwd", "begins with http:// or https://"),
        ("ENVCTL_ENVIRONMENT_DOMAIN", "Not.A.Domain", "a domain in lower-case letters"),
        ("ENVCTL_PROXIES", "0", "must be at least 1"),
    ],
)
def test_a_part_that_can_not_be_is_refused_in_words(variable: str, value: str, said: str) -> None:
    with pytest.raises(BadSetting, match=f"^{variable}: must be .*{said}|^{variable}: {said}$"):
        config.load({**ON_GOOGLE, variable: value})


def test_a_server_on_one_machine_refuses_whatever_says_where_the_cloud_s_parts_are() -> None:
    config.refuse_google({"ENVCTL_RUNNING_SECONDS": "1"})
    with pytest.raises(BadSetting, match=r"^ENVCTL_PROJECT, ENVCTL_DATABASE, ENVCTL_SIGNING_KEY: .*unset"):
        config.refuse_google(
            {"ENVCTL_SIGNING_KEY": KEY, "ENVCTL_PROJECT": "acme-platform", "ENVCTL_DATABASE": "team-a"}
        )


@pytest.mark.parametrize("variable", KEYS)
@pytest.mark.parametrize("value", ["", "hunter2", base64.b64encode(b"hunter2" * 4).decode(), KEY + "!"])
def test_a_key_that_is_none_is_refused_without_being_shown(variable: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{variable}: ") as refused:
        config.load({**ON_GOOGLE, variable: value})
    assert not value or value not in str(refused.value)
