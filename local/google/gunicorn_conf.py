"""How gunicorn serves the front door: as it serves one machine, but without the functions."""

from typing import Any

from local.gunicorn_conf import *  # noqa: F403 - the same settings, for gunicorn to find here
from local.gunicorn_conf import end_with_main_process
from shared.config import load
from shared.log import write_from

workers = 1
limit_request_fields = 95
"""The functions take 100, and the door adds some."""


def when_ready(server: Any) -> None:  # type: ignore[no-redef]  # noqa: ANN401 - instead of the other
    """In the master, before it forks."""
    del server
    end_with_main_process()
    write_from(load().log_level)
