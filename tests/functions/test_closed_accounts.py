"""What an access token makes after its account's end does not stay behind, whatever fails meanwhile."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared import documents, leaving
from shared.config import MOST_ACCESS_TOKEN_SECONDS
from shared.errors import Conflict, Unavailable
from shared.ports import Ref, Write
from tests.functions.api import ENVIRONMENT, PASSWORD, Api
from tests.functions.virtual import ADVANCE, VirtualApi

DAY = 86_400
UNTIL_CLOSED = leaving.TOKENS_END.total_seconds()


def _delete(api: Api, token: str) -> str:
    """The id of an account that ends now. Its access token goes on."""
    user_id = str(api.get("/api/v1/auth/me", token=token)["id"])
    assert api.post("/api/v1/auth/me/delete", {"password": PASSWORD}, token=token).status == 204
    return user_id


def _sweep(api: Api, seconds: float) -> list[str]:
    """Let time pass, then have the sweep look; what became of the tasks."""
    api.live(seconds)
    api.sweep()
    return api.run_due()


def _is_there(api: Api, project_id: str) -> bool:
    """Whether it is stored and has not ended."""
    found = api.store.inner.get(documents.project_ref(project_id))
    return found is not None and not found.data["ended"]


def _closed(api: Api) -> list[Ref]:
    return [
        Ref("closed_accounts", name)
        for (name,) in api.database.fetch("SELECT id FROM documents WHERE collection = 'closed_accounts'")
    ]


def test_no_access_token_outlasts_the_look() -> None:
    assert timedelta(seconds=MOST_ACCESS_TOKEN_SECONDS) < leaving.TOKENS_END


def test_a_project_that_nobody_would_own_ends_with_all_that_is_in_it(api: Api) -> None:
    token = api.join()
    _delete(api, token)
    project_id = api.project(token=token)
    environment_id = api.environment(project_id, ENVIRONMENT, token=token)
    api.post(
        f"/api/v1/projects/{project_id}/members",
        {"email": "person-0@example.com", "role": "viewer"},
        token=token,
    )
    assert _sweep(api, UNTIL_CLOSED - 1) == [], "it is not looked at while a token may be good"
    assert _is_there(api, project_id)
    outcomes = _sweep(api, 1)
    assert outcomes[0] == "purged"
    assert not _is_there(api, project_id)
    assert api.get(f"/api/v1/projects/{project_id}").status == 404, "for its members too"
    assert _closed(api) == []
    api.live(9 * DAY)
    for ref in (documents.project_ref(project_id), documents.environment_ref(environment_id)):
        assert api.store.inner.get(ref) is None


def test_a_project_that_somebody_else_owns_too_is_left_to_them(api: Api) -> None:
    token = api.join()
    user_id = _delete(api, token)
    project_id = api.project(token=token)
    body = {"email": "person-0@example.com", "role": "owner"}
    assert api.post(f"/api/v1/projects/{project_id}/members", body, token=token).status == 201
    _sweep(api, UNTIL_CLOSED)
    assert user_id not in [one["user_id"] for one in api.all(f"/api/v1/projects/{project_id}/members")]
    assert _is_there(api, project_id)


def test_nothing_of_others_is_touched(api: Api) -> None:
    mine, token = api.project(), api.join("leaver@example.com")
    api.post(f"/api/v1/projects/{mine}/members", {"email": "leaver@example.com", "role": "owner"})
    _delete(api, token)
    again = api.post(
        "/api/v1/auth/register", {"email": "leaver@example.com", "password": PASSWORD}, token=None
    )
    theirs = api.project(token=api.token_of(again["id"]))
    _sweep(api, UNTIL_CLOSED)
    assert (_is_there(api, mine), _is_there(api, theirs)) == (True, True)


def test_many_are_ended_page_by_page(api: Api) -> None:
    token = api.join()
    _delete(api, token)
    made = [api.project(token=token) for _ in range(205)]
    outcomes = _sweep(api, UNTIL_CLOSED)
    assert [outcome for outcome in outcomes if outcome != "settled"] == ["purging", "purging", "purged"]
    assert not any(_is_there(api, project_id) for project_id in made)


def test_it_is_no_repair_and_no_warning(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    _delete(api, api.join())
    api.live(UNTIL_CLOSED)
    capsys.readouterr()
    reply = api.sweep()
    assert (reply["woken"], reply["reached"]) == (0, 1)
    assert "WARNING" not in capsys.readouterr().err


@pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
@pytest.mark.parametrize("number", range(4))
def test_wherever_it_stops_the_next_look_goes_on(api: Api, moment: str, number: int) -> None:
    """Two projects ended and the closed account removed are three commits; a fourth has no fault."""
    token = api.join()
    _delete(api, token)
    made = [api.project(token=token), api.project(token=token)]
    api.live(UNTIL_CLOSED)
    api.sweep()

    def passes(_writes: Sequence[Write]) -> None:
        pass

    def fails(_writes: Sequence[Write]) -> None:
        raise Unavailable("database")

    getattr(api.store, moment).extend([passes] * number + [fails])
    task = api.queue.tasks.pop()
    assert api.deliver(task).status == (503 if number < 3 else 200)
    api.store.before_commit, api.store.after_commit = [], []
    _sweep(api, 120)
    assert _closed(api) == []
    assert not any(_is_there(api, project_id) for project_id in made)
    api.live(9 * DAY)
    assert [api.store.inner.get(documents.project_ref(one)) for one in made] == [None, None]


def test_two_looks_at_once_do_it_once(api: Api) -> None:
    token = api.join()
    _delete(api, token)
    project_id = api.project(token=token)
    api.live(UNTIL_CLOSED)
    api.sweep()
    [task] = api.queue.tasks

    def deliver(_writes: Sequence[Write]) -> None:
        assert api.deliver(task)["outcome"] == "purged"

    api.store.before_commit.append(deliver)
    api.run_due()
    assert (_is_there(api, project_id), _closed(api)) == (False, [])
    assert api.deliver(task)["outcome"] == "gone"


@pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
@pytest.mark.parametrize("number", range(4))
def test_a_deletion_that_stops_somewhere_is_repeated(api: Api, moment: str, number: int) -> None:
    """Two projects left, the API tokens deleted, the account's own end: four commits."""
    token = api.join("leaver@example.com")
    shared = [api.project(), api.project()]
    for project_id in shared:
        body = {"email": "leaver@example.com", "role": "owner"}
        assert api.post(f"/api/v1/projects/{project_id}/members", body).status == 201
    api.post("/api/v1/auth/tokens", {"name": "ci", "scopes": ["read"]}, token=token)

    def passes(_writes: Sequence[Write]) -> None:
        pass

    def fails(_writes: Sequence[Write]) -> None:
        raise Unavailable("database")

    getattr(api.store, moment).extend([passes] * number + [fails])
    assert api.post("/api/v1/auth/me/delete", {"password": PASSWORD}, token=token).status == 503
    is_done = (moment, number) == ("after_commit", 3)
    repeat = api.post("/api/v1/auth/me/delete", {"password": PASSWORD}, token=token)
    assert repeat.status == (401 if is_done else 204)
    assert [len(api.all(f"/api/v1/projects/{project_id}/members")) for project_id in shared] == [1, 1]
    assert len(_closed(api)) == 1


def test_a_deletion_that_reported_a_conflict_and_got_through_is_done(api: Api) -> None:
    token = api.join()

    def fail(_writes: Sequence[Write]) -> None:
        raise Conflict("it")

    api.store.after_commit.append(fail)
    assert api.post("/api/v1/auth/me/delete", {"password": PASSWORD}, token=token).status == 204
    assert api.get("/api/v1/auth/me", token=token).status == 401


def test_on_a_virtual_clock_it_comes_as_everything_does(virtual: VirtualApi) -> None:
    token = virtual.join()
    _delete(virtual, token)
    project_id = virtual.project(token=token)
    assert virtual.post(ADVANCE, {"by": "P1D"}).status == 200
    assert _is_there(virtual, project_id)
    assert virtual.post(ADVANCE, {"by": "PT2M"}).status == 200
    assert (_is_there(virtual, project_id), _closed(virtual)) == (False, [])
