"""What was asked for, what was answered, and in which order: all that a client can know."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.client import Reply


@dataclass(frozen=True)
class Wish:
    """A request, and what it is about."""

    name: str
    method: str
    path: str
    about: str
    label: str
    body: Any = None
    key: str | None = None


@dataclass
class Request:
    """One attempt of something."""

    name: str
    """Which operation."""
    target: str
    """The id of what it is about; of what a new object belongs to."""
    body: Any
    label: str
    """What marks the object it makes, the same for every attempt."""
    key: str | None
    """The idempotency key, where it has one."""
    started: int
    ended: int | None = None
    reply: Reply | None = None
    """None: nobody answered."""
    is_misreported: bool = False
    """Whether a commit meanwhile was carried out although it reported otherwise."""

    @property
    def is_acknowledged(self) -> bool:
        return self.reply is not None and self.reply.is_done

    @property
    def is_unknown(self) -> bool:
        """Whether it may have been carried out, for all that its client knows.

        That includes what was carried out and tried again, and refused as no longer possible.
        """
        if self.reply is None or self.reply.is_unknown:
            return True
        return self.is_misreported and not self.is_acknowledged

    @property
    def made(self) -> str:
        """The id of what an acknowledged create made."""
        assert self.reply is not None
        return str(self.reply.body["id"])


@dataclass
class Ledger:
    """Every request of a world, by the order in which they began."""

    requests: list[Request] = field(default_factory=list)
    ticks: int = 0

    def tick(self) -> int:
        """The next place in the order of all beginnings and ends."""
        self.ticks += 1
        return self.ticks

    def begin(self, wish: Wish) -> Request:
        """A request that is sent now."""
        request = Request(wish.name, wish.about, wish.body, wish.label, wish.key, self.tick())
        self.requests.append(request)
        return request

    def acknowledged(self, *names: str) -> Iterator[Request]:
        """The requests of these operations that were answered as done."""
        return (one for one in self.requests if one.name in names and one.is_acknowledged)

    def possible(self, *names: str) -> Iterator[Request]:
        """Those that were carried out, or may have been."""
        return (one for one in self.requests if one.name in names and (one.is_acknowledged or one.is_unknown))
