import json
import threading
from collections.abc import Mapping

import pytest

from local import expiry
from local.callbacks import NoAnswer
from local.checkpoints import checkpoint_regularly
from local.sweeper import FIRST_SECONDS, INTERVAL_SECONDS, sweep_regularly
from shared.errors import Unavailable
from shared.waking import SWEEP_PATH
from tests.unit.sending import FakeSend


class Pauses:
    """Writes down how long the pauses are; stops after so many. One of no length only asks."""

    def __init__(self, count: int) -> None:
        self.seconds: list[float] = []
        self._count = count

    def __call__(self, seconds: float) -> bool:
        self.seconds += [seconds] if seconds else []
        return len(self.seconds) > self._count


def test_it_sweeps_for_everything_at_the_start_then_every_30_seconds() -> None:
    send, pauses = FakeSend(), Pauses(3)
    sweep_regularly(send, pauses)
    assert [(path, payload) for path, payload, _ in send.calls] == [
        (SWEEP_PATH, {"overdue_seconds": 0, "at_start": True}),
        (SWEEP_PATH, {}),
        (SWEEP_PATH, {}),
    ]
    assert pauses.seconds == [FIRST_SECONDS, 30, 30, 30]
    assert INTERVAL_SECONDS == 30


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(NoAnswer("refused"), "refused"), (503, "the database or the queue did not answer")],
)
def test_a_sweep_that_fails_is_logged_with_the_reason_and_repeated(
    outcome: int | Exception, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    send, pauses = FakeSend(outcome), Pauses(2)
    sweep_regularly(send, pauses)
    assert [payload for _, payload, _ in send.calls] == [{"overdue_seconds": 0, "at_start": True}] * 2
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["message"], line["reason"]) for line in lines] == [("sweep failed", reason)] * 2


def test_a_sweep_that_the_end_cuts_off_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    send, stopping = FakeSend(NoAnswer("Bad file descriptor")), threading.Event()

    def send_until_the_end(path: str, payload: Mapping[str, object], headers: Mapping[str, str]) -> int:
        stopping.set()
        return send(path, payload, headers)

    sweep_regularly(send_until_the_end, lambda _seconds: stopping.wait(0))
    assert len(send.calls) == 1
    assert capsys.readouterr().err == ""


def test_it_removes_what_has_expired_a_minute_after_the_start_then_hourly() -> None:
    turns, pauses = iter((1, 2, 3)), Pauses(3)
    expiry.expire_regularly(lambda: next(turns), pauses)
    assert pauses.seconds == [60, 3_600, 3_600, 3_600]
    assert next(turns, None) is None


def test_a_removal_that_fails_is_logged_and_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise Unavailable("database")

    expiry.expire_regularly(fail, Pauses(2))
    assert capsys.readouterr().err.count("expired documents could not be removed") == 2


def test_the_log_is_looked_at_after_every_pause() -> None:
    looks, pauses = iter((True, False, True)), Pauses(3)
    checkpoint_regularly(lambda: next(looks), pauses)
    assert pauses.seconds == [0.1] * 4
    assert next(looks, None) is None


def test_a_log_that_cannot_be_worked_in_is_looked_at_again(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> bool:
        raise Unavailable("database")

    checkpoint_regularly(fail, Pauses(2))
    assert capsys.readouterr().err.count("could not be worked in") == 2
