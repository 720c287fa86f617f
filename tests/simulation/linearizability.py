"""Whether a concurrent history could have come one operation after the other (Wing and Gong, memoised).

Some order must explain every answer, and keep what ended before something else began before it.
"""

from tests.simulation.histories import History, Operation
from tests.simulation.model import Seen, State, apply, begin


def is_linearizable(history: History) -> bool:
    """Whether there is such an order."""
    if any(operation.fault is not None for operation in history.operations):
        return False
    # Where each probably took effect: the first order that is tried is nearly always right.
    operations = sorted(history.operations, key=lambda one: one.touched)
    return _Search(operations).explains(begin(history.start), frozenset(range(len(operations))))


class _Search:
    """For an order of some operations."""

    def __init__(self, operations: list[Operation]) -> None:
        self._operations = operations
        self._in_vain: set[tuple[frozenset[int], State]] = set()

    def explains(self, state: State, left: frozenset[int]) -> bool:
        """Whether what is left can follow a state."""
        if not left:
            return True
        if (left, state) in self._in_vain:
            return False
        first_end = min(self._operations[number].ended for number in left)
        for number in sorted(left):
            operation = self._operations[number]
            if operation.began > first_end:
                continue
            after, seen = apply(state, operation)
            if _agrees(operation, seen) and self.explains(after, left - {number}):
                return True
        self._in_vain.add((left, state))
        return False


def _agrees(operation: Operation, seen: Seen | None) -> bool:
    """Whether the model's answer is the one that was given."""
    reply = operation.reply
    assert reply is not None
    if seen is None:
        return True
    if isinstance(seen, tuple):
        return (reply.status, reply.code) == seen
    return reply.is_done and all(reply.body[name] == value for name, value in seen.items())
