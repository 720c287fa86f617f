import subprocess
import sys

import pytest

# Threads take turns at every opportunity, and all ask for the first hash of a new process.
FIRST = """
import sys, threading
from shared import passwords

sys.setswitchinterval(1e-6)
together, matches = threading.Barrier(8), []

def check():
    together.wait()
    matches.append(passwords.check_password("secret123", None))

threads = [threading.Thread(target=check) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(matches)
"""


@pytest.mark.parametrize("attempt", range(5))
def test_the_first_passwords_of_a_process_may_come_at_once(attempt: int) -> None:  # noqa: ARG001 - a race
    found = subprocess.run([sys.executable, "-c", FIRST], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == str([False] * 8), found.stderr
