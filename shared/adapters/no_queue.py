"""No queue: an instance with virtual time is settled by whoever advances its clock."""

from datetime import timedelta

from shared.ports import Task


class NoQueue:
    """Takes every task and delivers none."""

    @property
    def horizon(self) -> timedelta | None:
        """Any distance."""
        return None

    def enqueue(self, task: Task) -> None:
        """Forget it: nothing is due before the clock is advanced."""
