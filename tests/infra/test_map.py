"""What Terraform reads is what the code is: functions, settings, the gateway's routes, log lines, indexes."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import gateway, settings
from shared import groups
from shared.adapters.firestore_values import EXPIRING
from shared.adapters.indexes import INDEXES, policies
from shared.config import Google, Settings
from shared.http.routes import Route
from shared.http.types import PageParameters
from shared.keys import Keys

ROOT = Path(__file__).parents[2]
INSTANCE = ROOT / "infra" / "modules" / "instance"
MAP = gateway.functions()
MONITORING = (INSTANCE / "monitoring.tf").read_text(encoding="utf-8")
ENQUEUEING = {"change_environment", "enqueue", "wake", "wake_environment"}
"""What of `shared.changing` and `shared.waking` asks for a wake-up."""
DERIVED = {name for name in vars(Keys) if inspect.isfunction(vars(Keys)[name]) and not name.startswith("_")}
"""What of `Keys` is made with the identity key: all that it makes."""


def _routes() -> Iterator[Route]:
    for name in groups.names():
        yield from groups.load(name).routes


def test_every_function_is_in_the_map_and_every_entry_is_a_function() -> None:
    assert sorted(MAP) == groups.names()


@pytest.mark.parametrize("name", groups.names())
def test_an_entry_says_all_that_terraform_asks_for_and_nothing_else(name: str) -> None:
    text = (INSTANCE / "variables.tf").read_text(encoding="utf-8")
    asked = text[text.index('variable "functions"') :].partition("}))")[0]
    assert set(MAP[name]) == set(re.findall(r"^    (\w+) +=", asked, re.MULTILINE))


def test_the_runtime_is_one_that_the_tests_cover() -> None:
    runtimes = {entry["runtime"] for entry in MAP.values()}
    assert len(runtimes) == 1
    minor = int(runtimes.pop().removeprefix("python3"))
    covered = re.findall(r"for minor in ([\d ]+);", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert str(minor) in covered[0].split()


@pytest.mark.parametrize("route", [*_routes()], ids=lambda route: f"{route.method} {route.path}")
def test_a_route_lies_below_its_functions_prefixes_and_no_others(route: Route) -> None:
    def is_below(prefix: str) -> bool:
        return f"{route.full_path}/".startswith(f"{prefix.rstrip('/')}/")

    longest = max(
        (prefix for entry in MAP.values() for prefix in entry["routes"] if is_below(prefix)), key=len
    )
    assert longest in MAP[route.group]["routes"]
    assert route.internal == ("gateway" not in MAP[route.group]["invoked_by"])


@pytest.mark.parametrize("name", groups.names())
def test_a_function_may_enqueue_if_and_only_if_it_does(name: str) -> None:
    used = {
        alias.name
        for file in (ROOT / "functions" / name).glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in {"shared.changing", "shared.waking"}
        for alias in node.names
    }
    assert MAP[name]["enqueues"] == bool(used & ENQUEUEING)


def test_a_function_whose_requests_are_written_down_may_write() -> None:
    """A token's use is noted, and so is the refusal of what was to change something."""
    for route in _routes():
        if route.needs is not None or route.method != "GET":
            assert MAP[route.group]["database_role"] == "roles/datastore.user", route.full_path


@pytest.mark.parametrize("name", groups.names())
def test_a_function_is_given_exactly_the_secrets_that_it_uses(name: str) -> None:
    """The signing key by who asks for access tokens; the identity key by who makes or reads what it seals.

    That it is given no less: `tests/functions/api.py` serves every test's requests with these keys only.
    """
    routes = groups.load(name).routes
    signs = any(not (route.public or route.internal) for route in routes)
    seals = any(route.repeatable or issubclass(route.query or object, PageParameters) for route in routes)
    names_it = any(
        isinstance(node, ast.Attribute) and node.attr in DERIVED
        for file in (ROOT / "functions" / name).glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    )
    used = ["signing"] * signs + ["identity"] * (seals or names_it)
    assert MAP[name]["secrets"] == list(groups.load(name).keys) == used, (
        f"infra/functions.json, and `keys` of functions/{name}/routes.py"
    )


def test_the_gateways_document_is_fresh() -> None:
    file = ROOT / "infra" / "gateway.json.tftpl"
    assert file.read_text(encoding="utf-8") == gateway.text(), "run `make openapi`"


def test_settings_and_their_bounds_are_the_models() -> None:
    file = ROOT / "infra" / "settings.json"
    assert file.read_text(encoding="utf-8") == settings.text(), "run `make openapi`"
    assert set(Settings.model_fields) > settings.ONE_MACHINE
    assert set(Google.model_fields) > settings.OF_GOOGLE


def test_terraform_looks_at_every_kind_of_bound_that_the_model_has() -> None:
    found = {key for said in settings.described().values() for key in said}
    assert found - {"title", "description"} <= set(settings.SAID)
    text = (INSTANCE / "variables.tf").read_text(encoding="utf-8")
    for bound in {key for described in settings.settings().values() for key in described} - {
        "type",
        "default",
    }:
        assert f'"{bound}"' in text or f"bound.{bound}" in text, bound


def test_whatever_ends_by_itself_has_a_ttl_policy() -> None:
    """As many kinds of documents say when they end as collections have a policy."""
    said = [
        file
        for folder in ("functions", "shared")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and key.value == EXPIRING
    ]
    assert len(said) == len(list(policies(json.loads(INDEXES.read_text(encoding="utf-8"))))), said


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in gateway.document()["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def test_every_public_route_has_its_operation_and_callbacks_have_none() -> None:
    served = {
        (method.upper(), path): operation["x-google-backend"]["address"]
        for path, method, operation in _operations()
    }
    for route in _routes():
        address = served.get((route.method, route.full_path))
        assert address == (None if route.internal else f"${{urls.{route.group}}}")
    assert "urls.tasks" not in gateway.text()


def test_operations_have_names_of_their_own_and_name_their_parameters() -> None:
    ids = [operation["operationId"] for _, _, operation in _operations()]
    assert len(set(ids)) == len(ids)
    for path, _, operation in _operations():
        assert [one["name"] for one in operation["parameters"]] == re.findall(r"{(\w+)", path)


def test_what_lies_below_a_prefix_goes_to_its_function_whatever_the_method() -> None:
    methods = {path: set(operations) for path, operations in gateway.document()["paths"].items()}
    for name, entry in MAP.items():
        for prefix in entry["routes"] if "gateway" in entry["invoked_by"] else ():
            assert methods[prefix] == methods[prefix.rstrip("/") + "/{rest=**}"] == set(gateway.METHODS), name


def test_metrics_are_counted_from_lines_that_are_written() -> None:
    written = "".join(
        (ROOT / file).read_text(encoding="utf-8")
        for file in ("functions/tasks/sweeping.py", "shared/http/app.py")
    )
    for message in re.findall(r'jsonPayload\.message=\\"(.+?)\\"', MONITORING):
        assert f'"{message}"' in written
    assert 'retry=request.headers.get("X-CloudTasks-TaskRetryCount")' in written


def test_the_runbook_has_a_section_on_every_alert_and_on_no_other() -> None:
    alerts = {"repaired", "retried", "late", "errors", "down"}
    for alert in alerts:
        assert re.search(rf'^ +{alert} += {{|"{alert}" => {{', MONITORING, re.MULTILINE)
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### (\w+)$", runbook, re.MULTILINE)) == alerts


def test_nothing_in_the_modules_is_for_everybody_or_named_at_random() -> None:
    for file in (ROOT / "infra").rglob("*.tf"):
        text = re.sub(r"#.*", "", file.read_text(encoding="utf-8"))
        assert "allUsers" not in text
        assert "allAuthenticatedUsers" not in text
        assert not re.search(r"random_(id|pet|string|uuid|integer)", text)
