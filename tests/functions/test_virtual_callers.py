"""Who calls, where time is virtual: tokens live by the real clock, and objects stay their owners'."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared import documents, project_documents, tokens
from shared.domain.roles import Role
from shared.leaving import leave_projects
from shared.ports import Update
from shared.virtual_clock import REF
from tests.functions.accounts import account
from tests.functions.api import KEYS
from tests.functions.doubles import START
from tests.functions.virtual import ADVANCE, CLOCK, VirtualApi, at

DAY = 86_400


def test_others_objects_are_carried_on_and_not_shown(virtual: VirtualApi) -> None:
    stranger = virtual.join()
    mine, theirs = virtual.environment(), virtual.environment(token=stranger)
    assert [event["id"] for event in virtual.events({"by": "PT2S"})] == [mine]
    assert virtual.get(f"/api/v1/environments/{theirs}", token=stranger)["status"] == "running"
    assert virtual.stored(documents.environment_ref(theirs)).data["status"] == "running"
    told = virtual.post(ADVANCE, {"by": "P30D"}, token=stranger)["settled"]
    assert {event["id"] for event in told} == {theirs}


def test_tokens_last_as_long_as_they_do_in_real_time(virtual: VirtualApi) -> None:
    me = virtual.get("/api/v1/auth/me")["id"]
    token = tokens.issue(KEYS, me, "t", START, timedelta(hours=1))
    virtual.live(300 * DAY)
    assert virtual.get(CLOCK, token=token)["now"] == at(300 * DAY)
    virtual.clock.advance(3_600)
    assert virtual.get(CLOCK, token=token).status == 401


def _api_token(virtual: VirtualApi, scope: str, **fields: Any) -> str:  # noqa: ANN401 - any JSON value
    body = {"name": "ci", "scopes": [scope], **fields}
    return str(virtual.post("/api/v1/auth/tokens", body)["token"])


def test_an_api_token_that_may_deploy_everywhere_may_advance(virtual: VirtualApi) -> None:
    token = _api_token(virtual, "deploy")
    assert virtual.post(ADVANCE, {"by": "PT1S"}, token=token).status == 200
    assert virtual.get(CLOCK, token=token)["now"] == at(1)


@pytest.mark.parametrize("is_bound", [False, True])
def test_one_that_may_only_read_or_is_for_one_project_looks_only(
    virtual: VirtualApi, *, is_bound: bool
) -> None:
    bound = {"project_id": virtual.project()}
    token = _api_token(virtual, "deploy", **bound) if is_bound else _api_token(virtual, "read")
    assert virtual.post(ADVANCE, {"by": "PT1S"}, token=token).status == 403
    assert virtual.get(CLOCK, token=token)["now"] == at(0)


def test_an_api_token_expires_by_the_real_clock(virtual: VirtualApi) -> None:
    token = _api_token(virtual, "deploy", expires_in_days=1)
    virtual.live(30 * DAY)
    assert virtual.post(ADVANCE, {"by": "PT1S"}, token=token).status == 200
    virtual.clock.advance(DAY)
    assert virtual.post(ADVANCE, {"by": "PT1S"}, token=token).status == 401
    assert virtual.now() == START + timedelta(days=30, seconds=1)


def test_a_deleted_api_token_moves_nothing(virtual: VirtualApi) -> None:
    token = _api_token(virtual, "deploy")
    [listed] = virtual.get("/api/v1/auth/tokens").body
    virtual.delete(f"/api/v1/auth/tokens/{listed['id']}")
    before = virtual.stored(REF)
    assert virtual.post(ADVANCE, {"by": "PT1S"}, token=token).status == 401
    assert virtual.stored(REF) == before


def test_who_leaves_a_project_leaves_it_at_the_clock_s_moment(virtual: VirtualApi) -> None:
    leaver, ref = account(virtual, "leaver@example.com"), documents.project_ref(virtual.project())
    document = virtual.stored(ref)
    project = project_documents.project(document.data)
    project = replace(project, roles={**project.roles, leaver.id: Role.VIEWER})
    virtual.store.inner.commit(Update(ref, project_documents.project_data(project), document.version))
    virtual.live(60)
    virtual.clock.advance(30 * DAY)
    leave_projects(virtual.runtime, leaver.id)
    assert virtual.stored(ref).data["as_of"] == at(60)
    assert leaver.id not in virtual.stored(ref).data["roles"]
