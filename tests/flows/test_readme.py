"""What the README says is so: its tour works as printed; its settings, commands and links are real."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from shared import config
from shared.config import Google, Settings
from tests.flows.conftest import StartServer

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()

URL_LINE = "URL=http://127.0.0.1:8000\n"
TOUR_SECONDS = 60
STORY = [
    r'^\{"id":"usr-.*"email":"test@example\.com"',
    r'\{"id":"env-.*"name":"preview-pr-123".*"status":"running","status_reason":null.*"base_url":"https://env-.*\}$',
    r'^\{"id":"dep-.*"version":"sha-1234567","number":1,"status":"succeeded","status_reason":null.*\}$',
    r"^\S+Z INFO .*Validating version sha-1234567$",
    r"^\S+Z INFO .*Deployment succeeded$",
    r'^\{"id":"env-.*"name":"short-lived".*"status":"expired","status_reason":"ttl_expired".*\}$',
    r'^\[\{.*"name":"short-lived".*"status":"expired",.*"name":"preview-pr-123".*"status":"running",.*\}\]',
    r"204\n\Z",
]
"""What the tour prints, in this order."""

NO_CHOICE = {"callback_secret", "google"}
"""Settings that nobody makes on one machine: a secret at every start, where Google's parts are."""
IN_WORDS = {
    "ENVCTL_WORKERS": "one per core, at most 2",
    "ENVCTL_LOG_LEVEL": "WARNING with `make run`",
}
"""Defaults that are no plain value."""


def section(title: str, text: str = README) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"there is no section {title}"
    return found[1]


def blocks_in(text: str) -> str:
    """The shell commands of a text, joined."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


def need_programs(*names: str) -> None:
    """Skip where a program is missing; fail when that is CI, which must not skip it."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        tell = pytest.fail if "CI" in os.environ else pytest.skip
        tell(f"the tour needs {' and '.join(missing)}")


def run_tour(url: str, folder: Path) -> str:
    """Execute the tour's blocks, joined, against another server; what they print."""
    script = blocks_in(section("Tour"))
    assert script.count(URL_LINE) == 1
    return run(script.replace(URL_LINE, f"URL={url}\n"), folder)


def run(script: str, folder: Path) -> str:
    """Execute a script; what it prints."""
    file = folder / "script.sh"
    file.write_text(script)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # the tour calls python3
    done = subprocess.run(
        ["bash", "-euo", "pipefail", str(file)],  # noqa: S607 - the user's own bash
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TOUR_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def tells(output: str, story: list[str]) -> None:
    """Fails unless every scene is in the output, one after the other."""
    position = 0
    for scene in story:
        found = re.compile(scene, re.MULTILINE).search(output, position)
        assert found, f"{scene} is missing in\n{output[position:]}"
        position = found.end()


def settings_in(table: str) -> Mapping[str, str]:
    """The variables of a table with their defaults; several may share a row."""
    found: dict[str, str] = {}
    for variables, default in re.findall(r"^\| (`.*?) \| (.*?) \| .* \|$", table, re.MULTILINE):
        names = re.findall(r"`(\w+)`", variables)
        defaults = [default] if len(names) == 1 else default.split(", ")
        assert not found.keys() & set(names), "a setting stands twice in the table"
        found.update(zip(names, defaults, strict=True))
    return found


def as_printed(default: object) -> str:
    if default is None:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, int | float) else f"`{default}`"


def test_the_tour_works_as_it_is_printed(start: StartServer, tmp_path: Path) -> None:
    need_programs("bash", "curl")
    server = start(tmp_path / "home")
    tells(run_tour(server.url, tmp_path), STORY)


def test_a_pipeline_goes_as_it_is_printed_and_ends_with_what_went_wrong(
    start: StartServer, tmp_path: Path
) -> None:
    need_programs("bash", "curl")
    server = start(tmp_path / "home")
    with closing(server.client()) as client:
        client.log_in()
        project_id = client.create("/api/v1/projects", name="payments")["id"]
        given = (
            f"URL={server.url}\nTOKEN={client.token}\nPROJECT_ID={project_id}\nCI_JOB_ID=1\nCI_COMMIT=sha-1\n"
        )
        make_token, pipeline = re.findall(r"^```sh\n(.*?)^```$", section("From CI"), re.DOTALL | re.MULTILINE)
        token = json.loads(run(given + make_token, tmp_path))["token"]
        job = f"{given}ENVCTL_TOKEN={token}\ncd {tmp_path}\n{pipeline}"
        assert run(job + "field version\nfield status\n", tmp_path) == "sha-1\nsucceeded\n"
        assert run(job + "field number\n", tmp_path) == "1\n"  # it has started over
    other = job.replace("sha-1", "sha-2") + "echo unreachable\n"
    refused = subprocess.run(["bash", "-c", other], capture_output=True, text=True, check=False)  # noqa: S607
    assert refused.returncode != 0
    assert "choose another key" in refused.stdout
    assert "unreachable" not in refused.stdout


def test_the_table_of_settings_names_every_setting_with_its_default_and_nothing_else() -> None:
    expected = {
        f"ENVCTL_{name.upper()}": as_printed(field.default)
        for name, field in Settings.model_fields.items()
        if name not in NO_CHOICE
    }
    expected["PORT"] = as_printed(config.port({}))
    assert settings_in(section("Settings")) == {**expected, **IN_WORDS}


def test_the_table_of_googles_settings_names_each_of_them_and_whether_it_is_needed() -> None:
    expected = {
        f"ENVCTL_{name.upper()}": "needed" if field.is_required() else as_printed(field.default)
        for name, field in Google.model_fields.items()
    }
    assert settings_in(section("Google's parts")) == expected


def test_every_make_target_that_the_readme_names_exists() -> None:
    code = "\n".join(re.findall(r"^ {4}.*$|`[^`]+`", README, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"run", "test"} <= named
    assert named <= targets


def test_every_path_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", README)
    paths = [link.partition("#")[0] for link in links if not re.match(r"https?:|#", link)]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
