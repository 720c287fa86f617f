"""cloudbuild.yaml: what Cloud Build reads, made of commands that are run elsewhere too."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML  # comes with check-jsonschema

from infra.gateway import functions

ROOT = Path(__file__).parents[2]
FILE = ROOT / "cloudbuild.yaml"
BUILD: dict[str, Any] = YAML(typ="safe").load(FILE)
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in BUILD["steps"]}


def test_it_is_what_cloud_builds_schema_asks_for() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.cloudbuild", str(FILE)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def _waits_for(step: str) -> set[str]:
    """All that a step comes after."""
    direct = {name for name in STEPS[step].get("waitFor", []) if name != "-"}
    return direct.union(*map(_waits_for, direct))


def test_nothing_is_applied_that_was_not_tested_planned_and_asked_for() -> None:
    assert _waits_for("apply") == {"test", "bundle", "init", "validate", "plan"}
    assert BUILD["substitutions"]["_APPLY"] == "false"
    script = STEPS["apply"]["args"][-1]
    for asked, said in (("false", ""), ("true", "terraform -chdir=infra apply -input=false envctl.tfplan\n")):
        spoken = script.replace("$_APPLY", asked).replace("terraform", "echo terraform")
        assert (
            subprocess.run(["/bin/sh", "-c", spoken], capture_output=True, text=True, check=True).stdout
            == said
        )


def test_what_is_applied_is_what_was_planned() -> None:
    (planned,) = (item.removeprefix("-out=") for item in STEPS["plan"]["args"] if item.startswith("-out="))
    assert f"-input=false {planned};" in STEPS["apply"]["args"][-1]


def test_its_make_targets_are_what_ci_runs_or_a_test_does() -> None:
    targets = {step["args"][0] for step in STEPS.values() if step.get("entrypoint") == "make"}
    assert targets == {"check", "bundle"}
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^attend make check ", ci, re.MULTILINE)
    assert "-m infra.bundle" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_python_is_the_functions_and_every_image_is_pinned() -> None:
    (runtime,) = {entry["runtime"] for entry in functions().values()}
    images = {step["name"] for step in STEPS.values()}
    assert images == {runtime.replace("python3", "python:3."), "hashicorp/terraform:1.11.4"}
