"""Gunicorn as a child of the main process: the socket that it is handed, its start and its end."""

import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPException

from shared.startup import PortTaken, StartupError

HOST = "127.0.0.1"
STOP_SECONDS = 3.0
"""How long the server may take to end."""

Server = subprocess.Popen[bytes]


class HttpServerFailed(StartupError):
    """Gunicorn ended by itself, or never answered."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The HTTP server {what}. Lines above this one may say why.")


def listen(port: int) -> socket.socket:
    """A listening socket. Clients that connect before the server is ready wait for it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(2_048)
    except OSError as fault:
        listener.close()
        raise PortTaken(port, (fault.strerror or str(fault)).lower()) from fault
    return listener


@contextmanager
def http_server(
    listener: socket.socket, configuration: str, application: str, environment: dict[str, str]
) -> Iterator[Server]:
    """Gunicorn on a socket, which is closed here; it ends with the block, or with this process.

    `configuration` is a module, `application` what gunicorn calls one: `module:expression`.
    """
    command = [sys.executable, "-m", "gunicorn", "-c", f"python:{configuration}"]
    server = subprocess.Popen(  # noqa: S603 - our own program
        [*command, "--bind", f"fd://{listener.fileno()}", application],
        env=environment,
        stdin=subprocess.PIPE,
        pass_fds=(listener.fileno(),),
        start_new_session=True,  # so that a terminal's Ctrl-C reaches this process only
    )
    listener.close()
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        assert server.stdin  # noqa: S101 - a pipe was asked for
        server.stdin.close()


def refuse_ended(server: Server) -> None:
    """Raise HttpServerFailed when the server has ended by itself."""
    if server.poll() is not None:
        raise HttpServerFailed(f"ended by itself, with exit code {server.returncode}")


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody uses at the moment.

    None that a system gives to outgoing connections (from 32,768 on, Linux's `ip_local_port_range`): until it
    is listened on, one of those may have it.
    """
    with ExitStack() as held:
        return [_held_port(held) for _ in range(count)]


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


def _held_port(held: ExitStack) -> int:
    while True:
        probe, port = held.enter_context(socket.socket()), 20_000 + secrets.randbelow(12_768)
        with suppress(OSError):  # in use
            probe.bind((HOST, port))
            return port


def is_healthy(port: int) -> bool:
    """Whether `GET /health` is answered 200 on the port, at once."""
    connection = HTTPConnection(HOST, port, timeout=0.3)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
