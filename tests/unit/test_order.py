"""The files that the suite starts with are there."""

from pathlib import Path

from tests.scheduling import LONGEST, TOGETHER


def test_every_file_that_comes_first_exists() -> None:
    folder = Path(__file__).parents[1]
    assert [name for name in (*TOGETHER, *LONGEST) if not (folder / name).is_file()] == []
