"""What every test of the functions starts from: an empty instance at noon."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functions.api import Api
from tests.functions.virtual import VirtualApi


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    made = Api(tmp_path)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One instance for all tests of a module that change nothing in it, or only what is their own."""
    made = Api(tmp_path_factory.mktemp("home"))
    yield made
    made.database.close()


@pytest.fixture
def virtual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualApi]:
    """An instance with virtual time."""
    made = VirtualApi(tmp_path_factory.mktemp("virtual"))
    yield made
    made.database.close()
