"""One JSON line per request, task or fault on stderr; never a secret or a body."""

import json
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

_LOCK = threading.Lock()

Severity = Literal["INFO", "WARNING", "ERROR"]

_SEVERITIES: tuple[Severity, ...] = ("INFO", "WARNING", "ERROR")
_written = set(_SEVERITIES)


def write_from(least: Severity) -> None:
    """From now on this process writes lines of this severity and of more severe ones only."""
    _written.difference_update(_SEVERITIES)
    _written.update(_SEVERITIES[_SEVERITIES.index(least) :])


def write(severity: Severity, message: str, **fields: Any) -> None:  # noqa: ANN401 - any JSON value
    """A line in the format of Cloud Logging: `severity`, `message`, `time` and the fields given."""
    if severity not in _written:
        return
    entry = {"severity": severity, "time": datetime.now(UTC).isoformat(), "message": message, **fields}
    line = json.dumps(entry, default=str)
    # Nothing that the platform does may fail because nobody listens any more.
    with _LOCK, suppress(OSError, ValueError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
