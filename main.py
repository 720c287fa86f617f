"""What Cloud Functions loads: the entry point NAME is the function in `functions/NAME`.

    functions-framework --source main.py --target projects

Only the function that is asked for is imported, and only when it is asked for.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from shared.loading import uncollected

# Or pydantic looks through every installed package for plug-ins, which there are none of.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def __getattr__(name: str) -> Callable[..., Any]:
    with uncollected():
        from shared.groups import entry_point  # noqa: PLC0415 - only now,
        from shared.startup import StartupError  # noqa: PLC0415 - while nothing is collected

        try:
            return entry_point(name)
        except LookupError as fault:
            raise AttributeError(name) from fault
        except StartupError as fault:
            sys.exit(f"envctl: {fault}")  # on stderr, with exit code 1: nothing listens, and the deploy fails
