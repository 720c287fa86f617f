"""One machine's platform from start to end: gunicorn for HTTP, dispatcher and sweep in this process.

main process ── listens, then hands the socket over ──> gunicorn's master ──> workers
  dispatcher, sweep ── POST, with a secret of this start ──────────────────────^
  standard input of the others is a pipe from here: when this process ends, so do they
"""

import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from local.callbacks import HttpSender
from local.checkpoints import checkpoint_regularly
from local.dispatcher import Dispatcher
from local.expiry import expire_regularly
from local.http_server import HOST, HttpServerFailed, Server, http_server, is_healthy, listen, refuse_ended
from local.signals import ENDING, Signals
from local.sweeper import sweep_regularly
from local.welcome import welcome
from shared import config, log, runtime
from shared.adapters.sqlite import Database
from shared.adapters.sqlite_checkpoint import Checkpointer
from shared.adapters.sqlite_expiry import remove_expired
from shared.adapters.sqlite_queue import SqliteTaskQueue
from shared.clock import SystemClock
from shared.config import Settings
from shared.startup import StartupError

START_SECONDS = 60.0
"""How long the HTTP server may take until it answers."""
DISPATCHER_STOP_SECONDS = 1.5
"""How long calls that are under way, and leases to give back, may take before that."""

OF_64_THREADS = {"held_requests": "32", "logins_at_once": "48"}
"""Settings whose defaults are for a function's eight threads: what they are here, unless they are set."""
LOOK_SECONDS = 1.0
"""How often it is seen whether everything is still at work."""


class WorkFailed(StartupError):
    """A thread that delivers tasks, sweeps or cleans up is gone: lifecycles would be left to chance."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The {what} ended by itself. Lines above this one may say why.")


def main() -> int:
    """Serve until it is told to end. Returns the exit code."""
    signals = Signals(*ENDING, signal.SIGCHLD)
    try:
        _serve(signals)
    except StartupError as fault:
        sys.stderr.write(f"envctl: {fault}\n")
        return 1
    return 0


def _serve(signals: Signals) -> None:
    config.refuse_google()
    settings, port, secret = config.load(), config.port(), secrets.token_urlsafe(32)
    # A line per request is for machines that collect them; here it would bury what matters.
    level = settings.log_level if "log_level" in settings.model_fields_set else "WARNING"
    log.write_from(level)
    listener = listen(port)
    database, queue = runtime.open_local(settings)
    more = {
        f"ENVCTL_{name.upper()}": value
        for name, value in OF_64_THREADS.items()
        if name not in settings.model_fields_set
    }
    environment = config.for_child(ENVCTL_CALLBACK_SECRET=secret, ENVCTL_LOG_LEVEL=level, **more)
    with http_server(listener, "local.gunicorn_conf", "local.wsgi:application()", environment) as server:
        if not _has_started(server, port, signals):
            return
        places = {"data folder": settings.home}
        sys.stdout.write(welcome(f"http://{HOST}:{port}", places, is_time_virtual=settings.is_time_virtual))
        sys.stdout.flush()
        with _at_work(settings, database, queue, HttpSender(port, secret)) as threads:
            _watch(signals, server, threads)


@contextmanager
def _at_work(
    settings: Settings, database: Database, queue: SqliteTaskQueue, send: HttpSender
) -> Iterator[list[threading.Thread]]:
    """What goes on in this process meanwhile: threads that last as long as the block.

    With virtual time nothing is delivered or swept: whoever advances the clock settles.
    """
    stopping, clock = threading.Event(), SystemClock()
    spared = ["environments"] if settings.is_time_virtual else []
    threads = [
        _start("removal", expire_regularly, lambda: remove_expired(database, clock(), spared), stopping.wait),
        _start("checkpoints", checkpoint_regularly, Checkpointer(database).look, stopping.wait),
    ]
    if not settings.is_time_virtual:
        threads.append(_start("sweep", sweep_regularly, send, stopping.wait))
        threads.append(_start("dispatcher", Dispatcher(queue, send, clock, stopping.wait).run))
    try:
        yield threads
    finally:
        stopping.set()
        threads[-1].join(DISPATCHER_STOP_SECONDS)
        send.close()


def _start(name: str, work: Callable[..., None], *arguments: object) -> threading.Thread:
    """A thread that ends with this process at the latest."""
    thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
    thread.start()
    return thread


def _has_started(server: Server, port: int, signals: Signals) -> bool:
    """Wait until the server answers. False when it is to end before that."""
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        if is_healthy(port):
            return True
        if _is_to_end(signals.next(0.02), server):
            return False
    raise HttpServerFailed(f"has not answered within {START_SECONDS:g} s")


def _watch(signals: Signals, server: Server, threads: Sequence[threading.Thread]) -> None:
    """Wait for the signal to end. Raises when the HTTP server or one of the threads has ended by itself."""
    while not _is_to_end(signals.next(LOOK_SECONDS), server):
        for thread in threads:
            if not thread.is_alive():
                raise WorkFailed(thread.name)


def _is_to_end(number: int | None, server: Server) -> bool:
    """Whether a signal asks for the end. Raises HttpServerFailed when the server has ended."""
    refuse_ended(server)
    return number in ENDING
