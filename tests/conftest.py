"""Google's emulators for the tests that need them: started when the first one asks, once for all.

Without one those tests are skipped, and the summary says why; with `--google`, or `CI` set, they fail. They
fail too when the one that FIRESTORE_EMULATOR_HOST names doesn't answer.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from local.google.firestore_emulator import Emulator, NoEmulator, firestore_emulator
from shared.startup import BadSetting
from tests import logged

_LEAK = "SECRETS IN THE LOG"
_SAID = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--google", action="store_true", help="fail, don't skip, where an emulator is missing")


def pytest_configure(config: pytest.Config) -> None:
    logged.watch()
    config.addinivalue_line("markers", "google: needs an emulator of Google's")
    config.stash[_SAID] = []


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
    try:
        with firestore_emulator() as found:
            said.append(f"Firestore emulator: {found.source}")
            yield found
    except BadSetting as fault:  # an emulator that was asked for is missed, whoever runs the tests
        pytest.fail(str(fault), pytrace=False)
    except NoEmulator as missing:
        reason = str(missing)
    else:
        return
    if pytestconfig.getoption("--google") or os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    said.append(f"Skipped what needs the Firestore emulator. {reason}")
    pytest.skip(reason)
