"""Google's emulators for the tests that need them: started when the first one asks, once for all workers.

Without one those tests are skipped, and the summary says why; with `--google`, or `CI` set, they fail. They
fail too when the one that FIRESTORE_EMULATOR_HOST names doesn't answer.
"""

import gc
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from local.google.firestore_emulator import Emulator
from shared.loading import uncollected
from tests import logged, scheduling
from tests.emulators import Desk, answering, ask, find

_LEAK = "SECRETS IN THE LOG"
_SAID = pytest.StashKey[list[str]]()
_DESK = pytest.StashKey[Desk]()


MEMORY, ROOM = Path("/dev/shm"), 2 << 30  # noqa: S108 - pytest makes a folder of its own there


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--google", action="store_true", help="fail, don't skip, where an emulator is missing")


def pytest_configure(config: pytest.Config) -> None:
    logged.watch()
    _keep_folders_in_memory()
    config.addinivalue_line("markers", "google: needs an emulator of Google's")
    config.stash[_SAID] = []


def _keep_folders_in_memory() -> None:
    """Where there is room for them. No test can see a power loss, and each commit waits for the disk else."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that collecting makes is garbage, and looking through it for some is a third of the work.

    Tests make much that lives for moments, so the collector looks less often.
    """
    gc.set_threshold(10_000)
    with uncollected():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    scheduling.put_in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:  # noqa: ANN401 - pytest-xdist's own
    return scheduling.TogetherScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail for a secret in a line that was logged, here or in a worker of pytest-xdist.

    In a worker: hand over what the summary, which is elsewhere, shall say.
    """
    said = session.config.stash[_SAID]
    if leaked := logged.leaked():
        said.append(f"{_LEAK}: {', '.join(leaked)}")
    if any(line.startswith(_LEAK) for line in said):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["said"] = said


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - pytest-xdist's worker, before it starts
    config = node.config
    if _DESK not in config.stash:
        desk = ExitStack()
        config.stash[_DESK] = desk.enter_context(answering())
        config.add_cleanup(desk.close)
    node.workerinput["emulator"] = astuple(config.stash[_DESK])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401 - pytest-xdist's worker, as seen from outside
    said = node.config.stash[_SAID]
    output = getattr(node, "workeroutput", {})  # one that died has none
    said += [line for line in output.get("said", ()) if line not in said]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash[_SAID]:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def emulator(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """Google's Firestore emulator. A test takes a database of its own, by a random name."""
    said = pytestconfig.stash[_SAID]
    desk = getattr(pytestconfig, "workerinput", {}).get("emulator")
    with ExitStack() as running:
        answer = ask(Desk(*desk)) if desk else find(running)
        if answer.host is not None:
            said.append(f"Firestore emulator: {answer.text}")
            yield Emulator(answer.host, answer.text)
            return
    if answer.is_mistake or pytestconfig.getoption("--google") or os.environ.get("CI"):
        pytest.fail(answer.text, pytrace=False)
    said.append(f"Skipped what needs the Firestore emulator. {answer.text}")
    pytest.skip(answer.text)
