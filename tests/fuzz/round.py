"""A round: a run of schemathesis, with all its checks and in all its phases, against a server of its own."""

import io
import shutil
import tempfile
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from schemathesis.cli import schemathesis  # type: ignore[import-not-found,unused-ignore]

from tests.fuzz.hooks import watch
from tests.fuzz.instance import Clock, Program, callers, configuration, instance
from tests.fuzz.tally import Tally

PHASES = "examples,coverage,fuzzing,stateful"
MOST_WALKS = 5
"""How many runs follow of walks along links alone: one ends where ids are other ones than at its last try."""
_APART = 1_000_000
"""The seeds of a round's runs."""


@dataclass(frozen=True)
class Played:
    """A round that has ended."""

    is_well: bool
    said: str
    """By schemathesis: of a failure every request that led to it. And by the server, of its own mistakes."""
    tally: Tally


def play(seed: int, examples: int, program: Program) -> Played:
    """Once in a process. The seed says what is sent, and on one machine which clock the server has."""
    clock: Clock = "virtual" if seed % 2 and program == "local" else "real"
    said, tally = (
        io.StringIO(f"\n== seed {seed}: {program}, {clock} clock, {examples} examples for an operation\n"),
        Tally(),
    )
    said.seek(0, io.SEEK_END)
    folder = Path(tempfile.mkdtemp(prefix="envctl-fuzz-"))
    with instance(folder, clock, program) as server:
        people = callers(server)
        watch(tally, people)
        arguments = ["--config-file", str(configuration(folder, people)), "run", f"{server.url}/openapi.json"]
        arguments += ["--checks", "all", "--max-examples", str(examples)]
        with redirect_stdout(said):
            ends = [
                _ended([*arguments, "--phases", phases, "--seed", str(seed + number * _APART)])
                for number, phases in enumerate([PHASES, *["stateful"] * min(MOST_WALKS, examples // 10)])
            ]
    log = folder / "log"
    errors = [line for line in log.read_text().splitlines() if '"severity": "ERROR"' in line]
    is_well = not any(ends) and not errors and not tally.unanswered
    if is_well:
        shutil.rmtree(folder)
    else:
        errors.append(f"the server's log: {log}")
    return Played(is_well, "\n".join([said.getvalue(), *errors]), tally)


def _ended(arguments: list[str]) -> object:
    """What schemathesis ends with: 0 or nothing if all is well."""
    try:
        schemathesis.main(arguments, prog_name="schemathesis")
    except SystemExit as end:
        return end.code
    return None
