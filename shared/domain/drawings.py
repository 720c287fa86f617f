"""The lifecycles as a page with drawings (Mermaid), made from the tables. Run by `make drawings`.

python -m shared.domain.drawings > docs/lifecycles.md
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from shared.domain import deployment, environment
from shared.domain.actions import DEPLOYMENT_ACTIONS, ENVIRONMENT_ACTIONS
from shared.domain.timeline import Machine

A = TypeVar("A", bound=str)

_HEAD = """# Lifecycles

Made from the tables in `shared/domain` by `make drawings`. `GET /api/v1/meta/state-machines` serves the same.
"""


def page() -> str:
    """The page as it is committed."""
    parts = [
        *_section(environment.MACHINE, ENVIRONMENT_ACTIONS),
        *_section(deployment.MACHINE, DEPLOYMENT_ACTIONS),
    ]
    return "\n".join([_HEAD, *parts]).rstrip() + "\n"


def _section(machine: Machine, actions: Mapping[A, Sequence[str]]) -> Iterator[str]:
    yield f"## {machine.name.capitalize()}\n"
    yield "```mermaid"
    yield from drawing(machine)
    yield "```\n"
    yield f"Transient: {', '.join(machine.transient)}. Terminal: {', '.join(machine.terminal)}.\n"
    yield "| action | possible while |\n|---|---|"
    yield from (f"| `{action}` | {', '.join(statuses)} |" for action, statuses in actions.items())
    yield ""


def drawing(machine: Machine) -> Iterator[str]:
    """The lines of a Mermaid state diagram."""
    yield "stateDiagram-v2"
    yield f"    [*] --> {machine.initial}"
    for status in machine.statuses:
        yield from (f"    {status} --> {other}" for other in machine.following(status))
    yield from (f"    {status} --> [*]" for status in machine.terminal)


if __name__ == "__main__":
    sys.stdout.write(page())
