"""The platform as it is deployed, on this machine: who is started, in which order, knowing what of whom.

                     ┌─> auth, projects, environments, deployments, docs, simulation ──┐
    client ──> front door                                  │ enqueue                   ├──> Firestore's
                                 Cloud Tasks' peer <───────┤                           │     emulator
                                     │ OIDC                │                           │
                                     └──────────────────> tasks ───────────────────────┘
                     sweep, every 30 s ── OIDC ─────────────^

Every box is a process; the sweep is a thread of this one. All end with it, also if it is killed.
"""

import base64
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.callbacks import HttpSender
from local.google.child import Child, end
from local.google.firestore_emulator import Emulator
from local.google.functions import Functions, function_ports, functions
from local.google.identity import PATH, Identity
from local.google.own_folder import own_folder
from local.http_server import HOST, Server, free_ports, http_server, is_healthy, refuse_ended
from local.sweeper import INTERVAL_SECONDS, sweep_regularly
from shared import config
from shared.keys import Keys, keys_in
from shared.startup import StartupError

PROJECT = "envctl-local"
DATABASE = "envctl"
QUEUE = f"projects/{PROJECT}/locations/local/queues/envctl"
TASKS_ACCOUNT = f"tasks@{PROJECT}.iam.gserviceaccount.com"
SCHEDULER_ACCOUNT = f"scheduler@{PROJECT}.iam.gserviceaccount.com"
STOP_SECONDS = 2.0
"""How long the peer may take to end."""


class PartEnded(StartupError):
    """A part that nothing works without is gone."""

    def __init__(self, name: str, exit_code: int) -> None:
        super().__init__(f"{name} ended by itself, with exit code {exit_code}. Nothing works without it.")


@dataclass(frozen=True, slots=True)
class Stack:
    """All the processes."""

    port: int
    emulator: Emulator
    peer: Child
    peer_endpoint: str
    identity: Identity
    functions: Functions
    door: Server

    def is_ready(self) -> bool:
        """Whether everything has answered. Raises StartupError when a part can't start."""
        self.refuse_ended()
        return self.functions.have_started() and is_healthy(self.port)

    def refuse_ended(self) -> None:
        """Raise StartupError when a part that is not started again has ended."""
        refuse_ended(self.door)
        for name, code in (
            ("Firestore's emulator", self.emulator.poll()),
            ("The peer of Cloud Tasks", self.peer.exit_code),
        ):
            if code is not None:
                raise PartEnded(name, code)


@dataclass(frozen=True, slots=True)
class Sweep:
    """When is swept, and for what."""

    interval_seconds: float = INTERVAL_SECONDS
    overdue_seconds: float = 60


@contextmanager
def running(
    listener: socket.socket, home: Path, emulator: Emulator, database: str = DATABASE, **variables: str
) -> Iterator[Stack]:
    """The stack, being started, behind a socket that listens.

    The functions' environment is this process's, with the variables; the keys are the data folder's. The
    queue goes with the block: what it still had to deliver, a first sweep makes up.
    """
    port, ports = int(listener.getsockname()[1]), function_ports()
    with ExitStack() as parts:
        parts.callback(listener.close)
        keys, folder = keys_in(home), parts.enter_context(own_folder(home))
        identity = Identity(folder)
        tasks_port, certificates_port = free_ports(2)
        environment = config.for_child(
            **variables,
            **_settings(keys),
            ENVCTL_DATABASE=database,
            FIRESTORE_EMULATOR_HOST=emulator.host,
            ENVCTL_TASKS_URL=f"http://{HOST}:{ports['tasks']}",
            ENVCTL_TASKS_ENDPOINT=f"{HOST}:{tasks_port}",
            ENVCTL_CERTIFICATES_URL=f"http://{HOST}:{certificates_port}{PATH}",
        )
        started = parts.enter_context(functions(environment, ports, folder))
        # Ends before the functions do: it would call in vain.
        peer = parts.enter_context(_peer(folder, tasks_port, certificates_port))
        public = {name: at for name, at in ports.items() if name != "tasks"}
        door = parts.enter_context(
            http_server(
                listener,
                "local.google.gunicorn_conf",
                f"local.google.front_door:application({public})",
                environment,
            )
        )
        yield Stack(port, emulator, peer, f"{HOST}:{tasks_port}", identity, started, door)


def _settings(keys: Keys) -> dict[str, str]:
    """What is the same at every start."""
    signing = next(iter(keys.signing.values()))
    return {
        "ENVCTL_PROJECT": PROJECT,
        "ENVCTL_QUEUE": QUEUE,
        "ENVCTL_TASKS_ACCOUNT": TASKS_ACCOUNT,
        "ENVCTL_SCHEDULER_ACCOUNT": SCHEDULER_ACCOUNT,
        "ENVCTL_SIGNING_KEY": base64.b64encode(signing).decode(),
        "ENVCTL_IDENTITY_KEY": base64.b64encode(keys.identity).decode(),
        "NO_PROXY": HOST,  # whatever proxy the user has: all that the functions call is here
    }


@contextmanager
def _peer(folder: Path, port: int, certificates_port: int) -> Iterator[Child]:
    command = ["local.google.cloud_tasks", "--folder", str(folder), "--queue", QUEUE, "--port", str(port)]
    command += ["--certificates-port", str(certificates_port)]
    peer = Child("cloud tasks", command, config.for_child())
    peer.start()
    try:
        yield peer
    finally:
        end([peer], STOP_SECONDS)


@contextmanager
def sweeping(stack: Stack, sweep: Sweep) -> Iterator[None]:
    """The sweep's timer for the time of the block, in a thread. It calls as Cloud Scheduler does."""
    port = stack.functions.ports["tasks"]

    def send(path: str, payload: Mapping[str, Any], headers: Mapping[str, str]) -> int:
        token = stack.identity.token(SCHEDULER_ACCOUNT, f"http://{HOST}:{port}", datetime.now(UTC))
        sender = HttpSender(port, token)
        try:
            return sender(path, payload, headers)
        finally:
            sender.close()

    stopping = threading.Event()
    arguments = (send, stopping.wait, sweep.interval_seconds, {"overdue_seconds": sweep.overdue_seconds})
    threading.Thread(target=sweep_regularly, args=arguments, daemon=True).start()
    try:
        yield
    finally:
        stopping.set()
