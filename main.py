"""What Cloud Functions loads: the entry point NAME is the function in `functions/NAME`.

    functions-framework --source main.py --target projects

Only the function that is asked for is imported.
"""

from collections.abc import Callable
from typing import Any

from shared.groups import entry_point


def __getattr__(name: str) -> Callable[..., Any]:
    try:
        return entry_point(name)
    except LookupError as fault:
        raise AttributeError(name) from fault
