"""What a running stack keeps goes with it: at its end, or at the next start when it was killed."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.google.functions import SOCKET_FOLDER_BYTES, functions
from local.google.own_folder import own_folder
from tests.flows.server import ROOT

KEEPS = """
import sys
from pathlib import Path
from local.google.own_folder import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    (folder / "identity.pem").touch()
    print(folder, flush=True)
    input()
"""


@contextmanager
def another(home: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """A process with a folder of its own, and the folder."""
    command = [sys.executable, "-c", KEEPS, str(home)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_it_lies_in_the_data_folder_is_nobody_elses_and_goes_with_the_block(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with own_folder(home) as folder:
        assert folder.parent == home
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "identity.pem").touch()
    assert list(home.iterdir()) == []


def test_its_path_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with own_folder(Path("home")) as folder:
        assert folder.parent == tmp_path / "home"


def test_what_a_killed_one_left_is_removed_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    with another(tmp_path) as (_, used), another(tmp_path) as (killed, left):
        killed.kill()
        killed.wait()
        assert sorted(tmp_path.iterdir()) == sorted([used, left])
        with own_folder(tmp_path) as folder:
            assert sorted(tmp_path.iterdir()) == sorted([used, folder])
            assert (used / "identity.pem").exists()


def test_what_is_only_being_made_is_left_alone(tmp_path: Path) -> None:
    young = tmp_path / "run-google-young"
    young.mkdir()
    (young / "new").touch()
    with own_folder(tmp_path):
        assert (young / "new").exists()


@pytest.mark.parametrize(("length", "lies_within"), [(SOCKET_FOLDER_BYTES, True), (200, False)])
def test_sockets_lie_within_it_unless_their_paths_would_be_too_long(
    length: int, *, lies_within: bool
) -> None:
    # The path of pytest's own folder grows with the number of runs.
    with tempfile.TemporaryDirectory() as short:
        folder = Path(short) / ("x" * (length - len(os.fsencode(short)) - 1))
        folder.mkdir()
        with functions({}, {"auth": 1}, folder):
            assert (folder / "auth").exists() == lies_within
