"""A world's documents and requests, as checks want to look at them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.ports import Ref
from tests.simulation.ledger import Ledger
from tests.simulation.world import World

Json = dict[str, Any]
GONE = {"deleting", "deleted"}


@dataclass
class Past:
    """Every document that there ever was, as it was last, and what the requests were."""

    world: World
    ledger: Ledger
    last: dict[Ref, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for change in self.world.changes:
            self.last.update({ref: data for ref, data in change.documents.items() if data is not None})
        self.present = self.world.inner.all().keys()

    def of(self, collection: str) -> list[Json]:
        """All of a kind."""
        return [data for ref, data in self.last.items() if ref.collection == collection]

    def has(self, collection: str, object_id: str) -> bool:
        return Ref(collection, object_id) in self.present

    def one(self, object_id: str) -> Json | None:
        kinds = {"prj": "projects", "env": "environments", "dep": "deployments"}
        return self.last.get(Ref(kinds[object_id[:3]], object_id))


Check = Callable[[Past], Iterator[str]]
"""Yields a sentence for each way in which something is wrong."""
