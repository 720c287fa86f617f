import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared import passwords

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


class _Hasher:
    """Says how many are at it at once. Nobody is done before somebody else has come beside."""

    def __init__(self) -> None:
        self.most = self._inside = 0
        self._guard, self._two = threading.Lock(), threading.Barrier(2, timeout=30)

    def verify(self, _password: str, _password_hash: str) -> bool:
        with self._guard:
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._two.wait()
        with self._guard:
            self._inside -= 1
        self._two.wait()
        return True


def test_of_two_hundred_who_come_at_once_two_are_hashed_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = _Hasher()
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    with ThreadPoolExecutor(200) as pool:
        checks = [pool.submit(passwords.check_password, f"{number}", "x") for number in range(200)]
        assert [check.result() for check in checks] == [True] * 200
    assert hasher.most == 2
