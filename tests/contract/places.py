"""Folders as places of the stores that the contract suite runs over."""

import secrets
from pathlib import Path

import pytest

from local.google.firestore_emulator import Emulator

STORE_NAMES = ["sqlite", pytest.param("firestore", marks=pytest.mark.google)]
"""The names in `adapters.STORES`, as a fixture's parameters: those that several processes can open."""

ALL_STORE_NAMES = ["memory", *STORE_NAMES]
"""And the one that only its own process can."""


def prepare(place: Path, adapter: str, request: pytest.FixtureRequest) -> None:
    """Make a folder an empty place of a store."""
    if adapter == "firestore":
        emulator: Emulator = request.getfixturevalue("emulator")
        database = f"t-{secrets.token_hex(8)}"
        (place / "firestore").write_text(f"{emulator.host} {database}", encoding="utf-8")
