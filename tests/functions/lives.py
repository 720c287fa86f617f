"""An environment's life with everything in it, and how it is told."""

from typing import Any

from tests.functions.api import ENVIRONMENT, Api, Reply

HOUR = 3_600
TICK = 1e-6


def timeline_of(environment_id: str) -> str:
    return f"/api/v1/environments/{environment_id}/timeline"


def tell(api: Api, environment_id: str, query: str = "") -> list[Any]:
    """All of it, in pages of 100."""
    return api.all(f"{timeline_of(environment_id)}?page_size=100{query}")


def short(entry: dict[str, Any]) -> str:
    """`3 running` of the third deployment, `running` of the environment, `(extended)` of a note."""
    what = entry["status"] or f"({entry['action']})"
    return f"{entry['number']} {what}" if entry["number"] else str(what)


def deploy(api: Api, environment_id: str, **more: Any) -> Reply:  # noqa: ANN401 - any JSON value
    reply = api.post(f"/api/v1/deployments/environments/{environment_id}", {"version": "v", **more})
    assert reply.status == 201, reply.body
    return reply


def act(api: Api, environment_id: str, action: str, body: Any = None) -> None:  # noqa: ANN401 - likewise
    reply = api.post(f"/api/v1/environments/{environment_id}/{action}", body)
    assert reply.status < 300, reply.body


STORY = [
    "provisioning",
    "failed",
    "provisioning",
    "(extended)",
    "running",
    "1 pending",
    "1 running",
    "1 succeeded",
    "2 pending",
    "2 running",
    "3 pending",
    "2 succeeded",
    "4 pending",  # a rollback: it takes the place of the one that it supersedes
    "3 superseded",
    "4 running",
    "4 canceling",
    "4 canceled",
    "5 pending",
    "5 running",
    "expired",
    "5 failed",
    "(restored)",
    "running",
    "6 pending",
    "deleting",
    "6 canceled",
    "deleted",
]


def live_the_story(api: Api) -> str:
    """Every action, and every way in which a deployment ends."""
    fails_once = {"scenario": "flaky", "seed": 3}
    environment_id = api.environment(None, {**ENVIRONMENT, "ttl_hours": 1, "simulation": fails_once})
    api.live(2)
    act(api, environment_id, "retry")
    api.live(1)
    act(api, environment_id, "extend", {"hours": 2})
    api.live(1)
    deploy(api, environment_id)
    api.live(10)
    deploy(api, environment_id)
    api.live(3 - TICK)
    deploy(api, environment_id)
    api.live(TICK)
    act(api, environment_id, "rollback")
    api.live(1)
    rolled_back = api.get(f"/api/v1/deployments/environments/{environment_id}").body[0]
    assert api.post(f"/api/v1/deployments/{rolled_back['id']}/cancel").status == 202
    api.live(2 * HOUR - 16)
    deploy(api, environment_id)
    api.live(3)
    act(api, environment_id, "restore", {"hours": 3})
    deploy(api, environment_id)
    assert api.delete(f"/api/v1/environments/{environment_id}").status == 202
    api.live(10)
    return environment_id
