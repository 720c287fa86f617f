"""Log lines: which are written, and what happens when nobody listens."""

import io
import sys

import pytest

from shared import log


class _Broken(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_line_that_nobody_reads_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Broken())
    log.write("ERROR", "nobody listens")


def test_a_closed_stream_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    log.write("ERROR", "nobody listens")
