"""Ports for servers that are yet to start."""

import secrets
import socket
from contextlib import closing

import pytest

from local.http_server import HOST, free_ports, listen


def test_they_are_free_and_all_different_and_no_outgoing_connections() -> None:
    ports = free_ports(30)
    assert len(set(ports)) == 30
    assert all(20_000 <= port < 32_768 for port in ports)
    for port in ports:
        listen(port).close()


def test_one_that_is_in_use_is_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, other = free_ports(2)
    drawn = [taken, taken, other]
    with closing(socket.create_server((HOST, taken))):
        monkeypatch.setattr(secrets, "randbelow", lambda _: drawn.pop(0) - 20_000)
        assert free_ports(1) == [other]
    assert drawn == []
