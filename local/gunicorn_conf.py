"""How gunicorn serves on one machine. `local.http_server` starts it with this file and with a socket.

Standard input is a pipe whose other end only the main process holds: when it ends, however, the
pipe does, and so do the server's processes, at once.
"""

import os
import sys
import threading
from importlib import import_module
from typing import Any

from shared import groups
from shared.config import load
from shared.loading import uncollected

_settings = load()

workers = _settings.workers
worker_class = "local.worker.Worker"
threads = 64
keepalive = 75
"""Seconds. Clients reuse their connections; an idle one takes no thread."""
graceful_timeout = 2
loglevel = "warning"
control_socket_disable = True
limit_request_line = 8190
forwarded_allow_ips = ""
"""No proxy stands in front: nobody's SCRIPT_NAME, PATH_INFO or X-Forwarded-Proto is believed."""


def when_ready(server: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    """In the master, before it forks: workers share what is imported, and importing touches nothing."""
    del server
    end_with_main_process()
    with uncollected():
        import_module("local.wsgi")
        for name in groups.names():
            groups.load(name)


def post_fork(server: Any, worker: Any) -> None:  # noqa: ANN401
    """In a worker, before it loads the application."""
    del server
    end_with_main_process()
    # Sooner than the master's patience ends, which would report a crash.
    worker.cfg.set("graceful_timeout", 1)


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ANN401
    """In a worker at its end. A thread that is still busy would be waited for."""
    del server
    if worker.booted and worker.pid == os.getpid():
        _end()


def end_with_main_process() -> None:
    """From now on this process ends when standard input does."""
    threading.Thread(target=_wait_for_end, name="main process", daemon=True).start()


def _wait_for_end() -> None:
    while os.read(0, 1):
        pass
    _end()


def _end() -> None:
    sys.stderr.flush()
    os._exit(0)
