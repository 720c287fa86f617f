"""The bundle that Cloud Functions gets: what is in it, that its bytes repeat, and that it starts."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from infra.bundle import FILES, FOLDERS, NEEDED, NoBundle, bundle, main
from shared import groups
from tests.functions.started import OWN, ROOT, Started, environment, started


def _copy(to: Path) -> Path:
    """What is bundled, elsewhere."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, to / folder, copy_function=shutil.copyfile)
    for file in FILES:
        shutil.copyfile(ROOT / file, to / file)
    return to


def test_it_holds_what_the_functions_need_and_nothing_else() -> None:
    with zipfile.ZipFile(BytesIO(bundle(ROOT))) as archive:
        names = archive.namelist()
        contents = {name: archive.read(name) for name in names}
    assert names == sorted(set(names))
    assert {name.split("/")[0] for name in names} == {"main.py", "requirements.txt", "functions", "shared"}
    assert [name for name in names if "__pycache__" in name or "test" in name or "/." in name] == []
    modules = {str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    assert modules < set(names)
    assert contents == {name: (ROOT / name).read_bytes() for name in names}


def test_two_copies_touched_differently_make_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = _copy(tmp_path / "one"), _copy(tmp_path / "other")
    for number, path in enumerate(sorted(other.rglob("*"), reverse=True)):
        path.chmod(0o700)
        os.utime(path, (number, number))
    (other / "shared" / "__pycache__").mkdir(exist_ok=True)
    (other / "shared" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"x")
    (other / "functions" / ".DS_Store").write_bytes(b"x")
    (other / "README.md").write_bytes(b"x")
    first = bundle(one)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    before = os.umask(0o077)
    try:
        assert bundle(other) == first
    finally:
        os.umask(before)
    assert bundle(ROOT) == first
    (one / "shared" / "version.py").write_text("")
    assert bundle(one) != first


@pytest.mark.parametrize(
    "name", [*NEEDED, "shared/__init__.py", *(f"functions/{name}/__init__.py" for name in groups.names())]
)
def test_without_what_is_expected_there_is_none(tmp_path: Path, name: str) -> None:
    (_copy(tmp_path) / name).unlink()
    with pytest.raises(NoBundle, match=f"{name} is missing"):
        bundle(tmp_path)


def test_with_what_nobody_knows_there_is_none(tmp_path: Path) -> None:
    (_copy(tmp_path) / "shared" / "envctl.db").write_bytes(b"x")
    with pytest.raises(NoBundle, match=r"shared/envctl\.db is none of"):
        bundle(tmp_path)


def test_the_command_prints_the_digest_of_what_it_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    printed = capsys.readouterr().out
    digest = hashlib.sha256((ROOT / "build" / "envctl.zip").read_bytes()).hexdigest()
    assert printed == f"{digest}  build/envctl.zip\n"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle in a folder of its own, with an environment made of its requirements beside it."""
    folder = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(BytesIO(bundle(ROOT))) as archive:
        archive.extractall(folder / "source")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "python"], check=True)
    python, requirements = folder / "python" / "bin" / "python", folder / "source" / "requirements.txt"
    install = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "-r", requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    if install.returncode != 0 and "CI" not in os.environ:
        pytest.skip(f"pip can't install the requirements: {install.stderr.strip().splitlines()[-1]}")
    assert install.returncode == 0, install.stderr
    return folder


@pytest.fixture(scope="module")
def functions(unpacked: Path) -> Iterator[dict[str, Started]]:
    variables = environment(unpacked / "home")
    variables.pop("PYTHONPATH", None)
    with started(
        groups.names(), variables, unpacked / "source", unpacked / "python" / "bin" / "python"
    ) as running:
        yield running


@pytest.mark.parametrize("name", groups.names())
def test_every_entry_point_starts_from_it(functions: dict[str, Started], name: str) -> None:
    status, _, body = functions[name].ask("GET", "/health")
    assert (status, body) == (200, b'{"status":"ok"}')
    method, path, sent, expected = OWN[name]
    status, _, body = functions[name].ask(method, path, sent)
    assert status == expected, body
