"""`shared/indexes.json` has an index for every query that the functions ask, and for nothing else.

A life of everything drives the functions; that it reaches each place where one of them makes a query is
checked against their source, so that a query which is added has to be added here.
"""

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared import purging
from shared.adapters.indexes import INDEXES, Declared, Index, read
from shared.ports import Query
from shared.times import to_text
from tests.functions.accounts import account, session
from tests.functions.api import ENVIRONMENT, PASSWORD, PERSISTENT, Api
from tests.functions.doubles import START
from tests.functions.virtual import VirtualApi

ROOT = Path(__file__).parents[2]
YEAR = 365 * 24 * 3_600


@dataclass(frozen=True)
class Place:
    """Where a query is made."""

    file: str
    line: int


def _calls(file: Path, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _places() -> set[Place]:
    files = (*ROOT.glob("functions/**/*.py"), *ROOT.glob("shared/*.py"))
    return {
        Place(str(file.relative_to(ROOT)), call.lineno) for file in files for call in _calls(file, "Query")
    }


def _live_through_everything(api: Api) -> None:
    """A project with every kind of environment, lists by every filter, its end, tasks lost and swept up."""
    project_id = api.project()
    persistent = api.running(PERSISTENT, project_id)
    environment_id = api.running(ENVIRONMENT, project_id)
    for _ in range(12):
        api.deploy(persistent)
        api.live(60)
    api.deploy(environment_id)
    environments = f"/api/v1/environments/projects/{project_id}"
    deployments = f"/api/v1/deployments/environments/{environment_id}"
    for target in (
        "/api/v1/projects",
        environments,
        f"{environments}?status=running,failed",
        f"{environments}?type=ephemeral",
        f"{environments}?status=running&type=persistent&show_deleted=true",
        deployments,
        f"{deployments}?status=running",
        f"/api/v1/environments/{persistent}/timeline",
        f"/api/v1/environments/{persistent}?at={to_text(START)}",
    ):
        assert api.get(target).status == 200, target
    token = session(api, account(api, "life@example.com")).access_token
    assert len(api.get("/api/v1/auth/sessions", token=token).body) == 1
    assert api.get("/api/v1/auth/tokens", token=token).body == []
    assert api.post("/api/v1/auth/me/delete", {"password": PASSWORD}, token=token).status == 204
    assert api.get("/api/v1/quotas").status == 200
    for target in ("/api/v1/audit", f"/api/v1/audit?project_id={project_id}"):
        assert api.get(target).body
    assert api.delete(f"/api/v1/projects/{project_id}").status == 409
    assert api.delete(f"/api/v1/projects/{project_id}?force=true").status == 204
    api.drop_tasks()
    api.advance(120)
    assert api.sweep().status == 200
    assert api.sweep(ahead=True).status == 200
    assert "purged" in api.live(YEAR)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Place, list[Query]]]:
    """Every query that is made, by where that is."""
    found: dict[Place, list[Query]] = {}
    made = Query.__init__

    def make(query: Query, *arguments: object, **named: object) -> None:
        made(query, *arguments, **named)  # type: ignore[arg-type]
        caller = sys._getframe(1)  # noqa: SLF001 - where a value comes from, nothing else says
        file = Path(caller.f_code.co_filename)
        if file.is_relative_to(ROOT):
            found.setdefault(Place(str(file.relative_to(ROOT)), caller.f_lineno), []).append(query)

    api = Api(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Query, "__init__", make)
        patch.setattr(purging, "KEPT_DEPLOYMENTS", 1)
        _live_through_everything(api)
        virtual = VirtualApi(tmp_path_factory.mktemp("virtual"))
        virtual.live(1)
        virtual.database.close()
        yield found
    api.database.close()


def _declared() -> set[Index]:
    return set(read(INDEXES))


def test_the_life_reaches_every_place_where_a_query_is_made(asked: dict[Place, list[Query]]) -> None:
    assert len(_places()) >= 11
    assert asked.keys() == _places()


def test_every_query_has_an_index_and_every_index_a_query(asked: dict[Place, list[Query]]) -> None:
    declared = Declared(read(INDEXES))
    counted = "shared/quotas.py"
    used = {
        declared.for_count(query) if place.file == counted else declared.for_pages(query)
        for place, queries in asked.items()
        for query in queries
    }
    assert used == _declared()


def test_no_index_is_declared_twice() -> None:
    indexes = list(read(INDEXES))
    assert len(indexes) == len(_declared())


# what Firestore would index by itself ------------------------------------------------------------


def _overrides() -> list[dict[str, object]]:
    overrides: list[dict[str, object]] = json.loads(INDEXES.read_text(encoding="utf-8"))["fieldOverrides"]
    return overrides


def _collections() -> set[str]:
    """Those that there are documents in, by the one module that names documents."""
    calls = _calls(ROOT / "shared" / "documents.py", "Ref")
    return {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}


def test_no_field_of_any_collection_is_indexed_unless_that_is_declared() -> None:
    exempt = {
        one["collectionGroup"] for one in _overrides() if (one["fieldPath"], one["indexes"]) == ("*", [])
    }
    assert exempt == _collections()
    assert len(exempt) >= 4


def test_an_override_of_a_field_has_indexes_for_queries_only() -> None:
    """In one direction, of one collection: each more is a write more. What a TTL policy looks at has none."""
    ascending = [{"order": "ASCENDING", "queryScope": "COLLECTION"}]
    for one in _overrides():
        if one["fieldPath"] != "*":
            assert one["indexes"] == ([] if one.get("ttl") else ascending), one
