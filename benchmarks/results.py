"""results.md, rendered from the raw figures."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import google, logins, repeats, sections, startup
from benchmarks.figures import Verdict

Section = Callable[[dict[str, Any]], tuple[list[str], list[Verdict]]]

_SECTIONS: dict[str, Section] = {
    "perf": sections.perf,
    "burst": sections.burst,
    "followers": sections.followers,
    "crash": sections.crash,
    "startup": startup.section,
    "scale": sections.scale,
    "login": sections.login,
    "logins": logins.section,
    "repeats": repeats.section,
    "google": google.section,
}

_INTRODUCTION = """\
# Benchmarks

Written by `make bench` from the raw figures in `benchmarks/raw/`; not edited by hand.

Load generator and server share the machine. Latency counts from sending a request to having read the whole
answer, of successes only; whatever else came back is counted as an error and shown. Load is a closed loop:
each client sends its next request when it has read the answer before. The server is `make run`'s, with its
defaults and its data on a disk; before each measurement the tasks that the one before left behind are done.
"""


def render(folder: Path) -> None:
    """Write the results of the raw figures that there are."""
    raw = {
        name: json.loads(file.read_text(encoding="utf-8"))
        for name in _SECTIONS
        if (file := folder / "raw" / f"{name}.json").exists()
    }
    parts, verdicts = [], list[Verdict]()
    for name, found in raw.items():
        lines, judged = _SECTIONS[name](found)
        verdicts += judged
        parts.append("\n".join([*lines, "", _where(found["about"])]))
    text = "\n\n".join([_INTRODUCTION + "\n" + "\n".join(_summary(verdicts)), *parts])
    (folder / "results.md").write_text(text + "\n", encoding="utf-8")


def _summary(verdicts: Sequence[Verdict]) -> list[str]:
    met = sum(verdict.met for verdict in verdicts)
    return [
        f"## Targets: {met} of {len(verdicts)} met",
        "",
        *sections.table(
            ("target", "measured", "met"),
            [(one.target, one.measured, "yes" if one.met else "**no**") for one in verdicts],
        ),
    ]


def _where(about: dict[str, Any]) -> str:
    changed = " with uncommitted changes" if about["changed"] else ""
    return (
        f"_Measured {about['date']} at commit {about['commit'][:12]}{changed}: {about['cores']} cores "
        f"({about['cpu']}), {about['memory']} of memory, {about['kernel']}, Python {about['python']}, "
        f"SQLite {about['sqlite']}; load average at the start {about['load']}, took {about['took']} s._"
    )
