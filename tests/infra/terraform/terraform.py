"""Terraform on a copy of infra/, with the providers that are there: the registry's or stand-ins."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
KEPT = ("infra", "shared/indexes.json")
"""What Terraform reads."""


@dataclass(frozen=True)
class Ran:
    """What a command said."""

    command: str
    code: int
    output: str


@dataclass(frozen=True)
class Workspace:
    """A copy of infra/ in which anything may be broken."""

    root: Path

    @classmethod
    def copied(cls, to: Path, source: Path = ROOT) -> "Workspace":
        """A copy of what Terraform reads, with what `init` made there."""
        (to / "shared").mkdir(parents=True)
        shutil.copytree(source / KEPT[0], to / KEPT[0], symlinks=True)
        shutil.copyfile(source / KEPT[1], to / KEPT[1])
        return cls(to)

    def run(self, *arguments: str, module: str = "infra") -> Ran:
        """`terraform` with arguments, in a module."""
        command = ["terraform", *arguments]
        ran = subprocess.run(
            command,
            cwd=self.root / module,
            env={
                **os.environ,
                "TF_CLI_ARGS": "-no-color",
                "GOGC": "400",
            },  # collecting is a third of its work
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(" ".join(command), ran.returncode, ran.stdout + ran.stderr)

    def init(self, module: str = "infra") -> None:
        """Fetch providers and modules; no state is looked for."""
        ran = self.run("init", "-backend=false", "-input=false", module=module)
        assert ran.code == 0, ran.output

    def plan(self, test: str) -> "Plan":
        """What Terraform would do, by the one `run` of a test file of the root module."""
        (plan,) = self.plans(test).values()
        return plan

    def plans(self, test: str, module: str = "infra") -> dict[str, "Plan"]:
        """What Terraform would do, by each `run` of a test file that plans and is not refused."""
        ran = self.run("test", "-json", "-verbose", f"-filter=tests/{test}.tftest.hcl", module=module)
        assert ran.code == 0, ran.output[-5_000:]
        said = [json.loads(line) for line in ran.output.splitlines() if '"test_plan"' in line]
        return {
            one["@testrun"]: Plan(
                [change for change in one["test_plan"]["resource_changes"] if change["mode"] == "managed"]
            )
            for one in said
        }


@dataclass(frozen=True)
class Plan:
    """The resources that a plan makes, changes, keeps and removes."""

    changes: list[dict[str, Any]]

    @cached_property
    def differing(self) -> dict[str, dict[str, Any]]:
        """What is not kept as it is: address and its actions, with what was before and will be after."""
        return {
            change["address"]: change["change"]
            for change in self.changes
            if change["change"]["actions"] != ["no-op"]
        }

    @cached_property
    def types(self) -> set[str]:
        return {change["type"] for change in self.changes}

    def of(self, kind: str, team: str | None = None) -> dict[str, dict[str, Any]]:
        """The resources of a type, of one team or of all: address and what it will be."""
        return {
            change["address"]: change["change"]["after"]
            for change in self.changes
            if change["type"] == kind and (team is None or is_of(change["address"], team))
        }

    def team(self, team: str) -> dict[str, dict[str, Any]]:
        """All that a team has."""
        return {
            change["address"]: change["change"]["after"]
            for change in self.changes
            if is_of(change["address"], team)
        }


def is_of(address: str, team: str) -> bool:
    return address.startswith(f'module.instance["{team}"].')
