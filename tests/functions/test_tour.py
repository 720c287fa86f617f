"""The tour of the product, as its first user takes it."""

import pytest

from tests.functions.api import Api


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_tour_works_with_and_without_trailing_slashes(api: Api, slash: str) -> None:
    account = {"email": "test@example.com", "password": "secret123"}
    registered = api.post(f"/api/v1/auth/register{slash}", account, token=None)
    assert (registered.status, registered["email"]) == (201, "test@example.com")
    form = {"username": "test@example.com", "password": "secret123"}
    login = api.post(f"/api/v1/auth/login{slash}", token=None, data=form)
    assert (login.status, login["token_type"], login["expires_in"]) == (200, "bearer", 900)
    api.token = login["access_token"]
    assert api.get(f"/api/v1/auth/me{slash}").body == registered.body

    new_project = {"name": "payments", "description": "payment service"}
    project = api.post(f"/api/v1/projects{slash}", new_project)
    assert (project.status, project["description"], project["repo_url"]) == (201, "payment service", None)
    assert project.headers["Location"] == f"/api/v1/projects/{project['id']}"
    assert api.get(f"/api/v1/projects/{project['id']}{slash}").body == project.body
    assert api.get(f"/api/v1/projects{slash}").body == [project.body]

    new_environment = {"name": "preview-pr-123", "type": "ephemeral", "ttl_hours": 24}
    opened = api.post(f"/api/v1/environments/projects/{project['id']}{slash}", new_environment)
    assert (opened.status, opened["status"], opened["base_url"]) == (201, "provisioning", None)
    environment_id = opened["id"]
    api.live(2)
    running = api.get(f"/api/v1/environments/{environment_id}{slash}")
    assert (running["status"], running["base_url"][:8]) == ("running", "https://")
    assert api.get(f"/api/v1/environments/projects/{project['id']}{slash}").body == [running.body]

    _deploys(api, environment_id, slash)


def _deploys(api: Api, environment_id: str, slash: str) -> None:
    target = f"/api/v1/deployments/environments/{environment_id}{slash}"
    deployed = api.post(target, {"version": "sha-1234567"})
    assert (deployed.status, deployed["number"], deployed["status"]) == (201, 1, "pending")
    path = f"/api/v1/deployments/{deployed['id']}"
    seen = [deployed["status"]]
    while seen[-1] != "succeeded":
        api.live(0.5)
        seen.append(api.get(path + slash)["status"])
    assert seen == ["pending", *["running"] * 5, "succeeded"], "0.5 s pending, 2.5 s running"
    assert api.get(target).body == [api.get(path).body]
    assert deployed["logs_url"] == f"{path}/logs"
    log = api.get(deployed["logs_url"] + slash)
    assert log["complete"]
    assert [entry["seq"] for entry in log["entries"]] == list(range(1, len(log["entries"]) + 1))
    assert log["entries"][-1]["message"] == "Deployment succeeded"
    text = api.get(f"{path}/logs{slash}", headers={"Accept": "text/plain"})
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert [line.split(maxsplit=3)[3] for line in text.body.splitlines()] == [
        entry["message"] for entry in log["entries"]
    ]
