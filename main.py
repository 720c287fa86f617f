"""What Cloud Functions loads: the entry point NAME is the function in `functions/NAME`.

    functions-framework --source main.py --target projects

Only the function that is asked for is imported.
"""

import sys
from collections.abc import Callable
from typing import Any

from shared.errors import StartupError
from shared.groups import entry_point


def __getattr__(name: str) -> Callable[..., Any]:
    try:
        return entry_point(name)
    except LookupError as fault:
        raise AttributeError(name) from fault
    except StartupError as fault:
        sys.exit(f"envctl: {fault}")  # on stderr, with exit code 1: nothing listens, and the deploy fails
