"""The server that the browser talks to is started as in the flows' tests."""

from tests.flows.conftest import server

__all__ = ["server"]
