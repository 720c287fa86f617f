"""What the guide says is so: its blocks of commands work as printed."""

from contextlib import closing
from pathlib import Path

from tests.flows.conftest import StartServer
from tests.flows.test_readme import ROOT, blocks_in, need_programs, run, section, tells

GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
WEEK = [
    r'^\{"from":.*"complete":true,"settled":\[\{"at":.*"object":"environment".*"status":"running"',
    r'"object":"deployment".*"status":"running".*"object":"deployment".*"status":"succeeded"',
    r'"object":"deployment".*"status":"running".*"object":"deployment".*"status":"succeeded"',
    r'"object":"deployment".*"status":"running".*"object":"deployment".*"status":"succeeded"',
    r"^\d{4}-\d\d-\d\dT.*Z$",
    r'"object":"environment".*"status":"expired","reason":"ttl_expired"',
    r"^running$",
    r'"status":"expired".*"status":"deleting","reason":"grace_period_over".*"status":"deleted"',
    r'"object":"environment".*"status":"purged"',
    r"^404$",
]
"""What the story of a week prints, in this order."""


LEASE = [
    r"^\d{4}-\d\d-\d\dT.*Z$",
    r"^Invalid input at /hours: must not go beyond .*Z: .* lasts at most 720 hours from its creation\.$",
    r"^\d{4}-\d\d-\d\dT.*Z$",
    r"^expired$",
    r"^running$",
]
ROLLOUTS = [
    r"^running$",
    r"^Deployment [12] of environment env-\w+ is (pending|running), and on_conflict is reject\.$",
    r"^cancel(ed|ing)$",  # on a busy machine it may have begun to run
    r"^succeeded$",
    r"^\{'replicas': 2\}$",
    r"^\{'replicas': 2\}$",
    r"^\{'id': 'dep-\w+', 'version': 'v3', 'number': 3\}$",
    r"^v1$",
    r"^\{'replicas': 1\}$",
    r"^provisioning_failed$",
    r"^provisioning$",
    r"^running$",
]
"""What the sections about leases and deployments print, in this order."""


def test_leases_and_rollouts_go_as_it_is_printed(start: StartServer, tmp_path: Path) -> None:
    need_programs("bash", "curl")
    server = start(tmp_path / "home", ENVCTL_RUNNING_SECONDS="2.5")
    with closing(server.client()) as client:
        client.log_in()
        project_id = client.create("/api/v1/projects", name="payments")["id"]
        given = f"URL={server.url}\nTOKEN={client.token}\nPROJECT_ID={project_id}\n"
    script = given + "\n".join(blocks_in(section(title, GUIDE)) for title in ("Leases", "Deployments"))
    tells(run(script, tmp_path), [*LEASE, *ROLLOUTS])


def test_members_and_ci_do_as_it_is_printed(start: StartServer, tmp_path: Path) -> None:
    need_programs("bash", "curl")
    server = start(tmp_path / "home")
    with closing(server.client()) as client:
        client.log_in("colleague@example.com")
        client.log_in()
        project_id = client.create("/api/v1/projects", name="payments")["id"]
        given = f"URL={server.url}\nTOKEN={client.token}\nPROJECT_ID={project_id}\n"
        script = given + blocks_in(section("Members and API tokens", GUIDE))
    tells(
        run(script, tmp_path),
        [
            "^deployer$",
            r'^\[\{"user_id":"usr-[^]]*colleague@example.com.*"deployer".*"owner".*\]$',
            "^running$",
            r"^This needs the permission admin; an API token for deploy does not suffice\.$",
        ],
    )


def test_a_week_passes_as_it_is_printed(start: StartServer, tmp_path: Path) -> None:
    need_programs("bash", "curl")
    server = start(
        tmp_path / "home",
        ENVCTL_CLOCK="virtual",
        ENVCTL_PROVISIONING_SECONDS="2",
        ENVCTL_PENDING_SECONDS="0.5",
        ENVCTL_RUNNING_SECONDS="2.5",
    )
    with closing(server.client()) as client:
        client.log_in()
        script = f"URL={server.url}\nTOKEN={client.token}\n{blocks_in(section('Virtual time', GUIDE))}"
    tells(run(script, tmp_path), WEEK)
