"""The first requests of workers that were forked a moment ago, over real channels to Firestore."""

import json
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.google.firestore_emulator import Emulator
from tests.functions.started import ON_GOOGLE, environment, started

FIRST = 200
SERVER = {"THREADS": "8", "WORKERS": "2", "GRPC_VERBOSITY": "ERROR"}


@pytest.mark.google
@pytest.mark.parametrize("name", ["auth", "environments", "tasks"])
def test_the_first_requests_are_answered_all_of_them(emulator: Emulator, tmp_path: Path, name: str) -> None:
    place = {"FIRESTORE_EMULATOR_HOST": emulator.host, "ENVCTL_DATABASE": f"t-{secrets.token_hex(8)}"}
    together = threading.Barrier(FIRST)
    with started([name], environment(tmp_path / "home", **{**ON_GOOGLE, **place, **SERVER})) as functions:

        def ask(_: int) -> int:
            together.wait(20)
            return functions[name].ask("GET", "/health")[0]

        with ThreadPoolExecutor(FIRST) as pool:
            answers = list(pool.map(ask, range(FIRST)))
        said = functions[name].said.splitlines()
    assert answers == [200] * FIRST
    lines = [json.loads(line) for line in said]
    assert [line["status"] for line in lines] == [200] * FIRST, "nothing else is said: no fault, no warning"
    assert not (tmp_path / "home").exists()
