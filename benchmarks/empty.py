"""The empty function: what a function costs before it does anything."""

from flask import Request


def empty(request: Request) -> str:
    """Answer two bytes."""
    del request
    return "ok"
