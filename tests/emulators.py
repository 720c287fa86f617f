"""One Firestore emulator for all of pytest-xdist's workers, started when the first one asks for it.

worker ── socket ──> main process ── the first time ──> emulator
"""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Client, Listener
from threading import Thread

from local.google.firestore_emulator import NoEmulator, firestore_emulator
from shared.startup import BadSetting


@dataclass(frozen=True)
class Answer:
    """Where an emulator is, or why there is none."""

    host: str | None
    text: str
    """Where the emulator comes from; or what is missing."""
    is_mistake: bool = False
    """Whether one was asked for by a variable, so that it is missed whoever runs the tests."""


@dataclass(frozen=True)
class Desk:
    """Where workers ask. Plain values: they are handed to other processes."""

    port: int
    key: bytes


def find(running: ExitStack) -> Answer:
    """An emulator, which ends with `running` if it was started for this."""
    try:
        found = running.enter_context(firestore_emulator())
    except (BadSetting, NoEmulator) as fault:
        return Answer(None, str(fault), isinstance(fault, BadSetting))
    return Answer(found.host, found.source)


def ask(desk: Desk) -> Answer:
    """What the main process has found, now or for another worker."""
    with Client(("127.0.0.1", desk.port), authkey=desk.key) as connection:
        connection.send("where?")
        answer: Answer = connection.recv()
        return answer


@contextmanager
def answering() -> Iterator[Desk]:
    """Answer whoever asks. An emulator that was started for it ends with the block."""
    key = secrets.token_bytes(16)
    with ExitStack() as running, Listener(("127.0.0.1", 0), backlog=64, authkey=key) as listener:
        desk = Desk(int(listener.address[1]), key)
        answers = Thread(target=_answer, args=(listener, running))
        answers.start()
        try:
            yield desk
        finally:
            with Client(("127.0.0.1", desk.port), authkey=key) as connection:
                connection.send("enough")
            answers.join()


def _answer(listener: Listener, running: ExitStack) -> None:
    """One after the other: who asks while it is started waits for it."""
    answer = None
    while True:
        with listener.accept() as connection:
            if connection.recv() == "enough":
                return
            answer = answer or find(running)
            connection.send(answer)
