"""Server-sent events as a client reads them, wherever its connection is cut."""

import json
from dataclasses import dataclass, field
from typing import Any

STREAM = {"Accept": "text/event-stream"}


@dataclass
class Follower:
    """A client that reads events, and remembers the last one's id when it has to connect again."""

    last_id: str | None = None
    entries: list[Any] = field(default_factory=list)
    end: Any = None
    retries: list[int] = field(default_factory=list)
    heartbeats: int = 0
    _rest: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What it connects with."""
        return STREAM if self.last_id is None else {**STREAM, "Last-Event-ID": self.last_id}

    def read(self, text: str) -> None:
        """Take what has come; of an event that is not whole, nothing yet."""
        *blocks, self._rest = (self._rest + text).split("\n\n")
        for block in blocks:
            self._take([line.partition(": ") for line in block.split("\n")])

    def cut(self) -> None:
        """The connection is gone, and with it the part of an event that had come."""
        self._rest = ""

    def _take(self, lines: list[tuple[str, str, str]]) -> None:
        fields = {name: value for name, _, value in lines}
        if set(fields) == {":"}:
            self.heartbeats += 1
        elif set(fields) == {"retry"}:
            self.retries.append(int(fields["retry"]))
        elif fields.get("event") == "end":
            assert set(fields) == {"event", "data"}, "the end has no id"
            assert self.end is None, "there is one end"
            self.end = json.loads(fields["data"])
        else:
            assert set(fields) == {"id", "data"}
            assert self.end is None, "nothing comes after the end"
            self.last_id = fields["id"]
            self.entries.append(json.loads(fields["data"]))


def is_gapless(entries: list[Any]) -> bool:
    """Whether each entry has come once, in its order."""
    return [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
