"""What every test of the functions starts from: an empty instance at noon."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.google.firestore_emulator import Emulator
from shared.adapters.firestore_store import FirestoreStore
from tests.functions.api import Api
from tests.functions.doubles import CountingStore
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


@pytest.fixture
def on_firestore(tmp_path_factory: pytest.TempPathFactory, emulator: Emulator) -> Iterator[Api]:
    """An empty instance over Firestore."""
    store = FirestoreStore("envctl-functions", f"t-{secrets.token_hex(8)}", emulator.host)
    made = Api(tmp_path_factory.mktemp("home"))
    made.store = CountingStore(store)
    made.runtime = replace(made.runtime, store=made.store)
    made.token = made.join()
    yield made
    store.close()
    made.database.close()
