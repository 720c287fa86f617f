"""`python -m infra.bundle`: build/envctl.zip, which is all that Cloud Functions gets. Prints its SHA-256.

The same content makes the same bytes, wherever and whenever: so a deployment changes what has
changed, and anybody can tell whether what runs is what lies here.
"""

import hashlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

ROOT = Path(__file__).parent.parent
FILES = ("main.py", "requirements.txt")
FOLDERS = ("functions", "shared")
NEEDED = (*FILES, "functions/docs/openapi.json", "shared/indexes.json")
"""What no import would miss."""
KINDS = (".html", ".js", ".json", ".py", ".svg", ".txt")


class NoBundle(Exception):
    """The folders hold too little or too much."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"No bundle was made: {name} {fault}.")


def bundle(root: Path) -> bytes:
    """The archive of what lies under `root`. Raises NoBundle.

    Nothing in it depends on clocks, modes, owners or the order of a folder's entries. It isn't
    compressed: zlib's bytes differ between its versions, and half a megabyte needs none.
    """
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_STORED) as archive:
        for name in _names(root):
            entry = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, also when made elsewhere: the mode below is Unix's
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (root / name).read_bytes())
    return made.getvalue()


def _names(root: Path) -> list[str]:
    """What goes in, sorted. Raises NoBundle when something is missing, or nobody knows what it is."""
    found = {path.relative_to(root).as_posix() for folder in FOLDERS for path in _files(root / folder)}
    found.update(name for name in FILES if (root / name).is_file())
    # A folder without one is no package: a function would be gone, and nobody would notice.
    packages = {f"{folder}/__init__.py" for folder in (*FOLDERS, *_folders(found))}
    for name in sorted({*NEEDED, *packages} - found):
        raise NoBundle(name, "is missing")
    for name in sorted(found):
        if Path(name).suffix not in KINDS:
            raise NoBundle(name, f"is none of {', '.join(KINDS)}: remove it, or add its kind")
    return sorted(found)


def _files(folder: Path) -> Iterator[Path]:
    """Every file below, but for Python's bytecode and what is hidden."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and "__pycache__" not in parts and not any(part.startswith(".") for part in parts):
            yield path


def _folders(names: set[str]) -> set[str]:
    """The folders that modules lie in."""
    return {name.rpartition("/")[0] for name in names if name.endswith(".py") and "/" in name}


def main() -> int:
    """Write the bundle, and its SHA-256 as `sha256sum` does. Returns the exit code."""
    file = ROOT / "build" / "envctl.zip"
    try:
        made = bundle(ROOT)
    except NoBundle as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(made)
    sys.stdout.write(f"{hashlib.sha256(made).hexdigest()}  {file.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
