"""What stays is not looked through for garbage: not in the master that forks, nor in its workers."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STEPS = """
import gc, json
from local import gunicorn_conf
gunicorn_conf.when_ready(None)
master = len(gc.get_objects())
from local import wsgi
app = wsgi.application()
print(json.dumps([gc.isenabled(), master, len(gc.get_objects()), gc.get_freeze_count()]))
"""


def test_a_server_looks_for_garbage_among_what_requests_make_only(tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ENVCTL_")}
    with subprocess.Popen(
        [sys.executable, "-c", STEPS],
        cwd=ROOT,
        env={**inherited, "ENVCTL_HOME": str(tmp_path)},
        stdin=subprocess.PIPE,  # whose end would end it
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        enabled, master, worker, frozen = json.loads(process.stdout.read())
    assert enabled
    assert master < 1_000
    assert worker < 1_000
    assert frozen > 10_000
