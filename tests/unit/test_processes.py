"""What is started ends, however whoever started it ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTER = """
import sys, time
from local.google.processes import started
with started(["/bin/sh", "-c", sys.argv[1]]):
    time.sleep(60)
"""


def test_a_program_and_its_children_end_with_whoever_started_it_however_that_ends(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! $$ > {pids}.new; mv {pids}.new {pids}; wait"
    with subprocess.Popen([sys.executable, "-c", STARTER, script], cwd=ROOT) as starter:
        give_up_at = time.monotonic() + 20
        while not pids.exists():
            assert time.monotonic() < give_up_at
            time.sleep(0.01)
        starter.send_signal(signal.SIGKILL)
    for pid in map(int, pids.read_text(encoding="utf-8").split()):
        while Path(f"/proc/{pid}").exists() and "Z" not in _state(pid):
            assert time.monotonic() < give_up_at, f"{pid} is left"
            time.sleep(0.01)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
